import Primitives

/// What state a call's record shows: the words of the API.
public enum CallStatus: String, CaseIterable, Sendable {
    /// Forwarded; no device rings yet.
    case queued
    /// A device rings.
    case ringing
    /// Answered.
    case inProgress = "in-progress"
    /// Answered, and over.
    case completed
    /// The callee was busy.
    case busy
    /// It could not be set up.
    case failed
    /// Nobody answered, or nobody was registered.
    case noAnswer = "no-answer"
    /// The caller gave up.
    case canceled
}

/// The record of a call as stored.
public struct CallRow: Equatable, Sendable {
    /// Its number, which gives its sid with the prefix `CA`.
    public var number: RecordNumber
    /// The number of the row of the account that the calling client belongs to.
    public var accountID: Int64
    /// The record of the call that this one is a part of, nil for none.
    public var parent: RecordNumber?
    /// The caller: the client's login.
    public var from: String
    /// The callee as dialled.
    public var to: String
    /// The caller's name for people (the client's FriendlyName).
    public var callerName: String
    /// `client-to-client` for a call that was proxied.
    public var direction: String
    /// What became of it.
    public var status: CallStatus
    /// When the INVITE came.
    public var startedAt: UnixTime
    /// When the first device began to ring, nil when none did.
    public var ringingAt: UnixTime?
    /// When it was answered, nil when it was not.
    public var answeredAt: UnixTime?
    /// When it ended, nil while it goes on.
    public var endedAt: UnixTime?
    /// The final SIP status of the INVITE, nil while there is none.
    public var sipStatus: Int64?
    /// The number of the reason (`Reason.rawValue`) of an unhappy end, nil for none.
    public var reason: Int64?
    /// The Call-ID, by which it is found in the log.
    public var callID: String

    /// All parts of the row.
    public init(
        number: RecordNumber, accountID: Int64, parent: RecordNumber? = nil, from: String, to: String,
        callerName: String, direction: String, status: CallStatus, startedAt: UnixTime, ringingAt: UnixTime? = nil,
        answeredAt: UnixTime? = nil, endedAt: UnixTime? = nil, sipStatus: Int64? = nil, reason: Int64? = nil,
        callID: String
    ) {
        self.number = number
        self.accountID = accountID
        self.parent = parent
        self.from = from
        self.to = to
        self.callerName = callerName
        self.direction = direction
        self.status = status
        self.startedAt = startedAt
        self.ringingAt = ringingAt
        self.answeredAt = answeredAt
        self.endedAt = endedAt
        self.sipStatus = sipStatus
        self.reason = reason
        self.callID = callID
    }
}

/// The beginning of a call by a client, for its record. What the record needs beside is taken from the client's row.
public struct CallStart: Sendable {
    /// The record's number.
    public var number: RecordNumber
    /// The number of the calling client's row.
    public var clientID: Int64
    /// The callee as dialled.
    public var to: [UInt8]
    /// `client-to-client` for a call that is proxied.
    public var direction: String
    /// When the INVITE came.
    public var startedAt: UnixTime
    /// The Call-ID.
    public var callID: [UInt8]

    /// All parts.
    public init(
        number: RecordNumber, clientID: Int64, to: [UInt8], direction: String, startedAt: UnixTime, callID: [UInt8]
    ) {
        self.number = number
        self.clientID = clientID
        self.to = to
        self.direction = direction
        self.startedAt = startedAt
        self.callID = callID
    }
}

/// The end of a call for its record.
public struct CallEnd: Sendable {
    /// What became of it.
    public var status: CallStatus
    /// When.
    public var endedAt: UnixTime
    /// The final SIP status of the INVITE, nil when the record has it already (a call that was answered).
    public var sipStatus: Int64?
    /// The number of the reason of an unhappy end, nil for none.
    public var reason: Int64?
    /// For a call that was answered, the hash of the callee's tag: only the dialog of the first answer ends the record.
    public var tag: Int64?

    /// All parts.
    public init(
        status: CallStatus, endedAt: UnixTime, sipStatus: Int64? = nil, reason: Int64? = nil, tag: Int64? = nil
    ) {
        self.status = status
        self.endedAt = endedAt
        self.sipStatus = sipStatus
        self.reason = reason
        self.tag = tag
    }
}

extension CallRow {
    /// Reads the columns of `Store.callColumns`. A status that is none of ours reads as `failed`.
    init(_ statement: borrowing PreparedStatement) {
        number = RecordNumber(statement.integer(0))
        accountID = statement.integer(1)
        parent = statement.isNull(2) ? nil : RecordNumber(statement.integer(2))
        from = statement.text(3)
        to = statement.text(4)
        callerName = statement.text(5)
        direction = statement.text(6)
        status = CallStatus(rawValue: statement.text(7)) ?? .failed
        startedAt = statement.time(8)
        ringingAt = statement.optionalTime(9)
        answeredAt = statement.optionalTime(10)
        endedAt = statement.optionalTime(11)
        sipStatus = statement.optionalInteger(12)
        reason = statement.optionalInteger(13)
        callID = statement.text(14)
    }
}
