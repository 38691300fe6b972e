import Primitives
import Testing

@testable import DNSMessage

@Suite struct DNSResponseTests {
    @Test("Addresses of both kinds, with their times")
    func addresses() {
        var packet = Packet(to: DNSQuery("a.example"), answers: 2)
        packet.add(1, [192, 0, 2, 1])
        packet.add(28, owner: DNSName("a.example").wire, time: 0xffff_ffff, [UInt8](repeating: 1, count: 16))
        let response = packet.response
        #expect(response?.code == .noError)
        #expect(response?.answers.first?.value == .address(IPAddress(ipv4: 0xc000_0201)))
        #expect(response?.answers.first?.timeToLive == 300)
        // RFC 2181 section 8.
        #expect(response?.answers.last?.timeToLive == 0)
        #expect(response?.answers.last?.name == DNSName("a.example"))
    }

    @Test("SRV, NAPTR, CNAME and SOA, with compressed names")
    func records() {
        var packet = Packet(to: DNSQuery("example"), answers: 3, authorities: 1)
        packet.add(33, [0, 1, 0, 2, 0x13, 0xc4, 3] + Array("Sip".utf8) + [0xc0, 12])
        let naptr: [UInt8] = [0, 1, 0, 2, 1, 0x53, 7] + Array("SIP+D2U".utf8) + [0] + DNSName("_sip._udp.example").wire
        packet.add(35, naptr)
        packet.add(5, DNSName("other.example").wire)
        packet.add(6, time: 100, Packet.soa)
        let response = packet.response
        #expect(
            response?.answers.map(\.value) == [
                .service(ServiceRecord(priority: 1, weight: 2, port: 5060, target: DNSName("sip.example"))),
                .namingAuthority(
                    NamingAuthorityRecord(
                        order: 1, preference: 2, flags: Array("s".utf8), services: Array("sip+d2u".utf8),
                        replacement: DNSName("_sip._udp.example"))),
                .alias(DNSName("other.example")),
            ])
        // RFC 2308 section 5: the smaller of the record's time and its minimum.
        #expect(response?.negativeTimeToLive == 60)
    }

    @Test("Records of other types and classes are passed over")
    func others() {
        var packet = Packet(to: DNSQuery("a"), answers: 3)
        packet.add(46, [UInt8](repeating: 7, count: 90))
        packet.add(1, kind: 3, [1, 2, 3, 4])
        packet.add(1, [1, 2, 3, 4])
        #expect(packet.response?.answers.count == 1)
    }

    @Test("RFC 1035 4.1.4: a pointer to itself, a loop and a pointer forwards are no name")
    func loops() {
        for owner in [
            [0xc0, 19], [1, 97, 0xc0, 19], [0xc0, 21, 0xc0, 19], [0xc0, 0xff], [0xff, 0xff], [0x41, 97, 0],
        ]
            as [[UInt8]]
        {
            var packet = Packet(to: DNSQuery("a"), answers: 1)
            #expect(packet.bytes.count == 19)
            packet.add(1, owner: owner, [1, 2, 3, 4])
            #expect(packet.response == nil, "\(owner)")
        }
        // A chain of pointers backwards is good, and a name of more than 255 bytes out of them is not.
        var packet = Packet(to: DNSQuery(String(repeating: "a", count: 63)), answers: 5)
        var last = 12
        for _ in 0..<5 {
            let start = packet.bytes.count
            let owner = [63] + [UInt8](repeating: 98, count: 63) + [UInt8(0xc0 | last >> 8), UInt8(last & 0xff)]
            packet.add(1, owner: owner, [1, 2, 3, 4])
            last = start
        }
        #expect(packet.response == nil)
    }

    @Test("A name of 127 pointers is read, one of 128 is not: else each record could have a long way to its name")
    func chains() {
        for (length, isGood) in [(127, true), (128, false)] {
            // A record that is not understood holds the chain: the root, then pointers, each to the one before.
            var packet = Packet(to: DNSQuery("a"), answers: 2)
            let start = packet.bytes.count + 12
            var chain: [UInt8] = [0]
            for step in 1..<length {
                let target = start + (step == 1 ? 0 : 2 * step - 3)
                chain += [UInt8(0xc0 | target >> 8), UInt8(target & 0xff)]
            }
            packet.add(99, chain)
            let last = packet.bytes.count - 2
            packet.add(1, owner: [UInt8(0xc0 | last >> 8), UInt8(last & 0xff)], [1, 2, 3, 4])
            #expect((packet.response?.answers.count == 1) == isGood, "\(length) pointers")
        }
    }

    @Test("Wrong lengths and counts are no response")
    func lengths() {
        for data in [[1, 2, 3], [1, 2, 3, 4, 5], []] as [[UInt8]] {
            var packet = Packet(to: DNSQuery("a"), answers: 1)
            packet.add(1, data)
            #expect(packet.response == nil)
        }
        var packet = Packet(to: DNSQuery("a"), answers: 2)
        packet.add(1, [1, 2, 3, 4])
        #expect(packet.response == nil)
        // The content of SRV reaches beyond its length, into the next record.
        packet = Packet(to: DNSQuery("a", .srv), answers: 2)
        packet.add(33, [0, 1, 0, 2, 0, 80])
        packet.add(1, owner: [0], [1, 2, 3, 4])
        #expect(packet.response == nil)
    }

    @Test("At most 32 records are taken, also of an answer that says it has 65535")
    func bound() {
        var packet = Packet(to: DNSQuery("a"), answers: 65535)
        for number in 0..<40 { packet.add(1, [1, 2, 3, UInt8(number)]) }
        #expect(packet.response?.answers.count == 32)
    }

    @Test("TC: the records of a truncated answer are not read")
    func truncated() {
        var packet = Packet(to: DNSQuery("a"), truncated: true, answers: 9)
        packet.bytes += [1]
        #expect(packet.response?.isTruncated == true)
        #expect(packet.response?.answers.isEmpty == true)
    }

    @Test("Whatever bytes come, reading them ends: truncated at each place, and with each byte changed")
    func mutations() {
        var packet = Packet(to: DNSQuery("a.example", .naptr), answers: 4, authorities: 1)
        packet.add(33, [0, 1, 0, 2, 0x13, 0xc4, 3] + Array("sip".utf8) + [0xc0, 12])
        packet.add(35, [0, 1, 0, 2, 1, 0x53, 7] + Array("SIP+D2U".utf8) + [0, 0xc0, 12])
        packet.add(5, [1, 98, 0xc0, 12])
        packet.add(28, [UInt8](repeating: 1, count: 16))
        packet.add(6, Packet.soa)
        let good = packet.bytes
        let query = DNSQuery("a.example", .naptr)
        #expect(packet.response?.answers.count == 4)
        var read = 0
        func feed(_ bytes: [UInt8]) {
            bytes.withSlice { bytes in
                _ = DNSHeader(bytes)?.match(query)
                guard let response = DNSResponse(bytes) else { return }
                read += 1
                for type in [RecordType.a, .aaaa, .srv, .naptr] {
                    _ = response.result(of: Question(DNSName("a.example"), type))
                }
            }
        }
        for length in 0..<good.count { feed(Array(good[0..<length])) }
        for index in good.indices {
            for value in UInt8.min...UInt8.max {
                var bytes = good
                bytes[index] = value
                feed(bytes)
            }
        }
        // Several changes at once, by a generator that is the same each time.
        var state: UInt64 = 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<50_000 {
            var bytes = good
            for _ in 0..<1 + next(8) { bytes[next(bytes.count)] = UInt8(next(256)) }
            if next(4) == 0 { bytes.removeLast(next(bytes.count)) }
            feed(bytes)
        }
        #expect(read > 1000)
    }
}
