import Primitives
import Testing

@testable import SIPRegistrar

@Suite struct DomainTableTests {
    let table = DomainTable(
        domain: "Example.com", aliases: [[UInt8]("sip.example.net.".utf8), [UInt8]("203.0.113.5".utf8)],
        sockets: [
            Server.socket("192.0.2.1", 5060), Server.socket("192.0.2.1", 5080), Server.socket("2001:db8::1", 5060),
        ])

    @Test(arguments: [
        "example.com", "EXAMPLE.COM", "example.com.", "sip.example.net", "192.0.2.1", "[2001:DB8:0::1]", "203.0.113.5",
    ])
    func `Domain, aliases and addresses are ours, without case`(host: String) {
        #expect(host.withSlice { table.isOurs(host: $0, port: nil) })
    }

    @Test(arguments: [
        "example.org", "xexample.com", "example.co", "", ".", "192.0.2.2", "[2001:db8::2]", "exa mple.com",
    ])
    func `Any other host is foreign`(host: String) {
        #expect(!host.withSlice { table.isOurs(host: $0, port: nil) })
    }

    @Test func `A name is ours with any port, an address with those that we listen on`() {
        #expect(table.isOurs(host: "example.com", port: 9999))
        #expect(table.isOurs(host: "192.0.2.1", port: 5080))
        #expect(table.isOurs(host: "203.0.113.5", port: 5060))
        #expect(!table.isOurs(host: "192.0.2.1", port: 5061))
        #expect(!table.isOurs(host: "[2001:db8::1]", port: 1))
    }

    @Test func `A domain that is an address has the ports of the listeners`() {
        let table = DomainTable(domain: "127.0.0.1", sockets: [Server.socket("127.0.0.1", 5060)])
        #expect(table.isOurs(host: "127.0.0.1", port: nil))
        #expect(table.isOurs(host: "127.0.0.1", port: 5060))
        #expect(!table.isOurs(host: "127.0.0.1", port: 5062))
    }
}
