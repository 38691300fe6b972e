import DNSMessage
import Primitives
import Testing

@testable import NameResolution

@Suite struct ServiceOrderTests {
    private func record(_ priority: UInt16, _ weight: UInt16, _ port: UInt16) -> ServiceRecord {
        ServiceRecord(priority: priority, weight: weight, port: port, target: .root)
    }

    @Test("RFC 2782: lower priorities first; weights share out what is of one priority")
    func weights() {
        var random = RandomNumbers(key: HashKey(5, 6))
        let records = [record(2, 0, 9), record(1, 10, 1), record(1, 30, 3), record(1, 0, 0)]
        var first: [UInt16: Int] = [:]
        for _ in 0..<4000 {
            let order = ServiceOrder.sorted(records, &random)
            #expect(order.count == 4)
            #expect(order.last?.port == 9)
            first[order[0].port, default: 0] += 1
        }
        // 1 in 41 for weight 0, then 10 to 30.
        #expect((2700...3200).contains(first[3] ?? 0), "\(first)")
        #expect((800...1150).contains(first[1] ?? 0), "\(first)")
        #expect((40...170).contains(first[0] ?? 0), "\(first)")
    }

    @Test("No record is no order, and the largest weights do not overflow")
    func extremes() {
        var random = RandomNumbers(key: HashKey(5, 6))
        #expect(ServiceOrder.sorted([], &random).isEmpty)
        let heavy = (0..<32).map { record(65535, 65535, UInt16($0)) }
        #expect(Set(ServiceOrder.sorted(heavy, &random).map(\.port)).count == 32)
    }
}
