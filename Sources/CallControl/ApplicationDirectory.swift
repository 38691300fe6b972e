import Primitives
import Synchronization

/// An account as calls need it.
public struct AccountEntry: Equatable, Sendable {
    /// The `AC...` sid.
    public var sid: String
    /// Signs requests to applications.
    public var authToken: String
    /// False for one that is suspended or closed, itself or by one above it.
    public var isActive: Bool

    /// With these parts.
    public init(sid: String, authToken: String, isActive: Bool) {
        self.sid = sid
        self.authToken = authToken
        self.isActive = isActive
    }
}

/// What a client or number has been given: URLs of its own, or the sids of applications, which go before them.
public struct ApplicationChoice: Equatable, Sendable {
    /// The account that it belongs to.
    public var accountID: Int64
    /// The URLs of its own.
    public var own: Application
    /// The application that answers calls, nil for none.
    public var voiceSID: String?
    /// The application that answers texts, nil for none.
    public var smsSID: String?

    /// With these parts.
    public init(accountID: Int64, own: Application, voiceSID: String? = nil, smsSID: String? = nil) {
        self.accountID = accountID
        self.own = own
        self.voiceSID = voiceSID
        self.smsSID = smsSID
    }
}

/// The applications of clients and numbers, as they are in the store: in memory, so that no call waits for it.
///
/// Only clients that have an application are here. Any thread may ask and change.
public final class ApplicationDirectory: Sendable {
    private struct State {
        var accounts: [Int64: AccountEntry] = [:]
        var clients: [[UInt8]: ApplicationChoice] = [:]
        var numbers: [[UInt8]: ApplicationChoice] = [:]
        var applications: [String: Application] = [:]
    }

    private let state = Mutex(State())

    /// An empty directory.
    public init() {}

    /// Sets or changes an account.
    public func setAccount(_ id: Int64, _ account: AccountEntry) { state.withLock { $0.accounts[id] = account } }

    /// Sets what a client has been given; nil when it has no application.
    public func setClient(_ login: [UInt8], _ choice: ApplicationChoice?) {
        state.withLock { $0.clients[login] = choice }
    }

    /// Sets what a number has been given; nil when it is gone. `number` is as stored: `+` and digits, or a SIP number.
    public func setNumber(_ number: [UInt8], _ choice: ApplicationChoice?) {
        state.withLock { $0.numbers[number] = choice }
    }

    /// Sets an application; nil when it is gone.
    public func setApplication(_ sid: String, _ application: Application?) {
        state.withLock { $0.applications[sid] = application }
    }

    /// What answers for a client; nil when it has no application, also where its sid names none any more.
    public func application(ofClient login: ByteSlice) -> Application? {
        state.withLock { state in
            state.clients[login.bytes].flatMap { ApplicationDirectory.resolve($0, state.applications) }
        }
    }

    /// The number that a user part means, as dialled or with or without a `+`, and what answers for it, which may have no
    /// address.
    public func number(dialled: ByteSlice) -> (accountID: Int64, application: Application)? {
        state.withLock { state in
            let plus: [UInt8] = [UInt8(ascii: "+")]
            let found =
                state.numbers[dialled.bytes]
                ?? (dialled.first == plus[0]
                    ? state.numbers[dialled.from(1).bytes] : state.numbers[plus + dialled.bytes])
            guard let found else { return nil }
            return (found.accountID, ApplicationDirectory.resolve(found, state.applications) ?? Application())
        }
    }

    /// An account by its row.
    public func account(_ id: Int64) -> AccountEntry? { state.withLock { $0.accounts[id] } }

    /// Applications go before URLs of its own.
    private static func resolve(_ choice: ApplicationChoice, _ applications: [String: Application]) -> Application? {
        var result = choice.own
        if let sid = choice.voiceSID, let application = applications[sid] {
            result.sid = sid
            result.voice = application.voice
            result.voiceFallback = application.voiceFallback
            if let callback = application.statusCallback { result.statusCallback = callback }
        }
        if let sid = choice.smsSID, let application = applications[sid] {
            result.sms = application.sms
            result.smsFallback = application.smsFallback
        }
        return result.voice == nil && result.sms == nil ? nil : result
    }
}
