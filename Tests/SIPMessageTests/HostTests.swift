import Primitives
import SIPMessage
import Testing

@Suite("Host")
struct HostTests {
    @Test("A host is an IPv4 address, an IPv6 address in brackets, or a name")
    func kinds() {
        if case .address(let address) = Host("192.0.2.1") {
            #expect(address.ipv4 == 0xc000_0201)
        } else {
            Issue.record()
        }
        if case .address(let address) = Host("[2001:DB8::1]") {
            #expect(address.high == 0x2001_0db8_0000_0000 && address.low == 1)
        } else {
            Issue.record()
        }
        for text in ["example.com", "a_b-c.d", "1and1.example", "192.0.2.256", "1.2.3", "localhost"] {
            let name = text.withSlice { slice -> String? in
                guard case .name(let name) = Host(slice) else { return nil }
                return name.string
            }
            #expect(name == text)
        }
    }

    @Test(
        "Anything else is no host",
        arguments: ["", "::1", "[1.2.3.4]", "[::1", "[]", "[::1]x", "a b", "a:1", "a/b", "é", "a\u{0}", "<a>"])
    func malformed(text: String) {
        let isHost = text.withSlice { Host($0) != nil }
        #expect(!isHost)
    }

    @Test("A name has at most 255 bytes")
    func length() {
        let longest = String(repeating: "a", count: 255).withSlice { Host($0) != nil }
        let longer = String(repeating: "a", count: 256).withSlice { Host($0) != nil }
        #expect(longest && !longer)
    }
}
