import Admission
import CallControl
import NameResolution
import Observability
import Primitives
import SIPAuthentication
import SIPMessage
import SIPRegistrar
import Testing

@testable import SIPProxy

/// A server of example.com with devices around it, in virtual time.
///
/// Listeners: 0 is UDP 192.0.2.1:5060, 1 is UDP 192.0.2.1:5080, 2 is TCP 192.0.2.1:5060, 3 is UDP [2001:db8::1]:5060.
final class TestNetwork {
    let server: SIPServer
    let location: LocationService
    /// The applications of clients and numbers: none at first.
    let directory = ApplicationDirectory()
    var effects: Effects
    private(set) var now = Now(
        instant: Instant(milliseconds: 1_000_000), unix: UnixTime(seconds: 1_700_000_000))
    private var message = SIPMessage()
    private var requests = 0
    var flows = 0

    static let routeKey = HashKey(11, 12)

    static let listeners = [
        Listener(transport: .udp, address: Device.socket("192.0.2.1", 5060)),
        Listener(transport: .udp, address: Device.socket("192.0.2.1", 5080)),
        Listener(transport: .tcp, address: Device.socket("192.0.2.1", 5060)),
        Listener(transport: .udp, address: Device.socket("2001:db8::1", 5060)),
    ]

    /// A server with the clients alice, bob and carol.
    init(policy: RegistrarPolicy = RegistrarPolicy(), _ change: (inout ServerSettings) -> Void = { _ in }) {
        let domains = DomainTable(
            domain: "example.com", sockets: TestNetwork.listeners.map(\.address))
        let admission = Admission(policy: AdmissionPolicy(), key: HashKey(13, 14))
        location = LocationService(key: HashKey(3, 4), admission: admission)
        let authenticator = Authenticator(
            domains: domains, locations: location, admission: admission, policy: AuthenticationPolicy(),
            secret: HashKey(1, 2))
        let registrar = Registrar(
            policy: policy, domains: domains, locations: location, authenticator: authenticator,
            key: HashKey(5, 6))
        var settings = ServerSettings(
            listeners: TestNetwork.listeners, runKey: HashKey(9, 10), routeKey: TestNetwork.routeKey)
        settings.awaitsStore = false
        change(&settings)
        server = SIPServer(
            settings: settings, registrar: registrar, authenticator: authenticator, location: location,
            domains: domains, applications: directory, now: now)
        effects = Effects(
            log: LogBuffer(level: .debug), key: HashKey(7, 8), admission: admission,
            lines: SharedLines())
        for (id, login) in ["alice", "bob", "carol", "dave"].enumerated() { add(login, id: Int64(id + 1)) }
    }

    /// A server with the given devices registered.
    convenience init(_ devices: Device..., change: (inout ServerSettings) -> Void = { _ in }) {
        self.init(change)
        for device in devices { register(device) }
    }

    func add(_ login: String, id: Int64, hasApplication: Bool = false, accountID: Int64 = 0) {
        login.withSlice {
            _ = location.replaceClient(
                id: id, sid: "CL00", login: $0,
                password: PasswordDigest(login: $0, realm: "example.com", password: "secret"), isEnabled: true,
                hasApplication: hasApplication, accountID: accountID)
        }
    }

    // MARK: Events

    /// Hands the server a message; gives what it wants sent.
    @discardableResult
    func send(_ text: String, from flow: Flow) -> [Sent] { send(Array(text.utf8), from: flow) }

    /// Hands the server bytes; gives what it wants sent.
    func send(_ bytes: [UInt8], from flow: Flow) -> [Sent] {
        bytes.withSlice { server.receive($0, into: &message, from: flow, now: now, effects: &effects) }
        return takeSent()
    }

    /// Sends a request of a device as it is.
    @discardableResult
    func send(_ request: Request) -> [Sent] { send(request.text, from: request.device.flow) }

    /// Sends a request of a device with credentials.
    @discardableResult
    func sendSigned(_ request: Request) -> [Sent] { send(signed(request)) }

    /// The request with credentials for a fresh nonce.
    func signed(_ request: Request, password: String = "secret") -> Request {
        request.signed(nonce: nonce(), password: password)
    }

    /// A nonce of now, as in a challenge.
    func nonce() -> String {
        let bare = Device.alice.request("MESSAGE", to: "bob", branch: "z9hG4bKnonce").with { $0.callID = "nonce" }
        let challenge = send(bare).first?["Proxy-Authenticate"] ?? ""
        return challenge.split(separator: "\"").dropFirst(3).first.map(String.init) ?? ""
    }

    /// Registers a device; gives the answer.
    @discardableResult
    func register(_ device: Device, contact: String? = nil, q: String? = nil, headers: [String] = []) -> [Sent] {
        requests += 1
        var request = device.request("REGISTER", to: "sip:example.com", branch: "z9hG4bKreg\(requests)")
        request.toURI = "sip:\(device.user)@example.com"
        request.callID = "register-\(device.host)"
        request.sequence = requests
        request.headers = headers
        let text = request.signed(nonce: nonce(), header: "Authorization").text
        let line = "Contact: <\(contact ?? device.contact)>"
        let parts = text.split(
            separator: "Contact: <\(device.contact)>", maxSplits: 1, omittingEmptySubsequences: false)
        let full = parts.joined(separator: line + (q.map { ";q=\($0)" } ?? ""))
        let sent = send(full, from: device.flow)
        #expect(sent.last?.status == 200, "\(sent.map(\.text))")
        return sent
    }

