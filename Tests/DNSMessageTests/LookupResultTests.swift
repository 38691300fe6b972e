import Primitives
import Testing

@testable import DNSMessage

@Suite struct LookupResultTests {
    private let question = Question(DNSName("a"), .a)

    private func result(
        code: UInt8 = 0, answers: UInt16 = 0, authorities: UInt16 = 0, _ fill: (inout Packet) -> Void = { _ in }
    ) -> (result: LookupResult, timeToLive: UInt32)? {
        var packet = Packet(to: DNSQuery("a"), code: code, answers: answers, authorities: authorities)
        fill(&packet)
        return packet.response?.result(of: question)
    }

    @Test("The records of the name, for the shortest of their times")
    func records() {
        let found = result(answers: 3) {
            $0.add(1, time: 60, [1, 2, 3, 4])
            $0.add(1, time: 30, [1, 2, 3, 5])
            $0.add(28, time: 1, [UInt8](repeating: 0, count: 16))
        }
        #expect(
            found?.result == .records([.address(IPAddress(ipv4: 0x0102_0304)), .address(IPAddress(ipv4: 0x0102_0305))]))
        #expect(found?.timeToLive == 30)
    }

    @Test("Of NAPTR only what names a SIP service is kept; without any there is none, for the time of the records")
    func namingAuthority() {
        func data(_ flags: String, _ services: String, _ expression: String = "", order: UInt8) -> [UInt8] {
            var data: [UInt8] = [0, order, 0, 1]
            for text in [flags, services, expression] { data += [UInt8(text.utf8.count)] + Array(text.utf8) }
            return data + DNSName("_sip._udp.b").wire
        }
        let others = [
            data("u", "E2U+sip", "!^.*$!sip:b@b!", order: 1), data("", "SIP+D2U", order: 2),
            data("s", "SIPS+D2T", order: 3),
            data("s", "SIP+D2U", "!a!b!", order: 4), data(String(repeating: "s", count: 255), "SIP+D2U", order: 5),
            data("s", String(repeating: "x", count: 255), order: 6),
        ]
        func orders(_ records: [[UInt8]]) -> (orders: [UInt16]?, time: UInt32?) {
            var packet = Packet(to: DNSQuery("a", .naptr), answers: UInt16(records.count))
            for record in records { packet.add(35, time: 77, record) }
            let found = packet.response?.result(of: Question(DNSName("a"), .naptr))
            guard case .records(let values) = found?.result else { return (nil, found?.timeToLive) }
            return (
                values.map { if case .namingAuthority(let record) = $0 { record.order } else { 0 } }, found?.timeToLive
            )
        }
        #expect(orders(others + [data("S", "Sip+D2U", order: 7), data("s", "sip+d2t", order: 8)]).orders == [7, 8])
        let none = orders(others)
        #expect(none.orders == nil)
        #expect(none.time == 77)
    }

    @Test("Records of names that were not asked for are not believed")
    func strangers() {
        let found = result(answers: 1) { $0.add(1, owner: DNSName("victim.example").wire, [6, 6, 6, 6]) }
        #expect(found?.result == .absent)
    }

    @Test("An alias is followed within the answer, and asked for when its answer is not there")
    func aliases() {
        let whole = result(answers: 2) {
            $0.add(5, time: 20, DNSName("b").wire)
            $0.add(1, owner: DNSName("b").wire, time: 60, [1, 2, 3, 4])
        }
        #expect(whole?.result == .records([.address(IPAddress(ipv4: 0x0102_0304))]))
        #expect(whole?.timeToLive == 20)
        let part = result(answers: 1) { $0.add(5, time: 20, DNSName("b").wire) }
        #expect(part?.result == .alias(DNSName("b")))
        let end = result(answers: 1, authorities: 1) {
            $0.add(5, time: 20, DNSName("b").wire)
            $0.add(6, Packet.soa)
        }
        #expect(end?.result == .absent)
    }

    @Test("A loop of aliases, and more than eight of them, are a failure")
    func aliasLoop() {
        let loop = result(answers: 2) {
            $0.add(5, DNSName("b").wire)
            $0.add(5, owner: DNSName("b").wire, DNSName("a").wire)
        }
        #expect(loop?.result == .failed)
        for (count, wanted) in [(8, LookupResult.alias(DNSName("n8"))), (9, .failed)] {
            let chain = result(answers: UInt16(count)) {
                for number in 0..<count {
                    $0.add(5, owner: DNSName(number == 0 ? "a" : "n\(number)").wire, DNSName("n\(number + 1)").wire)
                }
            }
            #expect(chain?.result == wanted)
        }
    }

    @Test("RFC 2308: no such name and no such record, for the time of the SOA")
    func negative() {
        let missing = result(code: 3, authorities: 1) { $0.add(6, time: 100, Packet.soa) }
        #expect(missing?.result == .absent)
        #expect(missing?.timeToLive == 60)
        #expect(result()?.result == .absent)
        #expect(result(code: 3)?.timeToLive == 0)
    }

    @Test("SERVFAIL and REFUSED say nothing", arguments: [1, 2, 4, 5, 9] as [UInt8])
    func failures(code: UInt8) { #expect(result(code: code)?.result == .failed) }
}
