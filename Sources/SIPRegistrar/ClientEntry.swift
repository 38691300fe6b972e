import Admission
import Primitives
import SIPAuthentication

/// A client as the packet path knows it: who it is, how it proves it, where its devices are.
public struct ClientEntry: Sendable {
    /// The number of the client's row in the store; 0 for none.
    public let id: Int64
    private let text: [UInt8]
    private let loginLength: UInt16
    /// False for a client of Status 0, which may neither register nor call.
    public internal(set) var isEnabled: Bool
    /// True for a client whose calls and texts go to an application of its own (VoiceUrl or VoiceApplicationSid).
    public let hasApplication: Bool
    /// Requests of it that hold a transaction: under way, or answered a short time ago. Here it fills a gap.
    public var openTransactions: UInt32 = 0
    /// What its password is checked against.
    public let password: PasswordDigest
    /// The nonces that it used lately.
    public var nonces = NonceHistory()
    /// Its bindings, expired ones included until they are swept.
    public internal(set) var bindings: [Binding] = [] {
        didSet { isCounted = false }
    }
    /// The last attempt in its name that was refused; nil when none was since the start of the server.
    public internal(set) var lastFailure: AttemptFailure?

    /// The source that it authenticated from last, `.none` since the start of the server; it is counted there.
    public internal(set) var source = Source.none {
        didSet { isCounted = false }
    }
    /// The other sources that it is counted for: those of its bindings. Only `LocationService.update` changes them.
    var otherSources: Set<Source> = []
    /// False when `source` or the bindings may have changed since it was counted last.
    var isCounted = true
    /// `accountID`; it fills a gap, as there may be a million clients, and never so many accounts as it could not hold.
    private let accountNumber: UInt32

    /// A client without bindings.
    public init(
        id: Int64, sid: ByteSlice, login: ByteSlice, password: PasswordDigest, isEnabled: Bool,
        hasApplication: Bool = false, accountID: Int64 = 0
    ) {
        self.id = id
        accountNumber = UInt32(exactly: accountID) ?? 0
        self.hasApplication = hasApplication
        let login = login.prefix(Int(UInt16.max))
        loginLength = UInt16(login.count)
        text = login.bytes + sid.bytes
        self.isEnabled = isEnabled
        self.password = password
    }

    /// What a free place in the table holds.
    static let vacant = ClientEntry(id: 0, sid: .empty, login: .empty, password: .none, isEnabled: false)

    /// The number of the row of its account; 0 for none.
    public var accountID: Int64 { Int64(accountNumber) }
    /// The login as stored, copied.
    public var login: [UInt8] { withLogin { $0.bytes } }
    /// The `CL...` identifier, copied.
    public var sid: [UInt8] { text.withSlice { $0.from(Int(loginLength)).bytes } }

    /// Calls `body` with the login, valid for the call.
    public func withLogin<Result>(_ body: (ByteSlice) throws -> Result) rethrows -> Result {
        try text.withSlice { try body($0.prefix(Int(loginLength))) }
    }

    /// True when it has authenticated from a source, and nowhere else since, or has a device there: it is counted there.
    func isKnown(by source: Source) -> Bool {
        self.source == source || bindings.contains { Source($0.flow.remote.address) == source }
    }

    /// Takes the bindings out that satisfy `condition`.
    mutating func removeBindings(where condition: (Binding) -> Bool) -> [DroppedBinding] {
        guard bindings.contains(where: condition) else { return [] }
        let login = self.login
        let dropped = bindings.filter(condition).map { DroppedBinding(clientID: id, login: login, binding: $0) }
        bindings.removeAll(where: condition)
        return dropped
    }
}

/// A binding that is gone without a REGISTER that asked for it, for the store and the log.
public struct DroppedBinding: Sendable {
    /// The client's number.
    public let clientID: Int64
    /// The client's login.
    public let login: [UInt8]
    /// The binding as it was.
    public let binding: Binding
    /// The connection that it has lost; 0 where that is not why it is gone.
    public private(set) var connection: UInt64 = 0

    init(clientID: Int64, login: [UInt8], binding: Binding) {
        self.clientID = clientID
        self.login = login
        self.binding = binding
    }

    /// The same with the connection that it has lost.
    func with(connection: UInt64) -> DroppedBinding {
        var dropped = self
        dropped.connection = connection
        return dropped
    }
}
