import Primitives
import Testing

@testable import SIPRegistrar

@Suite("When the clock is set, a registration keeps the time that it has left") struct LocationServiceClockStepTests {
    private static let day: Int64 = 86_400_000

    private func contacts(_ server: Server, _ phone: Phone) -> [String] {
        server.register(phone.with { $0.contacts = [] }).contacts
    }

    @Test(arguments: [day, -day, 60_000, -60_000])
    func `Bindings, nonces and order go on as if nothing had been`(difference: Int64) {
        let server = Server()
        let phone = Phone()
        #expect(server.register(phone).status == 200)
        server.wait(seconds: 100)
        let nonce = server.nonce()
        let expected = server.now
        server.wait(milliseconds: difference)
        server.locations.move(by: ClockStep(expected: expected, actual: server.now, window: 150))
        #expect(contacts(server, phone.next) == ["<sip:alice@10.0.0.5:5062>;expires=500"])
        // What is registered since is not touched by it, nor by the sweep.
        #expect(server.register(phone.next.next.with { $0.contacts = ["<sip:alice@10.0.0.6>"] }).status == 200)
        #expect(server.locations.removeExpired(now: server.now, limit: 1000).isEmpty)
        // A nonce of before is good, or stale; never a reason to refuse.
        let answer = server.send(phone.with { $0.cseq = 9 }.signed(nonce: nonce))
        #expect(answer.status == 200 || answer.values("WWW-Authenticate").allSatisfy { $0.contains("stale=true") })
        server.wait(seconds: 501)
        #expect(contacts(server, phone.with { $0.cseq = 20 }).count == (answer.status == 200 ? 2 : 1))
    }

    @Test func `A binding that was made since the step stays what it is`() {
        let server = Server()
        let phone = Phone()
        let expected = server.now
        server.wait(milliseconds: -Self.day)
        #expect(server.register(phone).status == 200)
        server.locations.move(by: ClockStep(expected: expected, actual: server.now, window: 150))
        #expect(contacts(server, phone.next) == ["<sip:alice@10.0.0.5:5062>;expires=600"])
    }
}
