import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

@Suite("REGISTER at the server (RFC 3261 10.3 and 8.2.7)")
struct ServerRegistrationTests {
    private func register(_ network: TestNetwork) -> Request {
        Device.alice.request("REGISTER", to: "sip:example.com").with { $0.toURI = "sip:alice@example.com" }
            .signed(nonce: network.nonce(), header: "Authorization")
    }

    @Test("A REGISTER is challenged with 401 and leaves no state")
    func challenge() {
        let network = TestNetwork()
        let answer = network.send(
            Device.alice.request("REGISTER", to: "sip:example.com").with { $0.toURI = "sip:alice@example.com" })
        #expect(answer.summaries == ["401 REGISTER"])
        #expect(network.effects.registrations.isEmpty)
        network.expectStateless()
    }

    @Test("The 200 that promises a binding is held back until the binding is stored")
    func heldBack() {
        let network = TestNetwork { $0.awaitsStore = true }
        #expect(network.send(register(network)).isEmpty)
        #expect(network.effects.registrations.count == 1)
        guard let answer = network.effects.registrations.first else { return }
        #expect(answer.changes.count == 1)
        #expect(answer.flow == Device.alice.flow)
        #expect(String(decoding: answer.response, as: UTF8.self).hasPrefix("SIP/2.0 200 OK\r\n"))
        network.expectStateless()
    }

    @Test("A REGISTER that changes nothing is answered at once")
    func query() {
        let network = TestNetwork { $0.awaitsStore = true }
        let query = Device.alice.request("REGISTER", to: "sip:example.com").with { $0.toURI = "sip:alice@example.com" }
        let text = query.signed(nonce: network.nonce(), header: "Authorization").text
        let withoutContact = text.split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("Contact") }.joined(separator: "\r\n")
        #expect(network.send(withoutContact, from: Device.alice.flow).summaries == ["200 REGISTER"])
        #expect(network.effects.registrations.isEmpty)
    }

    @Test("Without waiting for the store the answer leaves at once, and the change is still told")
    func immediate() {
        let network = TestNetwork()
        #expect(network.send(register(network)).summaries == ["200 REGISTER"])
        #expect(network.effects.registrations.count == 1)
        #expect(network.effects.registrations.first?.response == [])
        network.expectStateless()
    }

    @Test("What could not be stored is answered 503 instead, with the reason")
    func storeFailure() {
        let network = TestNetwork { $0.awaitsStore = true }
        network.send(register(network))
        guard let answer = network.effects.registrations.first else { return }
        var writer = ByteWriter(capacity: 1024)
        answer.response.withSlice { network.server.writeStoreFailure(insteadOf: $0, into: &writer) }
        let ok = Sent(flow: answer.flow, bytes: answer.response, origin: 0)
        let failure = Sent(flow: answer.flow, bytes: writer.slice.bytes, origin: 0)
        #expect(failure.summary == "503 REGISTER")
        #expect(failure["Warning"].contains("R-1208"))
        #expect(failure["Via"] == ok["Via"])
        #expect(failure["To"] == ok["To"])
        #expect(failure.values("Contact").isEmpty)
    }
}
