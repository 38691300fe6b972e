import Primitives
import Testing

@Suite struct InstantTests {
    @Test func anInstantIsOrderedAndMovedByMilliseconds() {
        let early = Instant(milliseconds: 1_000)
        let late = early.advanced(byMilliseconds: 500)
        #expect(early < late && late.milliseconds == 1_500)
        #expect(late.milliseconds(since: early) == 500)
    }

    @Test func theTimeSinceALaterInstantIsZero() {
        #expect(Instant(milliseconds: 1).milliseconds(since: Instant(milliseconds: 2)) == 0)
    }

    @Test func unixTimeCountsSecondsAndMilliseconds() {
        #expect(UnixTime(seconds: 7).milliseconds == 7_000)
        #expect(UnixTime(milliseconds: 7_999).seconds == 7)
        #expect(UnixTime(seconds: 7) < UnixTime(milliseconds: 7_001))
    }
}
