import Primitives

/// What state a text's record shows: the words of the API.
public enum MessageStatus: String, CaseIterable, Sendable {
    /// On its way.
    case sending
    /// Taken by the recipient's device.
    case delivered
    /// Not delivered; the reason says why.
    case failed
}

/// The record of a text as stored.
public struct MessageRow: Equatable, Sendable {
    /// Its number, which gives its sid with the prefix `SM`.
    public var number: RecordNumber
    /// The number of the account's row.
    public var accountID: Int64
    /// The sender.
    public var from: String
    /// The recipient as addressed.
    public var to: String
    /// The text; empty when it was something else than text.
    public var body: String
    /// `outbound-call` for a text of a client, `outbound-api` for one that the API sent.
    public var direction: String
    /// What became of it.
    public var status: MessageStatus
    /// When it came.
    public var createdAt: UnixTime
    /// When its end was known, nil before.
    public var endedAt: UnixTime?
    /// The final SIP status, nil while there is none.
    public var sipStatus: Int64?
    /// The number of the reason (`Reason.rawValue`) of a failure, nil for none.
    public var reason: Int64?

    /// All parts of the row.
    public init(
        number: RecordNumber, accountID: Int64, from: String, to: String, body: String, direction: String,
        status: MessageStatus, createdAt: UnixTime, endedAt: UnixTime? = nil, sipStatus: Int64? = nil,
        reason: Int64? = nil
    ) {
        self.number = number
        self.accountID = accountID
        self.from = from
        self.to = to
        self.body = body
        self.direction = direction
        self.status = status
        self.createdAt = createdAt
        self.endedAt = endedAt
        self.sipStatus = sipStatus
        self.reason = reason
    }
}

/// A text of a client whose end is known, for its record. What the record needs beside is taken from the client's row.
public struct ClientMessage: Sendable {
    /// The record's number.
    public var number: RecordNumber
    /// The number of the sending client's row.
    public var clientID: Int64
    /// The recipient as addressed.
    public var to: [UInt8]
    /// The text; empty when it was something else than text.
    public var body: [UInt8]
    /// When it came.
    public var createdAt: UnixTime
    /// What became of it.
    public var end: MessageEnd

    /// All parts.
    public init(
        number: RecordNumber, clientID: Int64, to: [UInt8], body: [UInt8], createdAt: UnixTime, end: MessageEnd
    ) {
        self.number = number
        self.clientID = clientID
        self.to = to
        self.body = body
        self.createdAt = createdAt
        self.end = end
    }
}

/// The end of a text for its record.
public struct MessageEnd: Sendable {
    /// What became of it.
    public var status: MessageStatus
    /// When that was known.
    public var endedAt: UnixTime
    /// The final SIP status.
    public var sipStatus: Int64
    /// The number of the reason of a failure, nil for none.
    public var reason: Int64?

    /// All parts.
    public init(status: MessageStatus, endedAt: UnixTime, sipStatus: Int64, reason: Int64? = nil) {
        self.status = status
        self.endedAt = endedAt
        self.sipStatus = sipStatus
        self.reason = reason
    }
}

extension MessageRow {
    /// Reads the columns of `Store.messageColumns`. A status that is none of ours reads as `failed`.
    init(_ statement: borrowing PreparedStatement) {
        number = RecordNumber(statement.integer(0))
        accountID = statement.integer(1)
        from = statement.text(2)
        to = statement.text(3)
        body = statement.text(4)
        direction = statement.text(5)
        status = MessageStatus(rawValue: statement.text(6)) ?? .failed
        createdAt = statement.time(7)
        endedAt = statement.optionalTime(8)
        sipStatus = statement.optionalInteger(9)
        reason = statement.optionalInteger(10)
    }
}
