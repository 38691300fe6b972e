import Primitives
import Testing

@testable import Transport

@Suite struct LocalAddressesTests {
    @Test("A concrete address stands for itself")
    func concrete() throws {
        let address = IPAddress(ipv4: 0xc000_0201)
        #expect(try LocalAddresses.expand(address) == [address])
    }

    @Test("The unspecified addresses stand for addresses of their own family only, each once")
    func families() throws {
        let v4 = try LocalAddresses.expand(IPAddress(ipv4: 0))
        #expect(v4.contains(Edge.loopback))
        #expect(v4.allSatisfy { $0.isIPv4 })
        #expect(Set(v4).count == v4.count)
        #expect(try LocalAddresses.expand(IPAddress(high: 0, low: 0)).allSatisfy { !$0.isIPv4 && !$0.isUnspecified })
    }

    @Test("The primary address is one of this machine")
    func primary() throws {
        let primary = LocalAddresses.primary()
        let all = try LocalAddresses.expand(IPAddress(ipv4: 0)) + LocalAddresses.expand(IPAddress(high: 0, low: 0))
        #expect(all.contains(primary))
    }

    @Test(
        "Link-local addresses are 169.254.0.0/16 and fe80::/10",
        arguments: [
            ("169.254.1.2", true), ("169.253.1.2", false), ("fe80::1", true), ("febf::1", true), ("fec0::1", false),
            ("fe7f::1", false), ("::1", false),
        ])
    func linkLocal(text: String, expected: Bool) throws {
        let address = try #require(text.withSlice { IPAddress($0) })
        #expect(LocalAddresses.isLinkLocal(address) == expected)
    }
}
