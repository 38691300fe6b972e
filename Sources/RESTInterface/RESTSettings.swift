import HTTPMessage
import Primitives
import Store

/// What all services of a server share.
public struct RESTSettings: Sendable {
    /// The domain, which is the realm of the clients' passwords.
    public var realm: String
    /// True when passwords are stored readable, and shown.
    public var keepsPasswords = true
    /// The least length of a client's password in characters.
    public var minPasswordLength = 1
    /// Opens the database for reading, for one thread.
    let openStore: @Sendable () throws(StoreError) -> Store
    /// The database for reading, for moments.
    let stores: StorePool
    /// Where changes are made.
    public var transactions: any StoreTransactions
    /// The SIP server; nil when none runs (on the command line).
    public var sip: (any SIPService)?
    /// Who is told of each answer.
    public var observer: any RequestObserver
    /// Counts failed authentications by source, and by source and account.
    let failures = FailureTable(window: 60_000)

    /// Settings with the rest at the defaults.
    public init(
        realm: String, openStore: @escaping @Sendable () throws(StoreError) -> Store,
        transactions: any StoreTransactions, sip: (any SIPService)?, observer: any RequestObserver
    ) {
        self.realm = realm
        self.openStore = openStore
        stores = StorePool(open: openStore)
        self.transactions = transactions
        self.sip = sip
        self.observer = observer
    }
}

/// What the API asks of the SIP server. Any thread may call it.
public protocol SIPService: Sendable {
    /// What became of the last request of a client that was refused, nil when none was.
    func lastFailure(ofClient login: String) -> AttemptReport?
    /// When a device was heard last, and whether it is reached now; nil when the server has no such binding.
    func presence(ofBinding key: [UInt8], client login: String) -> Presence?
    /// Drops a binding in memory, so that no request goes to its device any more, and has the store drop it too: before
    /// whatever is stored afterwards. `number` is that of the client's row.
    func removeBinding(_ key: [UInt8], ofClient login: String, number: Int64)
    /// Sends a text to all devices of a client; its record is ended by what comes of it.
    ///
    /// - Returns: Why it cannot be sent; nil when it is on its way.
    func send(_ body: String, from: String, to: String, number: RecordNumber) -> SIPRefusal?
    /// Starts a call; what becomes of it is told by its record.
    ///
    /// - Returns: Why it cannot be started; nil when it is on its way.
    func startCall(_ call: OutgoingCallRequest) -> SIPRefusal?
    /// Ends or redirects a live call.
    func order(_ number: RecordNumber, _ order: CallOrderRequest) -> CallOrderResult
    /// Who is kept out now, and which logins have to wait.
    func bans() -> [BanRow]
    /// Ends a ban or a delay; false when there is none with this sid.
    func liftBan(_ sid: String) -> Bool
    /// A new number for the record of a text.
    func makeRecordNumber() -> RecordNumber
}

extension SIPService {
    /// Nothing is known.
    public func presence(ofBinding key: [UInt8], client login: String) -> Presence? { nil }
}

/// What the SIP server knows of a registered device.
public struct Presence: Equatable, Sendable {
    /// When it was heard last: by a REGISTER, or an answer to a ping.
    public var lastAlive: UnixTime
    /// True when calls go to it.
    public var isReachable: Bool

    /// Both.
    public init(lastAlive: UnixTime, isReachable: Bool) {
        self.lastAlive = lastAlive
        self.isReachable = isReachable
    }
}

/// Why the SIP server refuses something.
public struct SIPRefusal: Equatable, Sendable {
    /// The code, such as `R-1303`.
    public var code: String
    /// The number of the code.
    public var number: Int64
    /// The SIP status that stands for it.
    public var status: Int64
    /// Cause and remedy.
    public var message: String
    /// Seconds after which the same may be tried again; nil when the server is not what stands against it.
    public var retryAfter: Int?

    /// A refusal.
    public init(code: String, number: Int64, status: Int64, message: String, retryAfter: Int? = nil) {
        self.code = code
        self.number = number
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
    }
}

/// A request of a client that was refused.
public struct AttemptReport: Equatable, Sendable {
    /// When.
    public var date: UnixTime
    /// Where it came from, address and port.
    public var source: String
    /// `udp` or `tcp`.
    public var transport: String
    /// The User-Agent, may be empty.
    public var userAgent: String
    /// The SIP method.
    public var method: String
    /// Why it was refused.
    public var refusal: SIPRefusal

    /// All parts.
    public init(
        date: UnixTime, source: String, transport: String, userAgent: String, method: String, refusal: SIPRefusal
    ) {
        self.date = date
        self.source = source
        self.transport = transport
        self.userAgent = userAgent
        self.method = method
        self.refusal = refusal
    }
}

/// Is told of each answer, for the log. Any thread may call it.
public protocol RequestObserver: Sendable {
    /// A request was answered, or its answer begun.
    func answered(_ report: RequestReport)
}

/// A request and what it was answered.
public struct RequestReport: Sendable {
    /// Where it came from.
    public var source: IPAddress
    /// The method.
    public var method: String
    /// The path as sent, without the query.
    public var path: String
    /// The status of the answer.
    public var status = 0
    /// The sid of the account whose credentials it had, nil without.
    public var account: String?
    /// Why it was refused, with what only the log tells; nil when it was not.
    public var failure: (problem: Problem, detail: String?)?

    init(_ request: HTTPRequest) {
        source = request.source
        method = request.method.name
        path = request.rawPath
    }
}
