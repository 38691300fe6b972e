import Admission
import Observability
import Primitives
import SIPAuthentication
import SIPMessage
import Synchronization

/// Finds out which client sent a request (RFC 3261 section 22, RFC 7616).
///
/// An unknown login, a wrong password and a disabled client cost the same work and get the same answer; only the reason
/// in the outcome, which is for the log, tells them apart. How often somebody may try is decided by `Admission`.
public final class Authenticator: Sendable {
    /// As what we ask for credentials.
    public enum Kind: Sendable {
        /// 401, WWW-Authenticate, Authorization.
        case registrar
        /// 407, Proxy-Authenticate, Proxy-Authorization.
        case proxy

        /// The status of a challenge.
        public var status: UInt16 { self == .registrar ? 401 : 407 }
        /// The header that credentials come in.
        var credentials: HeaderName { self == .registrar ? .authorization : .proxyAuthorization }
    }

    /// A client that has proved who it is.
    public struct Client: Sendable {
        /// The number of the client's row.
        public let id: Int64
        /// The client's place in the location service.
        public let key: LoginKey
        /// The login as in the credentials: a part of the request.
        public let login: ByteSlice
        /// True for the request accepted last, once more (a REGISTER only): the answer is due again, a change is not.
        public let isRetransmission: Bool
    }

    /// What became of a request.
    public enum Outcome: Sendable {
        /// It is from this client.
        case authenticated(Client)
        /// It is to be challenged (`writeChallenge`): for lack of credentials when there is no reason.
        case challenge(stale: Bool, reason: Reason?)
        /// It is to be refused with this reason.
        case refused(Reason)
        /// It is to be refused for so many seconds: there were too many failures.
        case delayed(seconds: UInt32)
    }

    private let currentRules: Replaceable<AuthenticationRules>
    private let realm: [UInt8]
    private let domains: DomainTable
    private let locations: LocationService
    private let secret: HashKey
    private let start: UnixTime
    private let admission: Admission
    private let key: HashKey
    private let clock: NonceClock
    private let counter = Atomic<UInt32>(0)

    /// An authenticator of the realm that is the domain's name.
    ///
    /// - Parameters:
    ///   - secret: Unpredictable.
    ///   - start: When this run began: nonces of before are stale, as it is forgotten which were used.
    public init(
        domains: DomainTable, locations: LocationService, admission: Admission, policy: AuthenticationPolicy,
        secret: HashKey, start: UnixTime = UnixTime(milliseconds: 0)
    ) {
        self.secret = secret
        self.start = start
        self.domains = domains
        self.locations = locations
        self.admission = admission
        realm = domains.domain
        currentRules = Replaceable(
            AuthenticationRules(policy, realm: domains.domain, secret: secret, start: start))
        clock = NonceClock(start: start)
        var hash = SipHash(key: secret)
        hash.update("authenticator")
        let value = hash.finalize()
        key = HashKey(value.first, value.second)
    }

    /// Takes other rules for all requests from now on; nonces that are out stay valid for as long as these say.
    public func replacePolicy(_ policy: AuthenticationPolicy) {
        let rules = AuthenticationRules(policy, realm: realm, secret: secret, start: start)
        currentRules.replace { $0 = rules }
    }

    private var policy: AuthenticationPolicy {
        @inline(__always) _read { yield currentRules.value.policy }
    }
    private var challenge: DigestChallenge {
        @inline(__always) _read { yield currentRules.value.challenge }
    }
    private var nonces: NonceAuthority {
        @inline(__always) _read { yield currentRules.value.nonces }
    }

    /// Judges the credentials of a request that came from `source`.
    public func authenticate(
        _ request: borrowing SIPMessage, _ kind: Kind, source: SocketAddress, now: UnixTime
    ) -> Outcome {
        let now = clock.time(at: now)
        let credentials: DigestCredentials
        switch selectCredentials(of: request, kind) {
        case .none(let reason): return .challenge(stale: false, reason: reason)
        case .malformed: return .refused(.credentialsMalformed)
        case .found(let found): credentials = found
        }
        guard let algorithm = credentials.algorithm, policy.algorithms.contains(algorithm) else {
            return .challenge(stale: false, reason: .unsupportedAlgorithm)
        }
        guard challenge.admits(credentials) else {
            return .challenge(stale: false, reason: .unsupportedQualityOfProtection)
        }
        guard isMeant(credentials.uri, for: request.requestURI) else { return .refused(.credentialsMalformed) }
        let nonce = nonces.check(credentials.nonce, now: now)
        if nonce == .forged { return .challenge(stale: false, reason: .nonceForged) }
        return verify(credentials, nonce, request, kind, source, now)
    }

