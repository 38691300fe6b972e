import Observability
import Primitives
import SIPAuthentication
import SIPRegistrar
import Testing

@testable import SIPProxy

@Suite("The last refused attempt of a client")
struct FailureTests {
    let network = TestNetwork(.alice, .bob)

    private func failure(_ login: String, _ network: TestNetwork? = nil) -> AttemptFailure? {
        login.withSlice { (network ?? self.network).location.withClient($0) { $0.lastFailure } } ?? nil
    }

    /// A REGISTER of alice with these headers in addition, signed.
    private func register(
        login: String? = nil, password: String = "secret", to: String = "sip:alice@example.com",
        uri: String = "sip:example.com", headers: [String] = [], _ change: (inout Request) -> Void = { _ in }
    ) -> Request {
        var request = Device.alice.request("REGISTER", to: uri)
        request.toURI = to
        request.headers = headers
        change(&request)
        return request.signed(
            nonce: network.nonce(), login: login, password: password, header: "Authorization")
    }

    @Test("It tells when, from where, with what program, and why")
    func whole() {
        let agent = "User-Agent: " + String(repeating: "phone ", count: 20)
        network.wait(milliseconds: 5000)
        network.send(register(password: "guess", headers: [agent]))
        let failure = failure("alice")
        #expect(failure?.reason == .wrongPassword)
        #expect(failure?.time == network.now.unix)
        #expect(failure?.source == Device.alice.flow)
        #expect(failure?.userAgent == Array(String(repeating: "phone ", count: 20).utf8.prefix(64)))
        #expect(failure?.method == Array("REGISTER".utf8))
        #expect(self.failure("bob") == nil)
    }

    @Test("A first challenge, a stale nonce and a success leave nothing")
    func unremarkable() {
        network.send(register().with { $0.headers = [] })
        network.send(Device.alice.request("INVITE", to: "bob"))
        network.send(register())
        let old = network.signed(Device.alice.request("MESSAGE", to: "bob"))
        network.wait(milliseconds: 301_000, step: 1000)
        network.send(old)
        #expect(failure("alice") == nil)
    }

    @Test("Credentials that are sent again are one")
    func replay() {
        let nonce = network.nonce()
        let first = Device.alice.request("MESSAGE", to: "bob").signed(nonce: nonce)
        network.answer(network.send(first).first, 200)
        network.send(first.with { $0.branch = "z9hG4bKother" })
        #expect(failure("alice")?.reason == .nonceReplayed)
        #expect(failure("alice")?.method == Array("MESSAGE".utf8))
    }

    @Test("Disabled, too often")
    func credentials() {
        "alice".withSlice { _ = network.location.setEnabled(false, $0) }
        network.send(register())
        #expect(failure("alice")?.reason == .clientDisabled)
        "alice".withSlice { _ = network.location.setEnabled(true, $0) }
        // The sixth is refused for their number, which says less than what they were.
        for _ in 0..<6 { network.send(register(password: "guess")) }
        #expect(failure("alice")?.reason == .wrongPassword)
    }

    @Test("What does not show that its sender has credentials of the client says nothing of it")
    func strangers() {
        network.send(register(login: "alise"))
        network.send(
            register().with { $0.headers = [$0.headers[0].replacing("realm=\"example.com\"", with: "realm=\"x\"")] })
        let zeros = String(repeating: "0", count: 64)
        network.send(
            register().with {
                $0.headers = [
                    "Authorization: Digest username=\"alice\", realm=\"example.com\", nonce=\"\(network.nonce())\","
                        + " uri=\"sip:example.com\", algorithm=SHA-256, response=\"\(zeros)\""
                ]
            })
        network.send(Device.alice.request("INVITE", to: "bob").signed(nonce: "invented"))
        network.send(Device.alice.request("INVITE", to: "bob").with { $0.maxForwards = "many" })
        network.send(register(uri: "sip:elsewhere.example"))
        network.send(Device.alice.request("INVITE", to: "bob").with { $0.headers = ["Proxy-Require: x"] })
        #expect(failure("alice") == nil)
    }

    @Test("What a registrar refuses to a client: a foreign domain, another's address, too brief, too many")
    func registrations() {
        network.send(register(to: "sip:alice@elsewhere.example"))
        #expect(failure("alice")?.reason == .registerForeignDomain)
        network.send(register(to: "sip:bob@example.com"))
        #expect(failure("alice")?.reason == .toIsNotLogin)
        #expect(failure("bob") == nil)
        network.send(register(headers: ["Expires: 5"]) { $0.sequence = 90 })
        #expect(failure("alice")?.reason == .intervalTooBrief)
        var policy = RegistrarPolicy()
        policy.whenFull = .refuse
        policy.maxBindings = 1
        let strict = TestNetwork(policy: policy)
        strict.register(.alice)
        let laptop = Device("alice", "198.51.100.11")
        let second = laptop.request("REGISTER", to: "sip:example.com").with { $0.toURI = "sip:alice@example.com" }
        strict.send(second.signed(nonce: strict.nonce(), header: "Authorization"))
        #expect(failure("alice", strict)?.reason == .tooManyBindings)
        #expect(failure("alice", strict)?.source == laptop.flow)
    }

    @Test("What a proxy refuses for the sender's sake: not registered, another's From, a route elsewhere")
    func requests() {
        let network = TestNetwork(.bob)
        network.sendSigned(Device.alice.request("INVITE", to: "bob"))
        #expect(failure("alice", network)?.reason == .callerNotRegistered)
        network.register(.alice)
        network.sendSigned(
            Device.alice.request("INVITE", to: "bob", branch: "z9hG4bK3").with {
                $0.headers = ["Route: <sip:elsewhere.example;lr>"]
            })
        #expect(failure("alice", network)?.reason == .routeElsewhere)
        network.send(
            Device.alice.request("MESSAGE", to: "bob", branch: "z9hG4bK4").with { $0.fromUser = "bob" }.signed(
                nonce: network.nonce(), login: "alice"))
        #expect(failure("alice", network)?.reason == .fromIsNotLogin)
    }

    @Test("Whom the client has dialled is no fault of its own")
    func callee() {
        network.sendSigned(Device.alice.request("INVITE", to: "nobody"))
        network.sendSigned(Device.alice.request("INVITE", to: "dave", branch: "z9hG4bK2"))
        network.send(Device.alice.request("CANCEL", to: "dave", branch: "z9hG4bK9"))
        #expect(failure("alice") == nil)
    }

    @Test("It stays when the client is changed, and goes with the client")
    func kept() {
        network.send(register(password: "guess"))
        network.add("alice", id: 1, hasApplication: true)
        #expect(failure("alice")?.reason == .wrongPassword)
        network.add("alice", id: 99)
        #expect(failure("alice") == nil)
    }

    @Test("A client without a failure has one word for it")
    func size() {
        #expect(MemoryLayout<AttemptFailure?>.size <= 8)
        #expect(MemoryLayout<ClientEntry>.stride <= 160, "\(MemoryLayout<ClientEntry>.stride)")
    }
}
