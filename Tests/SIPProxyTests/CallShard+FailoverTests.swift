import NameResolution
import Primitives
import Testing

@testable import SIPProxy

@Suite("Failover between the places that a name leads to (RFC 3263 section 4.3)")
struct FailoverTests {
    let network = TestNetwork(.alice)

    /// bob is reached by the name edge.example.
    init() { network.register(.bob, headers: ["Path: <sip:edge.example;lr>", "Supported: path"]) }

    static let first = Device.socket("203.0.113.1", 5070)
    static let second = Device.socket("203.0.113.2", 5070)
    static let third = Device.socket("203.0.113.3", 5070)

    /// Gives the name that is asked for these places.
    private func resolve(
        _ places: [SocketAddress] = [first, second, third], _ transport: TransportProtocol = .udp
    ) -> [Sent] {
        guard let resolution = network.effects.resolutions.popLast() else { return [] }
        return network.resolved(
            resolution, .candidates(places.map { Candidate(remote: $0, transport: transport) }))
    }

    private func places(_ sent: [Sent]) -> [SocketAddress] { sent.map(\.flow.remote) }

    @Test("The URI's port and transport, where it has them, are what the name is asked for with")
    func query() {
        _ = Call(network)
        let query = network.effects.resolutions.first?.query
        #expect(query == TargetQuery(host: Array("edge.example".utf8)))
        network.register(.bobsDesk, headers: ["Path: <sip:x.example:5070;transport=TCP;lr>", "Supported: path"])
        network.effects.resolutions = []
        _ = network.sendSigned(Device.alice.request("MESSAGE", to: "bob").with { $0.callID = "2" })
        let queries = Set(network.effects.resolutions.map(\.query))
        #expect(queries.contains(TargetQuery(host: Array("x.example".utf8), port: 5070, transport: .tcp)))
        network.expectNothingLeft()
    }

