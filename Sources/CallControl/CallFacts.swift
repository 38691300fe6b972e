import Primitives

/// What is known of a call, or of a text, from its beginning.
public struct CallFacts: Equatable, Sendable {
    /// The word of `Direction`.
    public enum Direction: String, Sendable {
        /// A client or a gateway has called or texted.
        case inbound
        /// The API has.
        case outboundAPI = "outbound-api"
        /// A leg of `<Dial>`.
        case outboundDial = "outbound-dial"
    }

    /// The number of its record: gives CallSid or SmsSid.
    public var number: RecordNumber
    /// The account that pays: its row, its sid, and its AuthToken, which signs requests.
    public var accountID: Int64
    /// The `AC...` sid of that account.
    public var accountSID: String
    /// The AuthToken of that account, which signs requests.
    public var authToken: String
    /// The client that called, 0 for none.
    public var clientID: Int64 = 0
    /// The user part of the caller, decoded.
    public var from: String
    /// The user part of what was dialled, decoded.
    public var to: String
    /// The display name of From; nil for none.
    public var callerName: String?
    /// Which way it goes.
    public var direction = Direction.inbound
    /// The user part of Diversion (RFC 5806); nil for none.
    public var forwardedFrom: String?
    /// When it began.
    public var startedAt: UnixTime
    /// `X-` headers and Diversion of the request, with their names as received.
    public var headers: [WebhookRequest.Parameter] = []
    /// Max-Forwards of the request: of the texts that it gives rise to as well, so that two applications that answer each other
    /// come to an end.
    public var hops: UInt32 = 70
    /// The text; empty for a call.
    public var body = ""

    /// With these parts.
    public init(
        number: RecordNumber, accountID: Int64, accountSID: String, authToken: String, from: String, to: String,
        startedAt: UnixTime
    ) {
        self.number = number
        self.accountID = accountID
        self.accountSID = accountSID
        self.authToken = authToken
        self.from = from
        self.to = to
        self.startedAt = startedAt
    }
}