    /// Lets time pass in small steps; gives what is sent meanwhile.
    @discardableResult
    func wait(milliseconds: UInt64, step: UInt64 = 50) -> [Sent] {
        var sent: [Sent] = []
        var left = milliseconds
        while left > 0 {
            let part = min(left, step)
            left -= part
            now.instant = now.instant.advanced(byMilliseconds: part)
            now.unix.milliseconds += Int64(part)
            server.tick(now: now, effects: &effects)
            sent += takeSent()
        }
        return sent
    }

    /// Lets the server send a text; gives what it says to that, and what it wants sent.
    func sendMessage(
        from: String = "alice", to: String = "bob", _ text: String = "hello", number: RecordNumber = RecordNumber(77)
    ) -> (reason: Reason?, sent: [Sent]) {
        let message = OutgoingMessage(
            from: Array(from.utf8), to: Array(to.utf8), body: Array(text.utf8), number: number)
        let reason = server.sendMessage(message, now: now, effects: &effects)
        return (reason, takeSent())
    }

    /// Tells the server that a message could not be sent.
    @discardableResult
    func fail(_ message: Sent?) -> [Sent] {
        server.sendFailed(origin: message?.origin ?? 0, now: now, effects: &effects)
        return takeSent()
    }

    /// Tells the server the addresses of a name, at the port that was asked for and over UDP.
    func resolved(_ resolution: Resolution, _ addresses: [IPAddress]) -> [Sent] {
        let candidates = addresses.map {
            Candidate(
                remote: SocketAddress(address: $0, port: resolution.query.port ?? 5060),
                transport: resolution.query.transport ?? .udp)
        }
        return resolved(resolution, candidates.isEmpty ? .failure(.noAddress) : .candidates(candidates))
    }

    /// Tells the server what a name leads to.
    func resolved(_ resolution: Resolution, _ answer: TargetAnswer) -> [Sent] {
        server.resolved(resolution, answer, now: now, effects: &effects)
        return takeSent()
    }

    /// Tells the server that a datagram came back.
    @discardableResult
    func bounce(_ datagram: Sent?, length: Int = 500) -> [Sent] {
        (datagram?.bytes ?? []).withSlice {
            server.unreachable($0.prefix(length), into: &message, now: now, effects: &effects)
        }
        return takeSent()
    }

    /// Answers a forwarded request from where it was sent to.
    @discardableResult
    func answer(
        _ request: Sent?, _ status: Int, tag: String? = "to1", headers: [String] = [], body: String = ""
    ) -> [Sent] {
        guard let request else { return [] }
        return send(response(to: request, status, tag: tag, headers: headers, body: body), from: request.flow)
    }

    /// A response as a user agent server writes it (8.2.6).
    func response(
        to request: Sent, _ status: Int, tag: String? = "to1", headers: [String] = [], body: String = ""
    ) -> String {
        var lines = ["SIP/2.0 \(status) Whatever"]
        lines += request.values("Via").map { "Via: \($0)" }
        lines += request.values("Record-Route").map { "Record-Route: \($0)" }
        let to = request["To"]
        lines += [
            "From: \(request["From"])",
            "To: \(to)\(to.contains(";tag=") || tag == nil ? "" : ";tag=\(tag ?? "")")",
            "Call-ID: \(request["Call-ID"])", "CSeq: \(request["CSeq"])",
        ]
        lines += headers
        lines.append("Content-Length: \(body.utf8.count)")
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    func takeSent() -> [Sent] {
        let sent = effects.outbox.messages.map {
            Sent(
                flow: $0.flow, bytes: effects.outbox.bytes.slice($0.start..<$0.start + $0.length).bytes,
                origin: $0.origin)
        }
        effects.outbox.removeAll()
        return sent
    }

    /// The log since the last call.
    func takeLog() -> String {
        let text = effects.log.bytes.string
        effects.log.removeAll()
        return text
    }

    /// The changes of records since the last call.
    func takeRecords() -> [RecordChange] {
        defer { effects.records.removeAll() }
        return effects.records
    }

    // MARK: Invariants

    var isIdle: Bool { server.tableSizes == (0, 0, 0) }

    /// Expects that nothing is kept about a request that was answered without state (8.2.7).
    func expectStateless(_ location: SourceLocation = #_sourceLocation) {
        #expect(isIdle, "\(server.tableSizes)", sourceLocation: location)
    }

    /// Lets all timers run out, then expects that no transaction, context or timer is left.
    func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) {
        wait(milliseconds: 300_000, step: 1000)
        #expect(isIdle, "\(server.tableSizes)", sourceLocation: location)
    }
}
