import CallControl
import Primitives

/// The beginning of a record that an application, the API or a gateway gives rise to: a call, or a leg of one.
public struct CallRecord: Equatable, Sendable {
    /// The number of its record.
    public var number: RecordNumber
    /// The call that it is a leg of, `.none` for none.
    public var parent = RecordNumber.none
    /// The account that pays.
    public var accountID: Int64
    /// The client that called, 0 for none: its login and FriendlyName are then those of the record.
    public var clientID: Int64 = 0
    /// The user part of the caller, decoded.
    public var from: [UInt8]
    /// What was dialled, decoded.
    public var to: [UInt8]
    /// The caller's name for people; empty for none.
    public var callerName: [UInt8] = []
    /// Which way it went.
    public var direction: CallFacts.Direction
    /// When it began.
    public var startedAt: UnixTime
    /// The Call-ID, as in the log.
    public var callID: [UInt8]

    /// With these parts.
    public init(
        number: RecordNumber, accountID: Int64, from: [UInt8], to: [UInt8], direction: CallFacts.Direction,
        startedAt: UnixTime, callID: [UInt8]
    ) {
        self.number = number
        self.accountID = accountID
        self.from = from
        self.to = to
        self.direction = direction
        self.startedAt = startedAt
        self.callID = callID
    }
}

/// The beginning of the record of a text to or from an application; its end is told by `RecordChange.messageEnded`.
public struct TextRecord: Equatable, Sendable {
    /// The words of the API for where a text goes.
    public enum Direction: String, Sendable {
        /// To an application.
        case inbound
        /// From `<Sms>` of a call's document.
        case outboundCall = "outbound-call"
        /// From `<Sms>` of a text's document.
        case outboundReply = "outbound-reply"
    }

    /// The number of its record.
    public var number: RecordNumber
    /// The account that pays.
    public var accountID: Int64
    /// The client that sent it, 0 for none.
    public var clientID: Int64 = 0
    /// Whom it is from.
    public var from: [UInt8]
    /// Whom it is for.
    public var to: [UInt8]
    /// The text.
    public var body: [UInt8]
    /// Which way it went.
    public var direction: Direction
    /// When it began.
    public var startedAt: UnixTime

    /// With these parts.
    public init(
        number: RecordNumber, accountID: Int64, from: [UInt8], to: [UInt8], body: [UInt8], direction: Direction,
        startedAt: UnixTime
    ) {
        self.number = number
        self.accountID = accountID
        self.from = from
        self.to = to
        self.body = body
        self.direction = direction
        self.startedAt = startedAt
    }
}
