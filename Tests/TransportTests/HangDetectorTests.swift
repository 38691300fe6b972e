import Primitives
import Testing
import Transport

@Suite struct HangDetectorTests {
    private func at(_ milliseconds: UInt64) -> Instant { Instant(milliseconds: milliseconds) }

    /// Checks on time from `start` to `end`; gives the first finding and when it came.
    private func run(
        _ detector: inout HangDetector, from start: UInt64, to end: UInt64, limit: UInt64 = 3000,
        _ loops: (UInt64) -> [Instant]
    ) -> (index: Int, milliseconds: UInt64, at: UInt64)? {
        for time in stride(from: start, through: end, by: Int(HangDetector.interval)) {
            if let found = detector.check(loops(time), limit: limit, now: at(time)) {
                return (found.index, found.milliseconds, time)
            }
        }
        return nil
    }

    @Test func `Loops that come round are well, however long it lasts`() {
        var detector = HangDetector(now: at(1000))
        #expect(run(&detector, from: 1500, to: 100_000) { [at($0 - 100), at($0 - 90)] } == nil)
    }

    @Test func `A loop that stays away for longer than the limit is found, and which it is`() throws {
        var detector = HangDetector(now: at(0))
        let found = try #require(run(&detector, from: 500, to: 20_000) { [at($0), at(min($0, 5000))] })
        #expect(found.index == 1)
        #expect(found.at == 8500)
        #expect(found.milliseconds == 3500)
    }

    @Test func `A loop that never came round at all is found`() throws {
        var detector = HangDetector(now: at(50_000))
        let found = try #require(run(&detector, from: 50_500, to: 60_000) { _ in [at(0)] })
        #expect(found.at == 53_500)
    }

    @Test func `After a pause of the whole process every loop has its full time again`() throws {
        var detector = HangDetector(now: at(0))
        #expect(run(&detector, from: 500, to: 2500) { _ in [at(0)] } == nil)
        // Stopped for an hour.
        #expect(detector.check([at(0)], limit: 3000, now: at(3_600_000)) == nil)
        let found = try #require(run(&detector, from: 3_600_500, to: 3_610_000) { _ in [at(0)] })
        #expect(found.at == 3_603_500)
    }

    @Test func `Without a limit nothing hangs`() {
        var detector = HangDetector(now: at(0))
        #expect(run(&detector, from: 500, to: 100_000, limit: 0) { _ in [at(0)] } == nil)
    }

    @Test func `A lower limit holds from the next check on`() throws {
        var detector = HangDetector(now: at(0))
        #expect(run(&detector, from: 500, to: 2000, limit: 30_000) { _ in [at(0)] } == nil)
        #expect(run(&detector, from: 2500, to: 2500, limit: 1000) { _ in [at(0)] }?.index == 0)
    }
}
