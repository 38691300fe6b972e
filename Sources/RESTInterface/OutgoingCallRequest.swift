import Primitives

/// A call that the API starts, as the SIP server is asked for it.
public struct OutgoingCallRequest: Equatable, Sendable {
    /// Who is called.
    public enum Kind: Equatable, Sendable {
        /// A client of the domain, by login.
        case client
        /// A number outside, by a gateway, or one of the domain.
        case number
        /// A SIP URI.
        case sip
    }

    /// What answers once the called party has, in the words of the API.
    public struct Address: Equatable, Sendable {
        /// The absolute URL.
        public var url: String
        /// `GET` or `POST`.
        public var method: String

        /// With these parts.
        public init(_ url: String, _ method: String) {
            self.url = url
            self.method = method
        }
    }

    /// A header that goes to the called party.
    public struct Header: Equatable, Sendable {
        /// The name, which begins with `X-`.
        public var name: String
        /// The value, without control characters.
        public var value: String

        /// With these parts.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The number of the record.
    public var number: RecordNumber
    /// The account that pays: its row.
    public var accountID: Int64
    /// The sid of that account.
    public var accountSID: String
    /// The token of that account, which signs requests to the application.
    public var authToken: String
    /// Who is shown as the caller: a client or number of the account.
    public var from: String
    /// What kind `to` is.
    public var kind: Kind
    /// The login, the number, or the SIP URI with `sip:`.
    public var to: String
    /// Headers that go to the called party.
    public var headers: [Header] = []
    /// The sid of the application, empty where URLs were given.
    public var applicationSID = ""
    /// What answers.
    public var voice: Address
    /// What is tried when the first document cannot be had, nil for nothing.
    public var fallback: Address?
    /// Who is told of the call's states, nil for nobody.
    public var statusCallback: Address?
    /// Which states are told: of `initiated`, `ringing`, `answered`, `completed`.
    public var statusEvents: [String] = ["completed"]
    /// Seconds of ringing.
    public var timeout: UInt32 = 60

    /// A call without headers, callback and fallback.
    public init(
        number: RecordNumber, accountID: Int64, accountSID: String, authToken: String, from: String, kind: Kind,
        to: String, voice: Address
    ) {
        self.number = number
        self.accountID = accountID
        self.accountSID = accountSID
        self.authToken = authToken
        self.from = from
        self.kind = kind
        self.to = to
        self.voice = voice
    }
}

/// What the API orders of a live call.
public enum CallOrderRequest: Equatable, Sendable {
    /// Ends a call that is not answered.
    case cancel
    /// Ends a call in any state.
    case complete
    /// Drops the dialled legs, and goes on with another document.
    case redirect(OutgoingCallRequest.Address)
}

/// What became of an order.
public enum CallOrderResult: Equatable, Sendable {
    /// It is carried out.
    case done
    /// The server has no live call with this number that it could change.
    case unknown
    /// `cancel` of a call that is answered already.
    case alreadyAnswered
}

extension SIPService {
    /// A server that cannot call.
    public func startCall(_ call: OutgoingCallRequest) -> SIPRefusal? {
        SIPRefusal(code: "R-1508", number: 1508, status: 503, message: "This server starts no calls.", retryAfter: 60)
    }

    /// A server that has no calls of its own.
    public func order(_ number: RecordNumber, _ order: CallOrderRequest) -> CallOrderResult { .unknown }
}
