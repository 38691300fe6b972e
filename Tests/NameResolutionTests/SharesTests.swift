import Primitives
import Testing

@testable import NameResolution

@Suite struct SharesTests {
    private func address(_ text: String) -> IPAddress { text.withSlice { IPAddress($0) } ?? IPAddress(ipv4: 0) }

    private func taken(_ shares: inout Shares, by text: String, of wishes: Int = 100) -> Int {
        var count = 0
        for _ in 0..<wishes where shares.hasPlace(for: address(text)) {
            shares.take(for: address(text))
            count += 1
        }
        return count
    }

    @Test("One may have half of all places alone; then each has an eighth, until all are taken")
    func shares() {
        var shares = Shares(limit: 80)
        #expect(taken(&shares, by: "198.51.100.1") == 40)
        for number in 2...5 { #expect(taken(&shares, by: "198.51.100.\(number)") == 10) }
        #expect(shares.used == 80)
        #expect(taken(&shares, by: "198.51.100.6") == 0)
        for _ in 0..<10 { shares.release(for: address("198.51.100.2")) }
        #expect(taken(&shares, by: "198.51.100.1") == 0)
        #expect(taken(&shares, by: "198.51.100.6") == 10)
    }

    @Test("The addresses of an IPv6 network of 64 bits have one share, those of IPv4 one each")
    func networks() {
        var shares = Shares(limit: 80)
        #expect(taken(&shares, by: "2001:db8:1:2::1") == 40)
        #expect(taken(&shares, by: "2001:db8:1:2:ffff::9") == 0)
        #expect(taken(&shares, by: "2001:db8:1:3::1") == 10)
        #expect(taken(&shares, by: "198.51.100.1") == 10)
        #expect(taken(&shares, by: "198.51.100.2") == 10)
    }
}