    @Test("A place that cannot be reached is followed by the next, in a branch of its own, and the caller sees nothing")
    func unreachable() {
        _ = Call(network)
        let one = resolve()
        #expect(places(one) == [Self.first])
        let two = network.fail(one.first)
        #expect(two.summaries == ["INVITE"])
        #expect(places(two) == [Self.second])
        #expect(two.first?["Via"] != one.first?["Via"])
        #expect(two.first?["Record-Route"] != one.first?["Record-Route"])
        #expect(two.first?["Route"] == one.first?["Route"])
        let three = network.bounce(two.first)
        #expect(places(three) == [Self.third])
        // What the places that were left say is nothing any more.
        #expect(network.fail(one.first).isEmpty)
        #expect(network.answer(one.first, 200).isEmpty)
        #expect(network.answer(three.first, 180).summaries == ["180 INVITE"])
        #expect(network.answer(three.first, 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }

    @Test("When the last place has failed, the branch has, and the next target is tried")
    func last() {
        network.register(.bobsDesk, q: "0.1")
        _ = Call(network)
        let one = resolve([Self.first, Self.second])
        let next = network.fail(network.fail(one.first).first)
        #expect(next.first?.flow == Device.bobsDesk.flow)
        #expect(network.answer(next.first, 486).summaries == ["ACK", "486 INVITE"])
        network.expectNothingLeft()
    }

    @Test("When no place is left and nobody else, the caller gets 500")
    func none() {
        _ = Call(network)
        let one = resolve([Self.first, Self.second])
        #expect(network.fail(network.fail(one.first).first).summaries == ["500 INVITE"])
        network.expectNothingLeft()
    }

    @Test("A silent place has ten times T1, all together have 64 times T1", arguments: ["INVITE", "MESSAGE"])
    func silence(method: String) {
        _ = network.sendSigned(Device.alice.request(method, to: "bob"))
        let many = (1...16).map { Device.socket("203.0.113.\($0)", 5070) }
        #expect(places(resolve(many)) == [many[0]])
        #expect(Set(places(network.wait(milliseconds: 4_900).requests(method))) == [many[0]])
        #expect(places(network.wait(milliseconds: 200).requests(method)).last == many[1])
        let rest = network.wait(milliseconds: 26_700)
        #expect(rest.responses(500).isEmpty && rest.responses(408).isEmpty)
        let end = network.wait(milliseconds: 300)
        // RFC 4320: a request other than INVITE gets no 408.
        #expect(end.responses(408).count == (method == "INVITE" ? 1 : 0))
        let tried = Set(places(rest.requests(method)))
        #expect(tried.contains(many[6]) && !tried.contains(many[7]))
        network.expectNothingLeft()
    }

    @Test("A single place has the full time of timer B")
    func single() {
        _ = Call(network)
        _ = resolve([Self.first])
        #expect(network.wait(milliseconds: 31_900).responses(408).isEmpty)
        #expect(network.wait(milliseconds: 200).responses(408).count == 1)
        network.expectNothingLeft()
    }

    @Test("503 leads to the next place, any other answer is the branch's")
    func serviceUnavailable() {
        _ = Call(network)
        let one = resolve()
        let two = network.answer(one.first, 503)
        #expect(two.summaries == ["ACK", "INVITE"])
        #expect(two.last?.flow.remote == Self.second)
        #expect(network.answer(two.last, 500).summaries == ["ACK", "500 INVITE"])
        // A repetition of the 503 is acknowledged, and that is all.
        #expect(network.answer(one.first, 503).summaries == ["ACK"])
        network.expectNothingLeft()
    }

    @Test("503 to a text leads to the next place; that of the last one is told as 500")
    func message() {
        _ = network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        let one = resolve([Self.first, Self.second])
        let two = network.answer(one.first, 503)
        #expect(two.summaries == ["MESSAGE"])
        #expect(network.answer(two.first, 503).summaries == ["500 MESSAGE"])
        network.expectNothingLeft()
    }

    @Test("A place that has answered at all is not left for being slow")
    func slow() {
        _ = Call(network)
        let one = resolve()
        network.answer(one.first, 100, tag: nil)
        #expect(network.wait(milliseconds: 60_000).requests("INVITE").isEmpty)
        #expect(network.answer(one.first, 200).summaries == ["200 INVITE"])
        let text = network.sendSigned(Device.alice.request("MESSAGE", to: "bob").with { $0.callID = "2" })
        #expect(text.isEmpty)
        let sent = resolve()
        network.wait(milliseconds: 4_000)
        network.answer(sent.first, 100, tag: nil)
        let rest = network.wait(milliseconds: 20_000)
        #expect(Set(places(rest.requests("MESSAGE"))) == [Self.first])
        #expect(network.answer(sent.first, 200).summaries == ["200 MESSAGE"])
        network.expectNothingLeft()
    }

    @Test("9.1: a call that was cancelled goes to no further place")
    func cancelled() {
        let call = Call(network)
        let one = resolve()
        let sent = network.send(call.invite.cancel)
        #expect(sent.summaries == ["200 CANCEL"])
        #expect(network.fail(one.first).summaries == ["487 INVITE"])
        #expect(network.wait(milliseconds: 40_000).requests("INVITE").isEmpty)
        network.expectNothingLeft()
    }

    @Test("When another device has answered, no further place is tried")
    func answeredElsewhere() {
        network.register(.bobsDesk)
        let call = Call(network)
        let one = resolve()
        #expect(network.answer(call.at(.bobsDesk), 200).summaries == ["200 INVITE"])
        #expect(network.fail(one.first).isEmpty)
        #expect(network.wait(milliseconds: 40_000).requests("INVITE").isEmpty)
        network.expectNothingLeft()
    }

    @Test("6xx of one device ends the trying of places for another")
    func declined() {
        network.register(.bobsDesk)
        let call = Call(network)
        let one = resolve()
        #expect(network.answer(call.at(.bobsDesk), 603).summaries == ["ACK"])
        #expect(network.fail(one.first).summaries == ["603 INVITE"])
        network.expectNothingLeft()
    }

    @Test("A place that has failed is tried last for half a minute, by whatever name, and first again once it answers")
    func remembered() {
        _ = Call(network)
        network.answer(network.fail(resolve([Self.first, Self.second]).first).first, 200)
        func text(_ number: Int, _ places: [SocketAddress]) -> Sent? {
            _ = network.sendSigned(
                Device.alice.request("MESSAGE", to: "bob", branch: "z9hG4bKm\(number)").with { $0.callID = "\(number)" }
            )
            return resolve(places).first
        }
        let second = text(2, [Self.first, Self.second])
        #expect(second?.flow.remote == Self.second)
        network.answer(second, 200)
        // With nothing else it is tried all the same; then it is good again.
        let only = text(3, [Self.first])
        #expect(only?.flow.remote == Self.first)
        network.answer(only, 200)
        let good = text(4, [Self.first, Self.second])
        #expect(good?.flow.remote == Self.first)
        network.answer(network.fail(good).first, 200)
        network.wait(milliseconds: 31_000)
        let later = text(5, [Self.first, Self.second])
        #expect(later?.flow.remote == Self.first)
        network.answer(later, 200)
        network.expectNothingLeft()
    }

    @Test("The failure of a name leaves another one alone")
    func otherName() {
        network.register(.bobsDesk, headers: ["Path: <sip:other.example;lr>", "Supported: path"])
        _ = Call(network)
        #expect(network.effects.resolutions.count == 2)
        let bad = network.effects.resolutions.removeFirst()
        #expect(network.resolved(bad, .failure(.noAddress)).isEmpty)
        #expect(resolve().summaries == ["INVITE"])
        network.expectNothingLeft()
    }

    @Test("Places that no listener reaches are left out; with none left it is as 503")
    func noListener() {
        _ = Call(network)
        let six = Device.socket("2001:db8::9", 5060)
        // There is a TCP listener for IPv4 only.
        #expect(resolve([six], .tcp).summaries == ["500 INVITE"])
        #expect(network.takeLog().contains("edge.example"))
        network.expectNothingLeft()
    }

    @Test("dns.error names the name, what went wrong and the server, and one caller cannot fill the log with it")
    func log() {
        let server = Device.socket("192.0.2.53", 53)
        for number in 0..<20 {
            _ = network.sendSigned(
                Device.alice.request("MESSAGE", to: "bob", branch: "z9hG4bKm\(number)").with { $0.callID = "\(number)" }
            )
            guard let resolution = network.effects.resolutions.popLast() else { continue }
            _ = network.resolved(
                resolution, .failure(.servers(LookupFailure(server: server, cause: .timeout))))
        }
        let lines = network.takeLog().split(separator: "\n").filter { $0.contains("dns.error") }
        #expect(lines.count == 5)
        #expect(lines.first?.contains("name=edge.example") == true)
        #expect(lines.first?.contains("what=\"the DNS server does not answer\" server=udp:192.0.2.53:53") == true)
        #expect(lines.first?.contains("R-1311") == true)
        network.expectNothingLeft()
    }
}

@Suite struct UnreachablePlacesTests {
    private func place(_ number: UInt32) -> Candidate {
        Candidate(remote: SocketAddress(address: IPAddress(ipv4: number), port: 5060), transport: .udp)
    }

