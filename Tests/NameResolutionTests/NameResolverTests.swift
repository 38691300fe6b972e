import DNSMessage
import Primitives
import Testing

@testable import NameResolution

@Suite struct NameResolverTests {
    static let good: [String: [Servers.Record]] = ["a.example A": [.a("192.0.2.1")]]
    static let place = ["udp 192.0.2.1:5060"]
    static let dead = ["the DNS server does not answer"]

    @Test("All that a name may need is asked for at once, and a question once, however many want it")
    func atOnce() {
        let servers = Servers()
        let numbers = (0..<5).map { _ in servers.resolve("A.example") } + [servers.resolve("a.example", .udp)]
        #expect(
            servers.open.map(\.text) == [
                "a.example NAPTR", "_sip._udp.a.example SRV", "_sip._tcp.a.example SRV", "a.example A",
            ])
        servers.serve(Self.good)
        for number in numbers { #expect(servers.result(number) == Self.place) }
        #expect(servers.sentCount == 4)
        #expect(servers.resolver.sizes.resolutions == 0)
        #expect(servers.resolver.sizes.questions == 0)
        #expect(servers.resolver.nextWake == nil)
    }

    @Test("Identifiers and the case of letters differ from query to query")
    func unpredictable() {
        let servers = Servers(Servers.udp4)
        for number in 0..<50 { servers.resolve("averylongnameforacase\(number % 2).example", port: 1) }
        for number in 0..<50 { servers.resolve("n\(number).averylongnameforacase.example", port: 1) }
        #expect(Set(servers.open.map(\.query.identifier)).count > 45)
        #expect(Set(servers.open.map { Array($0.query.question.dropFirst(4)) }).count > 45)
    }

    @Test("The answer is kept for its time, then asked for again")
    func time() {
        let servers = Servers(Servers.udp4)
        servers.resolve("a.example", port: 1)
        servers.serve(Self.good, time: 30)
        servers.wait(29_000)
        #expect(servers.result(servers.resolve("a.example", port: 1)) == ["udp 192.0.2.1:1"])
        #expect(servers.sentCount == 1)
        servers.wait(1_000)
        #expect(servers.result(servers.resolve("a.example", port: 1)) == ["..."])
        #expect(servers.sentCount == 2)
    }

    @Test("A server that does not answer is asked again, then the next; then the name has failed, and that is told")
    func tries() {
        let servers = Servers(Servers.udp4, servers: ["192.0.2.53", "192.0.2.54"]) { $0.timeout = 500 }
        let number = servers.resolve("a.example", port: 1)
        var asked: [SocketAddress] = []
        for _ in 0..<4 {
            asked += servers.open.map(\.server)
            servers.wait(500)
        }
        let (first, second) = (Servers.socket("192.0.2.53"), Servers.socket("192.0.2.54"))
        #expect(asked == [first, second, first, second])
        #expect(servers.result(number) == Self.dead)
        #expect(servers.answers[number] == .failure(.servers(LookupFailure(server: second, cause: .timeout))))
        // For five seconds nobody is asked again.
        #expect(servers.result(servers.resolve("a.example", port: 1)) == Self.dead)
        #expect(servers.sentCount == 4)
        servers.wait(5_000)
        let again = servers.resolve("a.example", port: 1)
        servers.serve(Self.good)
        #expect(servers.result(again) == ["udp 192.0.2.1:1"])
    }

    @Test("A resolution ends within five seconds, whatever the servers do")
    func limit() {
        let servers = Servers(servers: ["192.0.2.53", "192.0.2.54", "192.0.2.55"])
        let number = servers.resolve("a.example")
        servers.wait(4_400)
        #expect(servers.result(number) == ["..."])
        servers.wait(200)
        #expect(servers.result(number) == Self.dead)
        servers.wait(20_000)
        #expect(servers.open.isEmpty)
        #expect(servers.resolver.nextWake == nil)
        #expect(servers.resolver.sizes.questions == 0)
    }

    @Test("A thousand dead names do not make a live one wait")
    func deadNames() {
        let servers = Servers()
        for number in 0..<1000 { servers.resolve("dead\(number).example", for: "198.51.100.\(number % 200)") }
        let live = servers.resolve("a.example")
        for sent in servers.open where sent.name.hasSuffix("a.example") {
            servers.deliver(Servers.response(to: sent, Self.good[sent.text] ?? []), to: sent)
        }
        #expect(servers.result(live) == Self.place)
        servers.wait(30_000)
        #expect(servers.answers.count == 1001)
        #expect(servers.resolver.nextWake == nil)
        #expect(servers.resolver.sizes.resolutions == 0)
    }

