import DNSMessage
import Primitives
import Testing

@testable import NameResolution

@Suite struct LookupCacheTests {
    private let records = LookupResult.records([.address(IPAddress(ipv4: 1))])
    private let start = Instant(milliseconds: 5000)

    private func question(_ number: Int) -> Question {
        Question("n\(number)".withSlice { DNSName(host: $0) } ?? .root, .a)
    }

    private func after(_ seconds: UInt64) -> Instant { start.advanced(byMilliseconds: seconds * 1000) }

    @Test(
        "An answer holds for its time, at least a second and at most a day",
        arguments: [(30, 30), (0, 1), (1_000_000, 86400)] as [(UInt32, UInt64)])
    func positive(time: UInt32, wanted: UInt64) {
        var cache = LookupCache(capacity: 10, byteLimit: 1 << 20)
        cache.insert(question(1), records, seconds: time, now: start)
        #expect(cache.result(of: question(1), now: start.advanced(byMilliseconds: wanted * 1000 - 1)) == records)
        #expect(cache.result(of: question(1), now: after(wanted)) == nil)
        #expect(cache.result(of: question(2), now: start) == nil)
    }

    @Test(
        "RFC 2308: that there is nothing holds for 5 seconds at least and 5 minutes at most",
        arguments: [(60, 60), (0, 5), (86400, 300)] as [(UInt32, UInt64)])
    func negative(time: UInt32, wanted: UInt64) {
        var cache = LookupCache(capacity: 10, byteLimit: 1 << 20)
        cache.insert(question(1), .absent, seconds: time, now: start)
        #expect(cache.result(of: question(1), now: start.advanced(byMilliseconds: wanted * 1000 - 1)) == .absent)
        #expect(cache.result(of: question(1), now: after(wanted)) == nil)
    }

    @Test("RFC 8767: when no server can say, an answer that has expired goes on for an hour, half a minute at a time")
    func stale() {
        var cache = LookupCache(capacity: 10, byteLimit: 1 << 20)
        cache.insert(question(1), records, seconds: 10, now: start)
        #expect(cache.staleResult(of: question(1), now: after(20)) == records)
        #expect(cache.noteFailure(question(1), now: after(20)) == records)
        #expect(cache.result(of: question(1), now: after(49)) == records)
        #expect(cache.result(of: question(1), now: after(50)) == nil)
        #expect(cache.noteFailure(question(1), now: after(3609)) == records)
        #expect(cache.result(of: question(1), now: after(3609)) == records)
        #expect(cache.result(of: question(1), now: after(3610)) == nil)
        #expect(cache.staleResult(of: question(1), now: after(3610)) == nil)
        #expect(cache.noteFailure(question(1), now: after(3611)) == nil)
    }

    @Test("That no server could say holds for five seconds, and is not kept beyond")
    func failure() {
        var cache = LookupCache(capacity: 10, byteLimit: 1 << 20)
        #expect(cache.noteFailure(question(1), now: start) == nil)
        #expect(cache.result(of: question(1), now: after(4)) == .failed)
        #expect(cache.result(of: question(1), now: after(5)) == nil)
        #expect(cache.staleResult(of: question(1), now: after(1)) == nil)
        cache.insert(question(1), records, seconds: 1, now: after(5))
        #expect(cache.result(of: question(1), now: after(5)) == records)
    }

    @Test("The least recently used goes when it is full")
    func bound() {
        var cache = LookupCache(capacity: 3, byteLimit: 1 << 20)
        for number in 0..<3 { cache.insert(question(number), records, seconds: 100, now: start) }
        #expect(cache.result(of: question(0), now: start) != nil)
        cache.insert(question(1), .absent, seconds: 100, now: start)
        cache.insert(question(3), records, seconds: 100, now: start)
        #expect(cache.count == 3)
        #expect((0..<4).map { cache.result(of: question($0), now: start) != nil } == [true, true, false, true])
        for number in 10..<1000 { cache.insert(question(number), records, seconds: 100, now: start) }
        #expect(cache.count == 3)
        #expect(cache.result(of: question(999), now: start) != nil)
        cache.removeAll()
        #expect(cache.count == 0)
        cache.insert(question(1), records, seconds: 100, now: start)
        #expect(cache.result(of: question(1), now: start) != nil)
    }

    @Test("Large answers are bounded by their bytes, whatever their number; the least recently used goes")
    func bytes() {
        let label = [UInt8](repeating: 97, count: 63)
        let text = Array([label, label, label].joined(separator: [46]))
        let target = text.withSlice { DNSName(host: $0) } ?? .root
        let large = LookupResult.records(
            (0..<32).map { .service(ServiceRecord(priority: $0, weight: 0, port: 1, target: target)) })
        var cache = LookupCache(capacity: 10_000, byteLimit: 100_000)
        for number in 0..<1000 {
            cache.insert(question(number), large, seconds: 100, now: start)
            #expect(cache.byteCount <= 100_000)
        }
        // 32 targets of 192 bytes are at least 6 KB.
        #expect((5...16).contains(cache.count), "\(cache.count)")
        #expect(cache.result(of: question(999), now: start) == large)
        #expect(cache.result(of: question(0), now: start) == nil)
        // Small ones take their places again, as many as there are bytes for.
        for number in 1000..<1200 { cache.insert(question(number), records, seconds: 100, now: start) }
        #expect(cache.count > 200)
        #expect((1000..<1200).allSatisfy { cache.result(of: question($0), now: start) == records })
        // An answer that grows takes the bytes of others, and one that is too large by itself is not kept.
        for number in 1000..<1200 { cache.insert(question(number), large, seconds: 100, now: start) }
        #expect(cache.byteCount <= 100_000)
        #expect(cache.count <= 16)
        var tiny = LookupCache(capacity: 10, byteLimit: 1000)
        tiny.insert(question(1), large, seconds: 100, now: start)
        #expect(tiny.count == 0)
        #expect(tiny.byteCount == 0)
        tiny.insert(question(2), records, seconds: 100, now: start)
        #expect(tiny.result(of: question(2), now: start) == records)
    }
}
