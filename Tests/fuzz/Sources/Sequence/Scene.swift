import Admission
import Observability
import Primitives
import SIPAuthentication
import SIPMessage
import SIPProxy
import SIPRegistrar

/// A server of example.com with devices around it, in virtual time; `play` lets one event happen.
final class Scene {
    let server: SIPServer
    let location: LocationService
    let authenticator: Authenticator
    let admission: Admission
    let watcher = Watcher()
    var effects: Effects
    var now = Now(instant: Instant(milliseconds: 1_000_000), unix: UnixTime(seconds: 1_700_000_000))
    var message = SIPMessage()
    var devices = Device.all
    /// The last nonce of a challenge, and how often each login has used it.
    var nonce = ""
    var nonceCounts: [String: Int] = [:]
    /// The place in `passwords` of each client's password; nil for a client that is removed.
    var passwords: [String: Int] = [:]
    var number = 0
    /// Packets and attempts of sources are limited as the daemon does it.
    private let limitsPackets: Bool
    private var nextSweep = Instant(milliseconds: 0)
    /// How many names are asked for and not resolved yet.
    var waitingNames = 0
    /// What was sent by devices, what the server forwarded, what it answered, what devices answered.
    var requests: [Request] = []
    var forwarded: [Sent] = []
    var responses: [Sent] = []
    var deliveries: [(bytes: [UInt8], flow: Flow)] = []
    var answers: [(bytes: [UInt8], flow: Flow)] = []
    /// 2xx to an INVITE, with the INVITE.
    var dialogs: [(response: Sent, invite: Request)] = []

    static let logins = ["alice", "bob", "carol"]
    static let secrets = ["secret", "another", "guessed"]
    private static let digests: [String: [PasswordDigest]] = Dictionary(
        uniqueKeysWithValues: logins.map { login in
            (
                login,
                secrets.map { secret in
                    login.withSlice { login in
                        secret.withSlice { PasswordDigest(login: login, realm: "example.com", password: $0) }
                    }
                }
            )
        })
    static let runKey = HashKey(9, 10)
    private static let listeners = [
        Listener(transport: .udp, address: Device.socket("192.0.2.1", 5060)),
        Listener(transport: .udp, address: Device.socket("192.0.2.1", 5080)),
        Listener(transport: .tcp, address: Device.socket("192.0.2.1", 5060)),
        Listener(transport: .udp, address: Device.socket("2001:db8::1", 5060)),
    ]

    init(registered: UInt8, options: UInt8) {
        let domains = DomainTable(domain: "example.com", sockets: Scene.listeners.map(\.address))
        var limits = AdmissionPolicy()
        // So that a script is long enough for bans and delays.
        if options & 32 != 0 { (limits.bannedAfter, limits.failuresBeforeDelay) = (3, 1) }
        if options & 48 == 48 { (limits.packetsPerSource, limits.packetsPerClient, limits.burst) = (2, 2, 5) }
        limitsPackets = options & 16 != 0
        admission = Admission(policy: limits, key: HashKey(13, 14))
        location = LocationService(key: HashKey(3, 4), admission: admission)
        authenticator = Authenticator(
            domains: domains, locations: location, admission: admission, policy: AuthenticationPolicy(),
            secret: HashKey(1, 2))
        var policy = RegistrarPolicy()
        if options & 1 != 0 { policy.maxBindings = 2 }
        if options & 2 != 0 { policy.whenFull = .refuse }
        let registrar = Registrar(
            policy: policy, domains: domains, locations: location, authenticator: authenticator, key: HashKey(5, 6))
        var settings = ServerSettings(
            listeners: Scene.listeners, runKey: Scene.runKey, routeKey: HashKey(11, 12))
        settings.awaitsStore = false
        settings.keepalive.pingsAll = options & 64 != 0
        if options & 192 == 192 { settings.keepalive.method = .emptyLine }
        if options & 128 != 0 { settings.keepalive.reconnectTime = 0 }
        if options & 4 != 0 { settings.timerC = 40_000 }
        if options & 8 != 0 { settings.maxForks = 2 }
        server = SIPServer(
            settings: settings, registrar: registrar, authenticator: authenticator, location: location,
            domains: domains, now: now)
        effects = Effects(
            log: LogBuffer(level: .debug), key: HashKey(7, 8), admission: admission, lines: SharedLines())
        for login in Scene.logins { setClient(login, password: 0) }
        let bare = request("REGISTER", of: devices[0], to: "sip:example.com")
        deliver(bare.bytes, from: bare.device.flow)
        for place in 0..<8 where registered >> UInt8(place) & 1 != 0 { register(devices[place], credentials: 1) }
    }

    func setClient(_ login: String, password: Int, isEnabled: Bool = true, hasApplication: Bool = false) {
        guard let place = Scene.logins.firstIndex(of: login), let digests = Scene.digests[login] else { return }
        passwords[login] = password
        _ = login.withSlice {
            location.replaceClient(
                id: Int64(place + 1), sid: "CL00", login: $0, password: digests[password], isEnabled: isEnabled,
                hasApplication: hasApplication)
        }
        watcher.clientsChanged()
    }

