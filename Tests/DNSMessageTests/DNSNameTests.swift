import Primitives
import Testing

@testable import DNSMessage

@Suite struct DNSNameTests {
    @Test("RFC 1035 3.1: a name is its labels, in lower case, whether a dot ends it or not")
    func labels() {
        #expect(DNSName("Pbx.Example.").labels == [3] + Array("pbx".utf8) + [7] + Array("example".utf8))
        #expect(DNSName("pbx.example") == DNSName("PBX.EXAMPLE."))
        #expect(String(decoding: DNSName("pbx.example").text, as: UTF8.self) == "pbx.example")
        #expect(DNSName("pbx.example").lastLabel.elementsEqual("example".utf8))
        #expect(DNSName.root.lastLabel.isEmpty)
    }

    @Test(
        "RFC 1035 2.3.4: empty and too long labels, too long names and NUL are no name",
        arguments: [
            "", ".", "..", "a..b", ".a", String(repeating: "a", count: 64),
            (0..<64).map { _ in "abc" }.joined(separator: "."), "a\0b",
        ])
    func bad(text: String) {
        #expect(text.withSlice { DNSName(host: $0) } == nil)
    }

    @Test("The longest label and the longest name are good")
    func longest() {
        let label = String(repeating: "a", count: 63)
        let name = "\(label).\(label).\(label).\(String(repeating: "b", count: 61))"
        #expect(DNSName(name).labels.count == 254)
        #expect(DNSName(name).below("_sip", "_udp") == nil)
    }

    @Test("RFC 2782: a service stands below the domain")
    func service() {
        let name = DNSName("example.com").below("_sip", "_udp")
        #expect(name == DNSName("_sip._udp.example.com"))
        #expect(name?.withoutService == DNSName("example.com"))
        #expect(DNSName("sip.example.com").withoutService == nil)
        #expect(DNSName("_sip._udp").withoutService == nil)
        #expect(DNSName.root.withoutService == nil)
    }
}