    @Test("Too many names are refused; half of the places are kept for who has few")
    func full() {
        let servers = Servers(Servers.udp4) { $0.resolutionLimit = 80 }
        let greedy = (0..<60).map { servers.resolve("n\($0).example", port: 1, for: "198.51.100.66") }
        #expect(greedy.filter { servers.result($0) == ["too many names are being resolved"] }.count == 20)
        let others = (0..<60).map { servers.resolve("m\($0).example", port: 1, for: "198.51.100.\($0)") }
        #expect(others.filter { servers.result($0) == ["too many names are being resolved"] }.count == 20)
        // What is known needs no place.
        servers.resolver.cache.insert(
            Question("k.example".withSlice { DNSName(host: $0) } ?? .root, .a),
            .records([.address(Servers.socket("192.0.2.1").address)]), seconds: 60, now: servers.now)
        #expect(servers.result(servers.resolve("k.example", port: 1)) == ["udp 192.0.2.1:1"])
        servers.wait(10_000)
        #expect(servers.result(servers.resolve("n0.example", port: 1, for: "198.51.100.66")) == ["..."])
    }

    @Test("RFC 8767: while the servers are dead an old answer is used, after one try, and they are asked later")
    func stale() {
        let servers = Servers(Servers.udp4)
        servers.resolve("a.example", port: 1)
        servers.serve(Self.good, time: 30)
        servers.wait(60_000)
        let number = servers.resolve("a.example", port: 1)
        servers.wait(1_900)
        #expect(servers.result(number) == ["..."])
        servers.wait(200)
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
        #expect(servers.result(servers.resolve("a.example", port: 1)) == ["udp 192.0.2.1:1"])
        servers.wait(40_000)
        // The servers are back, and say something new.
        let later = servers.resolve("a.example", port: 1)
        servers.serve(["a.example A": [.a("192.0.2.7")]])
        #expect(servers.result(later) == ["udp 192.0.2.7:1"])
    }

    @Test("SERVFAIL, REFUSED and broken answers lead to the next server at once", arguments: [2, 5, 255] as [UInt8])
    func failures(code: UInt8) {
        let servers = Servers(Servers.udp4, servers: ["192.0.2.53", "192.0.2.54"])
        let number = servers.resolve("a.example", port: 1)
        guard let sent = servers.open.first else { return }
        var response = Servers.response(to: sent, code: code == 255 ? 0 : code, [.a("192.0.2.6")])
        if code == 255 { response.removeLast() }
        servers.deliver(response, to: sent)
        #expect(servers.open.map(\.server) == [Servers.socket("192.0.2.54")])
        servers.serve(Self.good)
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
    }

    @Test("A server that fails again and again is asked last, until it answers; one dead name does not do that")
    func suspect() {
        let servers = Servers(Servers.udp4, servers: ["192.0.2.53", "192.0.2.54"])
        func isFirst(_ name: String) -> Bool {
            servers.resolve(name, port: 1)
            return servers.open.last?.server == Servers.socket("192.0.2.53")
        }
        for number in 0..<3 {
            let isFirst = isFirst("n\(number).example")
            #expect(isFirst)
            if let sent = servers.open.last { servers.resolver.failed(sent.number, now: servers.now) }
            servers.take()
            servers.serve([:])
        }
        let isFirstNow = isFirst("x.example")
        #expect(!isFirstNow)
        servers.wait(40_000)
        let isFirstAgain = isFirst("y.example")
        #expect(isFirstAgain)
    }

    @Test("RFC 7766: a truncated answer is fetched over TCP, from the same server")
    func truncated() {
        let servers = Servers(Servers.udp4)
        let number = servers.resolve("a.example", port: 1)
        guard let sent = servers.open.first else { return }
        servers.deliver(Servers.response(to: sent, truncated: true), to: sent)
        #expect(servers.open.map(\.isStream) == [true])
        #expect(servers.open.first?.server == sent.server)
        servers.serve(Self.good)
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
    }

    @Test("RFC 6891 6.2.2: a server that does not know EDNS is asked without it", arguments: [1, 4] as [UInt8])
    func noExtension(code: UInt8) {
        let servers = Servers(Servers.udp4)
        let number = servers.resolve("a.example", port: 1)
        guard let sent = servers.open.first else { return }
        servers.deliver(Servers.response(to: sent, code: code), to: sent)
        #expect(servers.open.first.map { $0.query.bytes.count } == sent.query.bytes.count - 11)
        servers.serve(Self.good)
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
        // And that it then still cannot is a failure like others.
        servers.resolve("b.example", port: 1)
        for _ in 0..<4 {
            if let sent = servers.open.first { servers.deliver(Servers.response(to: sent, code: 1), to: sent) }
        }
        #expect(servers.open.isEmpty)
    }