    /// The login in the credentials of our realm that a request has; nil without.
    public func login(of request: borrowing SIPMessage, _ name: HeaderName) -> ByteSlice? {
        guard let first = request.firstIndex(of: name) else { return nil }
        for index in first..<request.fieldCount where request.field(index).name == name {
            guard let credentials = try? DigestCredentials(request.value(request.field(index))),
                realm.withSlice({ $0 == credentials.realm }), challenge.admits(credentials)
            else { continue }
            return credentials.username
        }
        return nil
    }

    /// True when a request answers a challenge of ours that is still good, rightly or wrongly: a cheap look, for when there
    /// is no time for more.
    public func answersChallenge(_ request: borrowing SIPMessage, _ kind: Kind, now: UnixTime) -> Bool {
        guard case .found(let credentials) = selectCredentials(of: request, kind),
            case .valid = nonces.check(credentials.nonce, now: clock.time(at: now))
        else { return false }
        return true
    }

    private enum Selection {
        case none(Reason?)
        case malformed
        case found(DigestCredentials)
    }

    /// Picks the credentials of our realm; a request may carry those of proxies on its way too (RFC 3261 22.3).
    private func selectCredentials(of request: borrowing SIPMessage, _ kind: Kind) -> Selection {
        guard let first = request.firstIndex(of: kind.credentials) else { return .none(nil) }
        var other = Selection.none(nil)
        var isFound = false
        for index in first..<request.fieldCount {
            let field = request.field(index)
            guard field.name == kind.credentials else { continue }
            do {
                let credentials = try DigestCredentials(request.value(field))
                guard realm.withSlice({ $0 == credentials.realm }) else {
                    if !isFound, case .none = other { other = .none(.wrongRealm) }
                    continue
                }
                // Of several answers, one to each algorithm offered, one that we can check.
                if challenge.admits(credentials) { return .found(credentials) }
                if !isFound { other = .found(credentials) }
                isFound = true
            } catch {
                switch error {
                // Another scheme; and the empty credentials by which some phones name their user at first.
                case .notDigest, .missing(.nonce), .missing(.response): break
                default: if !isFound { other = .malformed }
                }
            }
        }
        return other
    }

    /// True when the digest URI is the Request-URI, or names the same user, or none, at a host of ours.
    ///
    /// RFC 7616 3.4.6 wants the same resource, not the same text; SIPp and some phones write the server's address there.
    private func isMeant(_ uri: ByteSlice, for requestURI: ByteSlice) -> Bool {
        if uri == requestURI { return true }
        guard let digest = SIPURI(uri), let request = SIPURI(requestURI) else { return false }
        return (!digest.hasUser || digest.user.equalsUnescaped(request.user))
            && (digest.host.equalsIgnoringCase(request.host) || domains.isOursAtAnyPort(digest))
    }

    private enum Verdict: Sendable {
        case accepted(Int64, isRetransmission: Bool)
        case stale(Reason)
        case replayed
        /// `isKnown` when the client is known by the source.
        case failed(Reason, isKnown: Bool)
    }

    private func verify(
        _ credentials: DigestCredentials, _ nonce: NonceAuthority.Verdict, _ request: borrowing SIPMessage,
        _ kind: Kind, _ remote: SocketAddress, _ now: UnixTime
    ) -> Outcome {
        let login = locations.key(of: credentials.username)
        let source = Source(remote.address)
        let attempt = admission.attempt(
            from: remote.address, login: login.hash, isOwnNonce: nonce.sourceTag == tag(of: source))
        switch admission.judge(attempt, at: now) {
        case .check: break
        case .challenge: return .challenge(stale: true, reason: .nonceStale)
        case .wait(let seconds, let exemption):
            guard isExempt(exemption, login, remote) else { return .delayed(seconds: seconds) }
            admission.exempt(attempt, at: now)
        }
        let fingerprint = fingerprint(of: request, credentials)
        let (method, body) = (request.methodText, request.body)
        let found = locations.withClient(login) { entry -> Verdict in
            guard DigestVerification.matches(credentials, password: entry.password, method: method, body: body) else {
                return .failed(.wrongPassword, isKnown: entry.isKnown(by: source))
            }
            // A disabled client that knows its password must not look different from one that does not.
            guard entry.isEnabled else { return .failed(.clientDisabled, isKnown: false) }
            guard case .valid(let identifier) = nonce else { return .stale(.nonceStale) }
            switch entry.nonces.accept(
                nonce: identifier, nonceCount: credentials.nonceCount, fingerprint: fingerprint)
            {
            case .fresh:
                // Whoever answers the challenge that went to an address is there; else it may be invented.
                if attempt.isProved, entry.source != source { entry.source = source }
                return .accepted(entry.id, isRetransmission: false)
            // Other requests are recognised by their transaction; what comes here again was sent by somebody else.
            case .retransmission where kind == .registrar: return .accepted(entry.id, isRetransmission: true)
            case .retransmission, .replay: return .replayed
            case .stale: return .stale(.nonceStale)
            }
        }
        if found == nil {
            _ = DigestVerification.matches(credentials, password: .none, method: method, body: body)
        }
        switch found ?? .failed(.unknownLogin, isKnown: false) {
        case .accepted(let id, let isRetransmission):
            admission.succeeded(attempt)
            return .authenticated(
                Client(id: id, key: login, login: credentials.username, isRetransmission: isRetransmission))
        case .stale(let reason):
            // Whoever knows the password is not to wait before the new challenge can be answered.
            admission.succeeded(attempt)
            return .challenge(stale: true, reason: reason)
        // Whoever has recorded the credentials can send them again, and need not know the password.
        case .replayed: return .challenge(stale: true, reason: .nonceReplayed)
        case .failed(let reason, let isKnown):
            let wait = admission.failed(attempt, credentials.username, reason, isKnown: isKnown, at: now)
            if let wait { return .delayed(seconds: wait) }
            return .challenge(stale: false, reason: reason)
        }
    }

