import DNSMessage
import Primitives
import Testing

@testable import NameResolution

/// What one who asks for very many names takes from the others.
@Suite struct NameResolverSharesTests {
    static let busy = ["too many names are being resolved"]

    /// Answers the SRV questions that are open with 16 targets each, of which none will ever answer; there is no NAPTR.
    private func lure(_ servers: Servers) {
        for sent in servers.open where sent.type == 35 { servers.deliver(Servers.response(to: sent), to: sent) }
        for sent in servers.open where sent.type == 33 {
            let targets = (0..<16).map { Servers.Record.srv(1, 1, 5060, "t\($0).\(sent.number).bad.example") }
            servers.deliver(Servers.response(to: sent, targets), to: sent)
        }
    }

    /// The live name's queries are answered, all others are not.
    private func serveLive(_ servers: Servers) {
        for sent in servers.open where sent.name.hasSuffix("a.example") {
            servers.deliver(Servers.response(to: sent, NameResolverTests.good[sent.text] ?? []), to: sent)
        }
    }

    /// Names that lead to very many silent ones are asked for by the greedy; another requester's name is resolved all the same.
    private func expectRoom(
        _ servers: Servers, beside greedy: (Int) -> String, for other: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        for number in 0..<30 {
            servers.resolve("n\(number).bad.example", for: greedy(number))
            lure(servers)
        }
        #expect(servers.resolver.sizes.questions <= 200, sourceLocation: location)
        let live = servers.resolve("a.example", for: other)
        serveLive(servers)
        #expect(servers.result(live) == NameResolverTests.place, sourceLocation: location)
    }

    @Test("Names that lead to very many silent ones take a share of the questions, and no others' names")
    func silentTargets() {
        let servers = Servers { $0.questionLimit = 400 }
        expectRoom(servers, beside: { _ in "198.51.100.66" }, for: "198.51.100.7")
        // The one who took the places is told so when it asks for more.
        #expect(servers.result(servers.resolve("more.bad.example", for: "198.51.100.66")) == Self.busy)
    }

    @Test("The questions that wait are never more than their limit, also those that answers bring")
    func limit() {
        let servers = Servers { $0.questionLimit = 100 }
        for number in 0..<10 { servers.resolve("n\(number).bad.example", for: "198.51.100.\(number)") }
        for _ in 0..<3 {
            lure(servers)
            #expect(servers.resolver.sizes.questions <= 100)
        }
        servers.wait(20_000)
        #expect(servers.answers.count == 10)
        #expect(servers.resolver.sizes.questions == 0)
    }

    @Test("The addresses of an IPv6 network of 64 bits have one share")
    func network() {
        expectRoom(Servers { $0.questionLimit = 400 }, beside: { "2001:db8::\($0)" }, for: "2001:db8:0:1::7")
    }

    @Test("A question that nobody waits for any more ends with its try, and gives its place back")
    func abandoned() {
        let servers = Servers(Servers.udp4, servers: ["192.0.2.53", "192.0.2.54", "192.0.2.55"]) {
            $0.attempts = 5
            $0.questionLimit = 40
        }
        for number in 0..<20 { servers.resolve("n\(number).example", port: 1, for: "198.51.100.66") }
        #expect(servers.result(servers.resolve("x.example", port: 1, for: "198.51.100.66")) == Self.busy)
        servers.wait(4_500)
        #expect(servers.answers.count == 21)
        #expect(servers.sentCount == 60)
        servers.wait(1_600)
        #expect(servers.resolver.sizes.questions == 0)
        #expect(servers.open.isEmpty)
        #expect(servers.resolver.nextWake == nil)
        #expect(servers.sentCount == 60)
        #expect(servers.result(servers.resolve("x.example", port: 1, for: "198.51.100.66")) == ["..."])
    }

    @Test("An answer that comes after its resolution has ended, but in its try, is kept")
    func late() {
        let servers = Servers(Servers.everything)
        let number = servers.resolve("a.example", port: 1)
        for sent in servers.open where sent.type == 1 {
            servers.deliver(Servers.response(to: sent, [.a("192.0.2.1")]), to: sent)
        }
        servers.wait(600)
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
        servers.serve(["a.example AAAA": [.a("2001:db8::1")]])
        let again = servers.resolve("a.example", port: 1)
        #expect(servers.result(again).count == 2)
    }

    @Test("While an old answer is used, each server is still asked for a new one, though nobody waits for it")
    func renewal() {
        let servers = Servers(Servers.udp4, servers: ["192.0.2.53", "192.0.2.54"])
        servers.resolve("a.example", port: 1)
        servers.serve(NameResolverTests.good, time: 30)
        servers.wait(60_000)
        let number = servers.resolve("a.example", port: 1)
        servers.wait(2_100)
        #expect(servers.result(number) == ["udp 192.0.2.1:1"])
        #expect(servers.open.map(\.server) == [Servers.socket("192.0.2.54")])
        servers.serve(["a.example A": [.a("192.0.2.7")]])
        #expect(servers.result(servers.resolve("a.example", port: 1)) == ["udp 192.0.2.7:1"])
    }
}