    @Test("The table is bounded: what failed longest ago is forgotten")
    func bound() {
        let places = UnreachablePlaces()
        for number in 0..<3000 { places.insert(place(UInt32(number)), now: Instant(milliseconds: UInt64(number))) }
        let now = Instant(milliseconds: 3000)
        #expect(places.ordered([place(2999), place(9999)], now: now).first == place(9999))
        #expect(places.ordered([place(0), place(9999)], now: now).first == place(0))
        #expect(places.ordered([place(2999), place(9999)], now: Instant(milliseconds: 40_000)).first == place(2999))
    }

    @Test("The transport is a part of the place: TCP that is refused says nothing about UDP")
    func transport() {
        let places = UnreachablePlaces()
        var tcp = place(1)
        tcp.transport = .tcp
        places.insert(tcp, now: Instant(milliseconds: 0))
        #expect(places.ordered([tcp, place(1)], now: Instant(milliseconds: 1)) == [place(1), tcp])
    }
}

@Suite struct ReachabilityTests {
    @Test("What listeners reach is in their order, each way once, and what is this machine alone comes last")
    func order() {
        let loopback = Listener(transport: .udp, address: Device.socket("::1", 5060))
        let ways = Reachability([loopback] + TestNetwork.listeners + [loopback]).ways
        #expect(
            ways == [.init(.udp, isIPv4: true), .init(.tcp, isIPv4: true), .init(.udp, isIPv4: false)])
        #expect(Reachability([loopback]).ways == [.init(.udp, isIPv4: false)])
        let mixed = Reachability([loopback, Listener(transport: .tcp, address: Device.socket("192.0.2.1", 5060))])
        #expect(mixed.ways == [.init(.tcp, isIPv4: true), .init(.udp, isIPv4: false)])
    }
}
