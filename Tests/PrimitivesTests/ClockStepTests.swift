import Primitives
import Testing

@Suite struct ClockStepTests {
    private let day: Int64 = 86_400_000
    private let start: Int64 = 1_700_000_000_000

    private func unix(_ milliseconds: Int64) -> UnixTime { UnixTime(milliseconds: start + milliseconds) }
    private func at(_ milliseconds: UInt64) -> Instant { Instant(milliseconds: 5_000_000 + milliseconds) }

    @Test func `A clock that goes on is not set, also after a long sleep of the machine`() {
        var watch = ClockWatch()
        #expect(watch.check(unix(0), elapsed: at(0)) == nil)
        #expect(watch.check(unix(100), elapsed: at(100)) == nil)
        #expect(watch.check(unix(day), elapsed: at(UInt64(day))) == nil)
    }

    @Test func `Small corrections are no step, and do not add up to one`() {
        var watch = ClockWatch()
        for number in Int64(0)..<1000 {
            #expect(watch.check(unix(number * 1100), elapsed: at(UInt64(number) * 100)) == nil)
        }
    }

    @Test(arguments: [1, -1])
    func `A step is found once, with how far it goes`(sign: Int64) throws {
        var watch = ClockWatch()
        #expect(watch.check(unix(0), elapsed: at(0)) == nil)
        let found = watch.check(unix(sign * day + 100), elapsed: at(100))
        let step = try #require(found)
        #expect(step.milliseconds == sign * day)
        #expect(watch.check(unix(sign * day + 200), elapsed: at(200)) == nil)
    }

    @Test func `Forward: what was noted before moves, what was noted since and what a right clock noted does not`() {
        let step = ClockStep(expected: unix(100), actual: unix(day + 100), window: 150)
        #expect(step.isBefore(unix(0)))
        #expect(step.isBefore(unix(100)))
        #expect(!step.isBefore(unix(day + 50)))
        #expect(!step.isBefore(unix(day / 2)), "of the run before, whose clock was ahead of ours")
        #expect(step.moved(unix(600_000)) == unix(day + 600_000))
    }

    @Test func `Back: what was noted before moves, what was noted since does not`() {
        let step = ClockStep(expected: unix(100), actual: unix(100 - day), window: 150)
        #expect(step.isBefore(unix(0)))
        #expect(step.isBefore(unix(-2 * day)))
        #expect(step.isBefore(unix(101 - day)))
        #expect(!step.isBefore(unix(50 - day)))
        #expect(step.moved(unix(600_000)) == unix(600_000 - day))
    }
}
