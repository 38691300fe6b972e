import Admission
import Primitives
import Testing

@testable import SIPRegistrar

@Suite("A client is counted where it authenticated last and where its devices are") struct LocationServiceSourcesTests {
    let server = Server()
    let office = Server.flow()
    let mobile = Server.flow("203.0.113.5")
    let hotel = Server.flow("203.0.113.9")
    let desk = Phone()
    let handset = Phone().with {
        $0.callID = "mobile"
        $0.contacts = ["<sip:alice@10.9.9.9>"]
    }

    private func counts() -> [Int] {
        [office, mobile, hotel].map { server.admission.clients(of: $0.remote.address) }
    }

    @discardableResult
    private func register(_ phone: Phone, from flow: Flow) -> Server.Answer {
        let answer = server.register(phone, from: flow)
        #expect(answer.status == 200)
        return answer
    }

    private func expectNobody() {
        #expect(counts() == [0, 0, 0])
        #expect(server.admission.statistics.sources == 0)
        #expect(server.admission.statistics.clients == 0)
    }

    @Test func `An office stays known while a phone is registered there, wherever else its login registers`() {
        register(desk, from: office)
        register(handset, from: mobile)
        #expect(counts() == [1, 1, 0])
        for number in 0..<100 {
            _ = server.register(
                desk.with {
                    $0.login = "guess\(number)"
                    $0.password = "wrong"
                }, from: office)
        }
        #expect(!server.admission.isBanned(office.remote.address))
        #expect(server.admission.isKnown(office.remote.address))
        #expect(register(desk.next, from: office).status == 200)
        #expect(counts() == [1, 1, 0])
    }

    @Test func `Two devices at one source count once`() {
        register(desk, from: office)
        register(handset, from: Server.flow(port: 40001))
        #expect(counts() == [1, 0, 0])
        #expect(server.admission.statistics.clients == 1)
        register(handset.next.with { $0.expires = "0" }, from: Server.flow(port: 40001))
        #expect(counts() == [1, 0, 0])
    }

    @Test func `A binding that ends, moves, is removed or taken back is counted no longer`() throws {
        register(desk, from: office)
        register(handset.with { $0.expires = "3000" }, from: mobile)
        server.wait(seconds: 601)
        _ = server.locations.removeExpired(now: server.now, limit: 1000)
        #expect(counts() == [0, 1, 0], "the desk phone's registration is over")

        register(desk.next, from: office)
        #expect(counts() == [1, 1, 0])
        register(handset.next, from: hotel)
        #expect(counts() == [1, 0, 1], "it has moved")

        let flow = office
        let keys = "alice".withSlice { login in
            server.locations.withClient(login) { $0.bindings.filter { $0.flow == flow }.map(\.key) }
        }
        let key = try #require(keys?.first)
        let removed = try #require("alice".withSlice { server.locations.removeBinding(key, of: $0) })
        #expect(removed.binding.flow == office)
        #expect(counts() == [0, 0, 1])

        let failed = register(desk.next.next, from: office)
        register(handset.next.next, from: hotel)
        #expect(counts() == [1, 0, 1])
        _ = server.locations.undo(try #require(failed.registration.undo), now: server.now)
        #expect(counts() == [0, 0, 1])

        let removal = register(handset.next.next.next.with { $0.expires = "0" }, from: hotel)
        #expect(counts() == [0, 0, 1], "its last authentication still counts")
        _ = server.locations.undo(try #require(removal.registration.undo), now: server.now)
        "alice".withSlice { _ = server.locations.removeClient($0) }
        expectNobody()
    }

    @Test func `A connection that is closed takes its device's count along`() {
        let stream = Server.flow(connection: 9)
        register(desk, from: stream)
        register(handset, from: mobile)
        _ = server.locations.connectionClosed(
            9, reconnectTime: 5000, now: Now(instant: Instant(milliseconds: 1000), unix: server.now))
        #expect(counts() == [1, 1, 0])
        #expect(server.locations.removeAbandoned(now: Instant(milliseconds: 6001)).count == 1)
        #expect(counts() == [0, 1, 0])
    }

    @Test func `Bindings of before a restart count, each at its place`() {
        register(desk, from: office)
        server.wait(seconds: 1)
        register(handset, from: mobile)
        let bindings = "alice".withSlice { server.locations.withClient($0) { $0.bindings } } ?? []
        let restarted = Server()
        for binding in bindings { #expect("alice".withSlice { restarted.locations.restore(binding, of: $0) }) }
        #expect([office, mobile].map { restarted.admission.clients(of: $0.remote.address) } == [1, 1])
        "alice".withSlice { _ = restarted.locations.setEnabled(false, $0) }
        #expect(restarted.admission.statistics.sources == 0)
    }

    @Test func `A client that is replaced keeps its counts, another one with its login has none`() {
        register(desk, from: office)
        register(handset, from: mobile)
        server.add("alice", id: 1)
        #expect(counts() == [1, 1, 0])
        server.add("alice", id: 77)
        expectNobody()
    }

    @Test func `However devices come and go, nothing is left in the end`() {
        let flows = [office, mobile, hotel]
        var random = UInt64(7)
        func draw(_ limit: UInt64) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((random >> 33) % limit)
        }
        for step in 1...600 {
            let login = ["alice", "bob"][draw(2)]
            let answer = server.register(
                Phone().with {
                    $0.login = login
                    $0.callID = "call-\(draw(4))"
                    $0.cseq = step
                    $0.contacts = ["<sip:\(login)@10.0.0.\(draw(4))>"]
                    $0.expires = ["0", "60", "600"][draw(3)]
                }, from: flows[draw(3)])
            if draw(5) == 0, let undo = answer.registration.undo { _ = server.locations.undo(undo, now: server.now) }
            server.wait(seconds: Int64(draw(40)))
            if draw(4) == 0 { _ = server.locations.removeExpired(now: server.now, limit: 1000) }
            let expected = flows.map { flow in
                ["alice", "bob"].count { login in
                    login.withSlice { server.locations.withClient($0) { $0.isKnown(by: Source(flow.remote.address)) } }
                        ?? false
                }
            }
            #expect(counts() == expected)
        }
        server.wait(seconds: 1000)
        #expect(server.locations.removeExpired(now: server.now, limit: 1000).isEmpty == false)
        for login in ["alice", "bob"] { login.withSlice { _ = server.locations.removeClient($0) } }
        expectNobody()
    }
}