    @Test("RFC 5452: an answer with another identifier or question is not taken; one in another case is checked by TCP")
    func spoofed() {
        let servers = Servers(Servers.udp4)
        let number = servers.resolve("averylongname.example", port: 1)
        guard let sent = servers.open.first else { return }
        var wrong = Servers.response(to: sent, [.a("192.0.2.66")])
        wrong[0] ^= 1
        #expect(!servers.deliver(wrong, to: sent))
        wrong[0] ^= 1
        wrong[13] ^= 0x03
        #expect(!servers.deliver(wrong, to: sent))
        #expect(!servers.deliver(Array(sent.query.bytes), to: sent))
        #expect(!servers.deliver([], to: sent))
        #expect(servers.open.count == 1)
        wrong[13] ^= 0x23
        #expect(servers.deliver(wrong, to: sent))
        #expect(servers.result(number) == ["..."])
        #expect(servers.open.map(\.isStream) == [true])
        // What came to the query that is over is nothing any more.
        #expect(!servers.deliver(Servers.response(to: sent, [.a("192.0.2.66")]), to: sent))
        servers.serve(["averylongname.example A": [.a("192.0.2.1")]])
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
    }

    @Test("A server that keeps no case and has no TCP is asked in lower case")
    func caseLost() {
        let servers = Servers(Servers.udp4)
        let number = servers.resolve("averylongname.example", port: 1)
        guard let sent = servers.open.first else { return }
        var response = Servers.response(to: sent, [.a("192.0.2.1")])
        for index in 12..<30 { response[index] = ASCII.lowercase(response[index]) }
        #expect(servers.deliver(response, to: sent))
        #expect(servers.open.map(\.isStream) == [true])
        if let stream = servers.open.first { servers.resolver.failed(stream.number, now: servers.now) }
        servers.take()
        #expect(servers.open.map(\.isStream) == [false])
        #expect(servers.open.first.map { $0.query.question.allSatisfy { ASCII.lowercase($0) == $0 } } == true)
        servers.serve(["averylongname.example A": [.a("192.0.2.1")]])
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
    }

    @Test("RFC 8305: when addresses are there, further ones are waited for half a second and no longer")
    func grace() {
        let servers = Servers(Servers.everything)
        let number = servers.resolve("a.example", port: 1)
        if let sent = servers.open.first(where: { $0.type == 1 }) {
            servers.deliver(Servers.response(to: sent, [.a("192.0.2.1")]), to: sent)
        }
        servers.wait(400)
        #expect(servers.result(number) == ["..."])
        servers.wait(200)
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
    }

    @Test("A server that drops NAPTR questions delays a name, but does not fail it")
    func dropped() {
        let servers = Servers()
        let number = servers.resolve("a.example")
        for sent in servers.open where sent.type != 35 {
            servers.deliver(Servers.response(to: sent, Self.good[sent.text] ?? []), to: sent)
        }
        #expect(servers.result(number) == ["..."])
        servers.wait(4_100)
        #expect(servers.result(number) == Self.place)
        // For the next five seconds that is known.
        #expect(servers.result(servers.resolve("a.example")) == Self.place)
    }

    @Test("Names of the table of hosts are not asked for")
    func hosts() {
        let servers = Servers()
        servers.resolver.hosts = "192.0.2.1 pbx".withSlice { HostTable(file: $0) }
        #expect(servers.result(servers.resolve("pbx")) == Self.place)
        #expect(servers.result(servers.resolve("localhost", .tcp)) == ["tcp 127.0.0.1:5060"])
        #expect(servers.sentCount == 0)
    }

    @Test("Other servers forget what the old ones said")
    func otherServers() {
        let servers = Servers(Servers.udp4)
        servers.resolve("a.example", port: 1)
        servers.serve(Self.good)
        servers.resolver.replaceServers([Servers.socket("192.0.2.53")])
        #expect(servers.result(servers.resolve("a.example", port: 1)) == ["udp 192.0.2.1:1"])
        servers.resolver.replaceServers([Servers.socket("192.0.2.99")])
        #expect(servers.result(servers.resolve("a.example", port: 1)) == ["..."])
        #expect(servers.open.map(\.server) == [Servers.socket("192.0.2.99")])
    }

    @Test("A zone that never ends is left after so many questions")
    func endless() {
        let servers = Servers()
        let number = servers.resolve("a.example", .udp)
        var rounds = 0
        while let sent = servers.open.first, rounds < 200 {
            rounds += 1
            let more = (0..<30).map { Servers.Record.srv(UInt16($0), 0, 5060, "h\(rounds)x\($0).example") }
            servers.deliver(
                Servers.response(to: sent, sent.type == 33 ? more : [.cname("c\(rounds).example")]), to: sent)
        }
        #expect(rounds <= 60)
        #expect(servers.result(number) != ["..."])
        #expect(servers.resolver.sizes.questions == 0)
    }
}
