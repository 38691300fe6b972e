import Primitives
import Testing

@testable import DNSMessage

@Suite struct DNSQueryTests {
    @Test("RFC 1035 4.1: a query has RD, one question, and by EDNS0 the size that we take")
    func bytes() {
        let query = DNSQuery("a.example", .srv)
        #expect(
            query.bytes == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1] + DNSName("a.example").wire + [0, 33, 0, 1]
                + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])
        let plain = DNSQuery(Question(DNSName("a"), .a), identifier: 1, letters: 0, isExtended: false)
        #expect(plain.bytes == [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1])
    }

    @Test("0x20: the letters' case is chosen by the bits, digits and lengths stay")
    func letters() {
        let question = Question(DNSName("ab1.c"), .a)
        let query = DNSQuery(question, identifier: 1, letters: 0b101, isExtended: false)
        #expect(Array(query.question) == [3] + Array("Ab1".utf8) + [1] + Array("C".utf8) + [0, 0, 1, 0, 1])
        let long = Question(DNSName(String(repeating: "a", count: 60) + ".example.org"), .a)
        let upper = DNSQuery(long, identifier: 1, letters: UInt64.max, isExtended: false)
        #expect(String(decoding: upper.question, as: UTF8.self).contains("EXAMPLE"))
    }

    @Test("An answer is known by its identifier and its question")
    func match() {
        let query = DNSQuery(Question(DNSName("ab"), .a), identifier: 7, letters: 1, isExtended: true)
        let packet = Packet(to: query)
        let header = packet.bytes.withSlice { DNSHeader($0) }
        #expect(header?.match(query) == .exact)
        #expect(header?.match(DNSQuery("ab", identifier: 7)) == .exceptCase)
        #expect(header?.match(DNSQuery("ab", identifier: 8)) == DNSHeader.Match.none)
        #expect(header?.match(DNSQuery("ac", identifier: 7)) == DNSHeader.Match.none)
        #expect(header?.match(DNSQuery("ab", .aaaa, identifier: 7)) == DNSHeader.Match.none)
    }

    @Test("A query, another opcode, and two questions are no answer")
    func noResponse() {
        let query = DNSQuery("ab")
        #expect(query.bytes.withSlice { DNSHeader($0) } == nil)
        var packet = Packet(to: query)
        packet.bytes[2] = 0xa8
        #expect(packet.response == nil)
        packet.bytes[2] = 0x81
        #expect(packet.response != nil)
        packet.bytes[5] = 2
        #expect(packet.response == nil)
    }
}
