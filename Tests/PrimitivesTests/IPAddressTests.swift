import Primitives
import Testing

@Suite struct IPAddressTests {
    private func parsed(_ text: String) -> IPAddress? { text.withSlice { IPAddress($0) } }

    @Test func ipv4HasFourDecimalParts() {
        #expect(parsed("127.0.0.1") == IPAddress(ipv4: 0x7f00_0001))
        #expect(parsed("255.255.255.255") == IPAddress(ipv4: UInt32.max))
        #expect(parsed("0.0.0.0") == IPAddress(ipv4: 0))
        #expect(parsed("192.000.002.001") == IPAddress(ipv4: 0xc000_0201))
    }

    @Test(arguments: [
        "", ".", "...", "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.4.5", "256.1.1.1",
        "1.2.3.999", "1.2.3.0004", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "1.2.3.+4", "1.2.3.a", "0x7f.0.0.1", "[1.2.3.4]",
        "1.2.3.4:5060", "example.com", "2130706433", "1.2.3.4\0", "１.2.3.4",
    ])
    func whatIsNotFourPartsUpTo255IsRefused(text: String) {
        #expect(parsed(text) == nil)
    }

    /// RFC 4291 section 2.2 and RFC 5952 sections 1 and 4: what may come in, and the one form in which it goes out.
    @Test(arguments: [
        ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("FF01:0:0:0:0:0:0:101", "ff01::101"),
        ("0:0:0:0:0:0:0:1", "::1"), ("0:0:0:0:0:0:0:0", "::"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("0:0:0:0:0:0:13.1.68.3", "::d01:4403"), ("::13.1.68.3", "::d01:4403"),
        ("::FFFF:129.144.52.38", "129.144.52.38"), ("0:0:0:0:0:ffff:8190:3426", "129.144.52.38"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("2001:db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"),
        ("2001:db8::0:1", "2001:db8::1"), ("2001:0db8::0001", "2001:db8::1"),
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6::8", "1:2:3:4:5:6:0:8"), ("1:0:0:4:5:6:0:0", "1::4:5:6:0:0"),
        ("a:b:c:d:e:f:0:0", "a:b:c:d:e:f::"),
        ("fe80::1", "fe80::1"), ("[2001:db8::10]", "2001:db8::10"), ("::10:100:1000", "::10:100:1000"),
    ])
    func ipv6IsReadInAllFormsOfRFC4291AndWrittenInTheOneOfRFC5952(text: String, canonical: String) throws {
        let address = try #require(parsed(text))
        #expect(address.description == canonical)
        #expect(parsed(canonical) == address)
    }

    @Test(arguments: [
        ":", ":::", "::::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:",
        ":1:2:3:4:5:6:7:8",
        "1::2::3", "1:::2", "::1:", ":1::2", "12345::", "::12345", "::g", "::-1", "1:2:3:4:5:6:7::8",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "::1.2.3", "::1.2.3.4.5", "::1.2.3.4:5",
        "1.2.3.4::", "::1.2.3.256", "::1:2:3:4:5:6:1.2.3.4", "fe80::1%eth0", "[::1", "::1]", "[]", "[", "]", "[[::1]]",
        "[::1]:5060", "[::1] ", " ::1", "::1\0", ": :", "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0",
        "::ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1:2:3:4:5:6:7:8:1.2.3.4",
    ])
    func hostileOrBrokenIPv6IsRefused(text: String) {
        #expect(parsed(text) == nil)
    }

    @Test func randomTextOfAddressCharactersNeverTraps() {
        var random = Pseudorandom(state: 7)
        let alphabet = Array(":::::..0123456789abcdefF[]%".utf8)
        var accepted = 0
        for _ in 0..<200_000 {
            let text = (0..<random.next() % 24).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            guard let address = text.withSlice({ IPAddress($0) }) else { continue }
            accepted += 1
            #expect(parsed(address.description) == address)
        }
        #expect(accepted > 0)
    }

    @Test func randomAddressesSurviveWritingAndReading() {
        var random = Pseudorandom(state: 8)
        for _ in 0..<20_000 {
            // Masks of whole groups make the runs of zeros that the short form is about.
            var mask: UInt64 = 0
            for group in 0..<4 as Range<UInt64> where random.next() & 1 == 0 { mask |= 0xffff << (16 * group) }
            let address = IPAddress(high: random.next() & mask, low: random.next() & ~mask)
            #expect(parsed(address.description) == address)
        }
    }

    @Test func theKindsOfAddressesAreTold() {
        #expect(IPAddress(ipv4: 1).isIPv4 && IPAddress(ipv4: 1).ipv4 == 1)
        #expect(!IPAddress(high: 0, low: 1).isIPv4 && !IPAddress(high: 1, low: 0xffff_0000_0001).isIPv4)
        #expect(parsed("0.0.0.0")?.isUnspecified == true && parsed("::")?.isUnspecified == true)
        #expect(parsed("0.0.0.1")?.isUnspecified == false && parsed("::1")?.isUnspecified == false)
        #expect(parsed("127.255.0.1")?.isLoopback == true && parsed("::1")?.isLoopback == true)
        #expect(parsed("128.0.0.1")?.isLoopback == false && parsed("::7f00:1")?.isLoopback == false)
        for text in ["10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.0.1", "100.64.0.1", "fd00::1"] {
            #expect(parsed(text)?.isPrivate == true, "\(text)")
        }
        for text in ["11.0.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2001:db8::1", "127.0.0.1"] {
            #expect(parsed(text)?.isPrivate == false, "\(text)")
        }
    }

    @Test func inURIsAndViaAnIPv6AddressIsInBrackets() {
        var writer = ByteWriter(capacity: 64)
        writer.append(IPAddress(high: 0, low: 1))
        writer.append(byte: 32)
        writer.append(IPAddress(ipv4: 0x0a00_0001))
        let text = writer.slice.string
        #expect(text == "[::1] 10.0.0.1")
    }

    @Test func aSocketAddressIsAddressColonPort() {
        #expect(SocketAddress(address: IPAddress(ipv4: 0x7f00_0001), port: 5060).description == "127.0.0.1:5060")
        #expect(SocketAddress(address: IPAddress(high: 0, low: 1), port: 0).description == "[::1]:0")
    }
}
