import Primitives
import Testing

@Suite struct FailureTableTests {
    let table = FailureTable(window: 1000)
    let start = UnixTime(seconds: 1_700_000_000)

    func time(_ milliseconds: Int64) -> UnixTime { UnixTime(milliseconds: start.milliseconds + milliseconds) }

    @Test func `Each key has its own count, which a reset forgets`() {
        let first = HashValue(1, 1)
        let second = HashValue(1, 2)
        #expect((1...4).map { _ in table.add(first, now: start) } == [1, 2, 3, 4])
        #expect(table.add(second, now: start) == 1)
        table.reset(first)
        #expect(table.add(first, now: start) == 1)
        #expect(table.add(second, now: start) == 2)
    }

    @Test func `A count lasts for the window after its last failure`() {
        let key = HashValue(7, 7)
        #expect(table.add(key, now: time(0)) == 1)
        #expect(table.add(key, now: time(1000)) == 2)
        #expect(table.add(key, now: time(2000)) == 3)
        #expect(table.add(key, now: time(3001)) == 1)
    }

    @Test func `Of five keys in one set the one raised longest ago is forgotten`() {
        let keys = (0..<5).map { HashValue(9, UInt64($0 + 1)) }
        for (index, key) in keys.enumerated() { #expect(table.add(key, now: time(Int64(index))) == 1) }
        #expect(keys.dropFirst().map { table.add($0, now: time(10)) } == [2, 2, 2, 2])
        #expect(table.add(keys[0], now: time(11)) == 1)
    }

    @Test func `A key that is counted again in another place is found there`() {
        let (old, key, other) = (HashValue(9, 1), HashValue(9, 2), HashValue(9, 3))
        #expect(table.add(old, now: time(0)) == 1)
        #expect(table.add(key, now: time(0)) == 1)
        #expect(table.add(other, now: time(900)) == 1)
        // All places but that of `other` are free by now.
        #expect(table.add(key, now: time(1500)) == 1)
        #expect(table.add(key, now: time(1600)) == 2)
        #expect(table.count(of: key, now: time(1600)) == 2)
        #expect(table.count(of: old, now: time(1600)) == 0)
        table.reset(key)
        #expect(table.count(of: key, now: time(1600)) == 0)
    }

    @Test func `A key that failed is found again among many`() {
        let key = HashValue(0x1234_5678, 1)
        for number in 0..<100 { _ = table.add(HashValue(UInt64(number) << 12, 5), now: start) }
        #expect(table.add(key, now: start) == 1)
        #expect(table.add(key, now: start) == 2)
    }
}
