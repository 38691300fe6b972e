import DNSMessage
import Primitives
import Testing

@testable import NameResolution

@Suite("RFC 3263 section 4: where a request goes") struct TargetResolutionTests {
    /// The places of a target with a zone behind it, for IPv4 listeners.
    private func places(
        _ host: String, port: UInt16? = nil, _ transport: TransportProtocol? = nil,
        zone: [String: [Servers.Record]] = [:]
    ) -> [String] {
        let servers = Servers()
        let number = servers.resolve(host, port: port, transport)
        servers.serve(zone)
        return servers.result(number)
    }

    @Test("4.1: an address is itself, over UDP and at port 5060 unless the URI says otherwise, and nothing is asked")
    func numeric() {
        let servers = Servers(Servers.everything)
        #expect(servers.result(servers.resolve("192.0.2.1")) == ["udp 192.0.2.1:5060"])
        #expect(servers.result(servers.resolve("192.0.2.1", port: 5070, .tcp)) == ["tcp 192.0.2.1:5070"])
        #expect(servers.result(servers.resolve("[2001:db8::1]", .tcp)) == ["tcp [2001:db8::1]:5060"])
        #expect(servers.sentCount == 0)
        #expect(
            places("2001:db8::1") == ["no listener has the transport and IP version of its addresses"])
    }

    @Test("4.1 and 4.2: with a port only the addresses are asked for, over UDP unless the URI names a transport")
    func port() {
        let servers = Servers()
        let number = servers.resolve("a.example", port: 5070)
        #expect(servers.open.map(\.text) == ["a.example A"])
        servers.serve(["a.example A": [.a("192.0.2.1"), .a("192.0.2.2")]])
        #expect(servers.result(number) == ["udp 192.0.2.1:5070", "udp 192.0.2.2:5070"])
        #expect(places("a.example", port: 1, .tcp, zone: ["a.example A": [.a("192.0.2.1")]]) == ["tcp 192.0.2.1:1"])
    }

    @Test("4.1: with a transport its SRV records decide, and NAPTR is not asked for")
    func transport() {
        let servers = Servers()
        let number = servers.resolve("a.example", .tcp)
        #expect(Set(servers.open.map(\.text)) == ["_sip._tcp.a.example SRV", "a.example A"])
        servers.serve([
            "_sip._tcp.a.example SRV": [.srv(2, 0, 5071, "two.example"), .srv(1, 0, 5070, "one.example")],
            "one.example A": [.a("192.0.2.1")], "two.example A": [.a("192.0.2.2")], "a.example A": [.a("192.0.2.9")],
        ])
        #expect(servers.result(number) == ["tcp 192.0.2.1:5070", "tcp 192.0.2.2:5071"])
    }

    @Test("4.2: without SRV records the host is asked for at port 5060")
    func noService() {
        let zone: [String: [Servers.Record]] = ["a.example A": [.a("192.0.2.9")]]
        #expect(places("a.example", .tcp, zone: zone) == ["tcp 192.0.2.9:5060"])
        #expect(places("a.example", nil, zone: zone) == ["udp 192.0.2.9:5060"])
    }

    static let naptr: [String: [Servers.Record]] = [
        "a.example NAPTR": [
            .naptr(10, 5, "s", "SIPS+D2T", "_sips._tcp.a.example"),
            .naptr(20, 20, "s", "SIP+D2U", "_sip._udp.elsewhere.example"),
            .naptr(20, 10, "S", "sip+d2t", "_sip._tcp.elsewhere.example"),
            .naptr(5, 5, "u", "E2U+sip", "x.example"), .naptr(5, 5, "", "SIP+D2U", "y.example"),
        ],
        "_sip._tcp.elsewhere.example SRV": [.srv(1, 0, 5070, "one.example")],
        "_sip._udp.elsewhere.example SRV": [.srv(1, 0, 5080, "one.example")],
        "_sip._udp.a.example SRV": [.srv(1, 0, 5090, "wrong.example")],
        "one.example A": [.a("192.0.2.1")], "wrong.example A": [.a("192.0.2.66")],
    ]

    @Test("4.1: NAPTR chooses the transport by order and preference, among those that we have")
    func namingAuthority() {
        #expect(places("a.example", nil, zone: Self.naptr) == ["tcp 192.0.2.1:5070", "udp 192.0.2.1:5080"])
        let onlyUDP = Servers(Servers.udp4)
        let number = onlyUDP.resolve("a.example")
        onlyUDP.serve(Self.naptr)
        #expect(onlyUDP.result(number) == ["udp 192.0.2.1:5080"])
        let without = Servers { $0.usesNAPTR = false }
        let other = without.resolve("a.example")
        #expect(!without.open.contains { $0.type == 35 })
        without.serve(Self.naptr)
        #expect(without.result(other) == ["udp 192.0.2.66:5090"])
    }

    @Test("4.1: without NAPTR the SRV records of UDP come before those of TCP")
    func bothServices() {
        let zone: [String: [Servers.Record]] = [
            "_sip._udp.a.example SRV": [.srv(9, 0, 5090, "one.example")],
            "_sip._tcp.a.example SRV": [.srv(1, 0, 5091, "one.example")], "one.example A": [.a("192.0.2.1")],
        ]
        #expect(places("a.example", nil, zone: zone) == ["udp 192.0.2.1:5090", "tcp 192.0.2.1:5091"])
    }

    @Test("RFC 2782: the target . says that there is no service, and the host itself is not tried")
    func noSIP() {
        let zone: [String: [Servers.Record]] = [
            "_sip._udp.a.example SRV": [.srv(0, 0, 0, ".")], "a.example A": [.a("192.0.2.1")],
        ]
        #expect(places("a.example", .udp, zone: zone) == [ResolutionFailure.noService.text.string])
    }

    @Test("Addresses of both versions come in the order of the listeners; those that no listener reaches are left out")
    func versions() {
        let zone: [String: [Servers.Record]] = [
            "a.example A": [.a("192.0.2.1")], "a.example AAAA": [.a("2001:db8::1")],
        ]
        let both = Servers(Servers.everything)
        let first = both.resolve("a.example", port: 5060)
        both.serve(zone)
        #expect(both.result(first) == ["udp 192.0.2.1:5060", "udp [2001:db8::1]:5060"])
        let six = Servers(Reachability([.init(.udp, isIPv4: false), .init(.udp, isIPv4: true)]))
        let second = six.resolve("a.example", port: 5060)
        six.serve(zone)
        #expect(six.result(second) == ["udp [2001:db8::1]:5060", "udp 192.0.2.1:5060"])
        let four = Servers(Servers.udp4)
        let third = four.resolve("a.example", port: 5060)
        #expect(!four.open.contains { $0.type == 28 })
        four.serve(zone)
        #expect(four.result(third) == ["udp 192.0.2.1:5060"])
        let tcp = four.resolve("a.example", port: 5060, .tcp)
        #expect(four.result(tcp) == [ResolutionFailure.notReachable.text.string])
    }

    @Test("What is nobody's address is no place: unspecified, broadcast and multicast")
    func nobody() {
        let zone: [String: [Servers.Record]] = [
            "a.example A": [.a("0.0.0.0"), .a("255.255.255.255"), .a("224.0.0.1"), .a("192.0.2.1")]
        ]
        #expect(places("a.example", .udp, zone: zone) == ["udp 192.0.2.1:5060"])
    }

    @Test("At most 16 places are given, each once")
    func bound() {
        let many = (1...32).map { Servers.Record.a("192.0.2.\($0)") }
        #expect(places("a.example", .udp, zone: ["a.example A": many]).count == 16)
        let same = [Servers.Record.a("192.0.2.1"), .a("192.0.2.1")]
        #expect(places("a.example", .udp, zone: ["a.example A": same]).count == 1)
    }

    @Test("A host that DNS cannot know, TLS, and a mistyped address are told without asking")
    func impossible() {
        let servers = Servers()
        for host in ["", "a..b", "192.168.1.300", String(repeating: "a", count: 64)] {
            #expect(servers.result(servers.resolve(host)) == [ResolutionFailure.badName.text.string])
        }
        #expect(
            servers.result(servers.resolve("a.example", isSecure: true)) == [ResolutionFailure.needsTLS.text.string])
        #expect(servers.sentCount == 0)
    }

    @Test("Aliases are followed from answer to answer, eight of them, and a loop ends")
    func aliases() {
        let servers = Servers(Servers.udp4)
        let number = servers.resolve("a.example", port: 5060)
        servers.serve(["a.example A": [.cname("b.example")], "b.example A": [.a("192.0.2.1")]])
        #expect(servers.result(number) == ["udp 192.0.2.1:5060"])
        let loop = servers.resolve("x.example", port: 5060)
        servers.serve(["x.example A": [.cname("y.example")], "y.example A": [.cname("x.example")]])
        #expect(servers.result(loop) == [ResolutionFailure.noAddress.text.string])
        #expect(servers.resolver.sizes.resolutions == 0)
        #expect(servers.resolver.sizes.questions == 0)
    }
}
