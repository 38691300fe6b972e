import DNSMessage
import Primitives
import Testing

@testable import NameResolution

@Suite struct HostTableTests {
    private func table(_ text: String) -> HostTable { text.withSlice { HostTable(file: $0) } }

    private func question(_ name: String, _ type: RecordType = .a) -> Question {
        Question(name.withSlice { DNSName(host: $0) } ?? .root, type)
    }

    @Test("hosts(5): an address and its names, comments and other lines between")
    func file() {
        let hosts = table(
            "# comment\n\n192.0.2.1\tpbx.example pbx # the old one\r\n192.0.2.2 PBX\n2001:db8::1 pbx\nnonsense x\n::1")
        #expect(
            hosts.result(of: question("pbx"))
                == .records([.address(IPAddress(ipv4: 0xc000_0201)), .address(IPAddress(ipv4: 0xc000_0202))]))
        #expect(
            hosts.result(of: question("pbx", .aaaa))
                == .records([.address(IPAddress(high: 0x2001_0db8_0000_0000, low: 1))]))
        #expect(hosts.result(of: question("PBX.example", .aaaa)) == .absent)
        #expect(hosts.result(of: question("x")) == nil)
        #expect(hosts.result(of: question("comment")) == nil)
        #expect(hosts.result(of: question("the")) == nil)
    }

    @Test("A name of the table has no service records, and DNS is not asked for them")
    func services() {
        let hosts = table("192.0.2.1 pbx")
        #expect(hosts.result(of: question("pbx", .naptr)) == .absent)
        #expect(hosts.result(of: question("_sip._udp.pbx", .srv)) == .absent)
        #expect(hosts.result(of: question("_sip._udp.other", .srv)) == nil)
    }

    @Test("RFC 6761: localhost and what is below it is this machine, whatever the file says or lacks")
    func localhost() {
        let hosts = HostTable()
        #expect(hosts.result(of: question("LocalHost")) == .records([.address(IPAddress(ipv4: 0x7f00_0001))]))
        #expect(hosts.result(of: question("a.localhost", .aaaa)) == .records([.address(IPAddress(high: 0, low: 1))]))
        #expect(hosts.result(of: question("_sip._tcp.localhost", .srv)) == .absent)
        #expect(
            table("192.0.2.1 localhost").result(of: question("localhost"))
                == .records([.address(IPAddress(ipv4: 0xc000_0201))]))
    }

    @Test("A file of 100,000 names, and one of garbage, are read within bounds")
    func large() {
        let many = (0..<100_000).map { "10.0.0.1 n\($0)" }.joined(separator: "\n")
        let hosts = table(many)
        #expect(hosts.result(of: question("n9999")) != nil)
        #expect(hosts.result(of: question("n10000")) == nil)
        let garbage = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 7919) }
        #expect(garbage.withSlice { HostTable(file: $0) }.result(of: question("a")) == nil)
    }
}

@Suite struct ServerListTests {
    private func servers(_ text: String) -> [SocketAddress] { text.withSlice { ServerList.servers(file: $0) } }

    @Test("resolv.conf(5): the first three nameserver lines; everything else is passed over")
    func file() {
        let text = """
            # nameserver 192.0.2.9
            ; nameserver 192.0.2.8
            search example.com
            nameserver 192.0.2.1
            nameserver 2001:db8::53 # comment
            options timeout:1 attempts:9
            nameserver
            nameserver fe80::1%eth0
            nameserver 192.0.2.1
            nameserver 192.0.2.3
            nameserver 192.0.2.4
            """
        #expect(
            servers(text) == [
                Servers.socket("192.0.2.1"), Servers.socket("2001:db8::53"), Servers.socket("192.0.2.3"),
            ])
    }

    @Test("resolv.conf(5): without a file, or without a server in it, it is this machine", arguments: ["", "search x"])
    func none(text: String) { #expect(servers(text) == [Servers.socket("127.0.0.1")]) }
}