    /// True when an attempt is checked though others have to wait: so that nobody can keep a working phone out.
    private func isExempt(_ exemption: Exemption, _ login: LoginKey, _ remote: SocketAddress) -> Bool {
        switch exemption {
        case .nobody: false
        case .device: locations.withClient(login) { $0.bindings.contains { $0.flow.remote == remote } } ?? false
        case .client: locations.withClient(login) { $0.isKnown(by: Source(remote.address)) } ?? false
        }
    }

    /// What a nonce tells of the source that it was issued to: 16 bits, of which strangers cannot say whose they are.
    private func tag(of source: Source) -> UInt16 {
        var hash = SipHash(key: key)
        hash.update("source")
        hash.update(source.keyed)
        return UInt16(truncatingIfNeeded: hash.finalize().first)
    }

    /// What tells a retransmission from another request.
    private func fingerprint(of request: borrowing SIPMessage, _ credentials: DigestCredentials) -> UInt64 {
        var hash = SipHash(key: key)
        hash.update(request.callID)
        hash.update(byte: 0)
        hash.update(UInt64(request.sequenceNumber))
        hash.update(credentials.response)
        hash.update(request.methodText)
        return hash.finalize().first
    }

    /// Writes the whole challenge: a 401 or 407 with one header line an algorithm (RFC 3261 22.2 and 22.3, RFC 8760).
    ///
    /// - Parameters:
    ///   - source: Where the request came from.
    ///   - toTag: The tag put on To when it has none.
    public func writeChallenge(
        to request: borrowing SIPMessage, _ kind: Kind, stale: Bool, source: SocketAddress, toTag: ByteSlice,
        now: UnixTime, into writer: inout ByteWriter
    ) {
        writer.beginResponse(to: request, status: kind.status, source: source, toTag: toTag)
        // 65,536 nonces a millisecond for one source and they repeat; 48,000 a second are 48.
        let number = UInt16(truncatingIfNeeded: counter.wrappingAdd(1, ordering: .relaxed).newValue)
        let nonce = nonces.issue(
            now: clock.time(at: now), counter: UInt32(tag(of: Source(source.address))) << 16 | UInt32(number))
        challenge.write(kind == .registrar ? .server : .proxy, nonce: nonce, stale: stale, into: &writer)
        writer.endResponse()
    }

    /// The time by which nonces and failed attempts age, at a reading of the calendar clock: where that was set back, it
    /// goes on.
    public func time(at now: UnixTime) -> UnixTime { clock.time(at: now) }

    /// When the oldest nonces that are still good were issued; `LocationService.removeExpired` forgets those of before.
    public func oldestNonce(now: UnixTime) -> UnixTime {
        UnixTime(milliseconds: clock.time(at: now).milliseconds &- policy.nonceLifetime)
    }

    /// True when a From or To is the login at a host of ours: escapes decoded, host without case (19.1.4).
    public func identityMatches(_ address: NameAddress, login: ByteSlice) -> Bool {
        guard let uri = SIPURI(address.uri) else { return false }
        return uri.user.equalsUnescaped(login) && domains.isOursAtAnyPort(uri)
    }
}

/// The policy with what is made of it once, and not for each request.
private struct AuthenticationRules: Sendable {
    let policy: AuthenticationPolicy
    let challenge: DigestChallenge
    let nonces: NonceAuthority

    init(_ policy: AuthenticationPolicy, realm: [UInt8], secret: HashKey, start: UnixTime) {
        self.policy = policy
        challenge = realm.withSlice {
            DigestChallenge(realm: $0, algorithms: policy.algorithms, qualities: policy.qualities)
        }
        nonces = realm.withSlice {
            NonceAuthority(secret: secret, realm: $0, lifetime: policy.nonceLifetime, start: start)
        }
    }
}
