import Primitives
import Testing

@Suite struct IPNetworkTests {
    @Test(
        "A network has the addresses that begin with its prefix",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "192.0.2.1", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "192.0.2.1", true), ("10.1.2.3/8", "10.0.0.1", true),
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.2", false), ("fd00::/8", "fdff::1", true),
            ("2001:db8::/64", "2001:db8::ffff:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
        ])
    func networkContains(network: String, address: String, expected: Bool) throws {
        let network = try #require(network.withSlice { IPNetwork($0) })
        let address = try #require(address.withSlice { IPAddress($0) })
        #expect(network.contains(address) == expected)
    }

    @Test(
        "What is no network is refused", arguments: ["", "/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "a/8", "::1/-1"])
    func otherTextIsRefused(text: String) {
        #expect(text.withSlice { IPNetwork($0) } == nil)
    }
}
