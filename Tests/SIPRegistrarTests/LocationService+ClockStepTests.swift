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

    @Test(arguments: [day, -day])
    func `What is known of a device moves with its binding`(difference: Int64) {
        let server = Server()
        #expect(server.register(Phone()).status == 200)
        server.wait(seconds: 100)
        let expected = server.now
        server.wait(milliseconds: difference)
        server.locations.move(by: ClockStep(expected: expected, actual: server.now, window: 150))
        let heard = "alice".withSlice { server.locations.withClient($0) { $0.bindings.first?.liveness.lastHeard } }
        #expect(heard == UnixTime(milliseconds: server.now.milliseconds - 100_000))
    }

    @Test(arguments: [day, -day, 60_000, -60_000])
    func `A ping is due when it would have been`(difference: Int64) {
        let start = UnixTime(seconds: 1_700_000_000)
        func time(_ milliseconds: Int64) -> UnixTime { UnixTime(milliseconds: start.milliseconds + milliseconds) }
        var liveness = Liveness(since: start)
        _ = liveness.ping(at: time(100_000), limit: 3, expectsAnswer: true)
        let step = ClockStep(expected: time(101_000), actual: time(101_000 + difference), window: 150)
        liveness.move(by: step)
        func isDue(_ milliseconds: Int64) -> Bool {
            liveness.isDue(0, interval: 25_000, step: 1_000, now: time(difference + milliseconds))
        }
        #expect(!isDue(101_000) && !isDue(123_000))
        #expect(isDue(124_100))
        // One that was sent since the step stays where it is.
        _ = liveness.ping(at: time(difference + 100_950), limit: 3, expectsAnswer: true)
        liveness.move(by: step)
        #expect(!isDue(101_000) && isDue(125_100))
    }
}
