import Admission
import Observability
import Primitives
import SIPAuthentication
import SIPMessage
import Synchronization

@testable import SIPRegistrar

/// A registrar of example.com at 192.0.2.1 in virtual time, with the clients alice and bob.
final class Server: Sendable {
    struct Settings {
        var registrar = RegistrarPolicy()
        var authentication = AuthenticationPolicy.offeringBoth
        var admission = AdmissionPolicy()
    }

    struct Answer {
        var registration: Registration
        var text: String

        var status: UInt16 { registration.status }
        var outcome: Registration.Outcome { registration.outcome }
        var lines: [String] { text.split(separator: "\r\n").map(String.init) }

        /// The values of a header in the response.
        func values(_ name: String) -> [String] {
            lines.filter { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
        var contacts: [String] { values("Contact") }
    }

    static let secret = HashKey(1, 2)
    let domains: DomainTable
    let admission: Admission
    let locations: LocationService
    let authenticator: Authenticator
    let registrar: Registrar
    private let time = Mutex(UnixTime(seconds: 1_700_000_000))

    init(_ settings: Settings = Settings()) {
        domains = DomainTable(
            domain: "example.com", aliases: ["alias.example".utf8].map { [UInt8]($0) },
            sockets: [Server.socket("192.0.2.1", 5060), Server.socket("2001:db8::1", 5060)])
        admission = Admission(policy: settings.admission, key: HashKey(7, 8))
        locations = LocationService(key: HashKey(3, 4), admission: admission)
        authenticator = Authenticator(
            domains: domains, locations: locations, admission: admission, policy: settings.authentication,
            secret: Server.secret)
        registrar = Registrar(
            policy: settings.registrar, domains: domains, locations: locations, authenticator: authenticator,
            key: HashKey(5, 6))
        add("alice", id: 1)
        add("bob", id: 2)
    }

    convenience init(_ change: (inout Settings) -> Void) {
        var settings = Settings()
        change(&settings)
        self.init(settings)
    }

    var now: UnixTime { time.withLock { $0 } }

    func wait(milliseconds: Int64) { time.withLock { $0.milliseconds += milliseconds } }
    func wait(seconds: Int64) { wait(milliseconds: seconds * 1000) }

    func add(_ login: String, id: Int64, isEnabled: Bool = true) {
        login.withSlice {
            _ = locations.replaceClient(
                id: id, sid: "CL00", login: $0,
                password: PasswordDigest(login: $0, realm: "example.com", password: "secret"), isEnabled: isEnabled)
        }
    }

    static func socket(_ address: String, _ port: UInt16) -> SocketAddress {
        SocketAddress(address: address.withSlice { IPAddress($0) } ?? IPAddress(high: 0, low: 0), port: port)
    }

    static func flow(_ address: String = "198.51.100.7", port: UInt16 = 40000, connection: UInt64 = 0) -> Flow {
        Flow(
            transport: connection == 0 ? .udp : .tcp, listener: 0, remote: socket(address, port),
            connection: connection)
    }

    /// Hands a request to the registrar as it is.
    func send(_ text: String, from flow: Flow = Server.flow()) -> Answer {
        with(text) { message in
            var writer = ByteWriter(capacity: 2048)
            let registration = registrar.register(message, from: flow, now: now, into: &writer)
            return Answer(registration: registration, text: writer.slice.string)
        }
    }

    /// Judges the credentials of a request.
    func authenticate<Result>(
        _ text: String, _ kind: Authenticator.Kind = .proxy, _ body: (Authenticator.Outcome) -> Result
    ) -> Result {
        with(text) {
            body(authenticator.authenticate($0, kind, source: Server.flow().remote, now: now))
        }
    }

    private func with<Result>(_ text: String, _ body: (borrowing SIPMessage) -> Result) -> Result {
        text.withSlice { bytes in
            var message = SIPMessage()
            let fault = message.parse(bytes)
            precondition(fault == nil, "the test's own message is faulty: \(String(describing: fault))\n\(text)")
            return body(message)
        }
    }

    /// Sends a request, answers the challenge, and gives the second answer.
    func register(_ phone: Phone, from flow: Flow = Server.flow()) -> Answer {
        send(phone.signed(nonce: nonce(for: flow)), from: flow)
    }

    /// A nonce of this server, as in a challenge of now to whoever is at the end of a flow.
    func nonce(for flow: Flow = Server.flow()) -> String {
        let challenge = send(Phone().request, from: flow)
        let line = challenge.values("WWW-Authenticate").first ?? ""
        let start = line.range(of: "nonce=\"")
        return start.map { String(line[$0...].prefix { $0 != "\"" }) } ?? ""
    }

    /// The texts of the contacts of a user, in order of preference.
    func targets(_ user: String = "alice") -> [String] {
        var targets: [Target] = []
        user.withSlice { _ = locations.appendTargets(of: $0, now: now, to: &targets) }
        return targets.map { String(decoding: $0.binding.contact, as: UTF8.self) }
    }
}

extension String {
    /// The index behind the first `text`.
    fileprivate func range(of text: String) -> Index? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}

extension AuthenticationPolicy {
    /// The default rules, but for the two algorithms that most tests need.
    fileprivate static var offeringBoth: AuthenticationPolicy {
        var policy = AuthenticationPolicy()
        policy.algorithms = [.md5, .sha256]
        return policy
    }
}