    static func digest(of login: String, _ password: Int) -> PasswordDigest { digests[login]?[password] ?? .none }

    // MARK: What the server is told

    /// Hands the server a message.
    func deliver(_ bytes: [UInt8], from flow: Flow, isChanged: Bool = false) {
        if limitsPackets, !admission.admits(flow.remote.address, at: now.instant) {
            watcher.note(.event("a message is not admitted"))
            return
        }
        watcher.note(.received(bytes, flow))
        bytes.withSlice { slice in
            var parsed = SIPMessage()
            let fault = parsed.parse(slice, isStream: flow.transport.isReliable)
            watcher.begin(parsed, fault, from: flow, isChanged: isChanged, now: now)
            server.receive(slice, into: &message, from: flow, now: now, effects: &effects)
        }
        deliveries.append((bytes, flow))
        take()
        watcher.end()
    }

    /// Lets another event happen, and looks at what comes of it.
    func happen(_ text: String, _ event: () -> Void) {
        watcher.note(.event(text))
        event()
        take()
        watcher.end()
    }

    /// Lets time pass in steps.
    func wait(milliseconds: UInt64, step: UInt64) {
        var left = milliseconds
        while left > 0 {
            let part = min(left, step)
            left -= part
            now.instant = now.instant.advanced(byMilliseconds: part)
            now.unix.milliseconds += Int64(part)
            tick()
        }
        happen("\(milliseconds) ms later") {}
    }

    /// What the daemon does at each tick.
    private func tick() {
        server.tick(now: now, effects: &effects)
        effects.logSuppressions(now: now)
        _ = server.keepAlive(now: now, effects: &effects)
        guard now.instant >= nextSweep else { return }
        nextSweep = now.instant.advanced(byMilliseconds: 1000)
        _ = admission.sweep(at: now)
        _ = location.removeExpired(
            now: now.unix, limit: 100, oldestNonce: authenticator.oldestNonce(now: now.unix))
    }

    /// Lets all timers run out; then nothing may be left.
    func finish() {
        var waited = 0
        while server.tableSizes != (0, 0, 0), waited < 600 {
            wait(milliseconds: 2_000, step: 500)
            waited += 1
        }
        let sizes = server.tableSizes
        watcher.require(sizes == (0, 0, 0), "after 20 minutes there are still \(sizes)")
        watcher.requireWholeRecords()
        let statistics = location.statistics
        watcher.require(statistics.bindings <= 3 * 10, "there are \(statistics.bindings) bindings")
        var known = admission.statistics
        watcher.require(
            known.clients <= Scene.logins.count + statistics.bindings, "\(known.clients) clients are known by sources")
        watcher.require(known.sources <= known.clients, "\(known.sources) sources of \(known.clients) clients")
        for login in Scene.logins { login.withSlice { _ = location.removeClient($0) } }
        known = admission.statistics
        watcher.require(known.clients == 0 && known.sources == 0, "\(known) of clients that were removed")
    }

    private func take() {
        let sent = effects.outbox.messages.map {
            Sent(
                flow: $0.flow, bytes: effects.outbox.bytes.slice($0.start..<$0.start + $0.length).bytes,
                origin: $0.origin)
        }
        effects.outbox.removeAll()
        effects.registrations.removeAll()
        effects.provenConnections.removeAll()
        if effects.resolutions.count > waitingNames { watcher.waits() }
        waitingNames = effects.resolutions.count
        watcher.records += effects.records
        effects.records.removeAll()
        watcher.watch(log: effects.log.bytes)
        effects.log.removeAll()
        for sent in sent {
            watcher.watch(sent, now: now)
            keep(sent)
        }
        trim()
    }

    private func keep(_ sent: Sent) {
        sent.bytes.withSlice { bytes in
            var parsed = SIPMessage()
            _ = parsed.parse(bytes)
            if parsed.isRequest {
                if parsed.method != .ack, parsed.method != .cancel { forwarded.append(sent) }
                return
            }
            responses.append(sent)
            for header: HeaderName in [.wwwAuthenticate, .proxyAuthenticate] {
                if let value = parsed.value(of: header), let challenge = DigestChallengeHeader(value),
                    challenge.realm == "example.com"
                {
                    nonce = challenge.nonce.string
                    nonceCounts = [:]
                }
            }
            if parsed.method == .invite, (200..<300).contains(parsed.status) {
                let callID = parsed.callID.string
                if let invite = requests.last(where: { $0.callID == callID && $0.method == "INVITE" }) {
                    dialogs.append((sent, invite))
                }
            }
        }
    }

    private func trim() {
        if forwarded.count > 40 { forwarded.removeFirst(10) }
        if responses.count > 60 { responses.removeFirst(20) }
        if effects.resolutions.count > 40 { effects.resolutions.removeFirst(20) }
        waitingNames = min(waitingNames, effects.resolutions.count)
    }
}
