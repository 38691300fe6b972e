import Primitives
import Testing

@testable import SIPRegistrar

@Suite struct NonceClockTests {
    let clock = NonceClock(start: UnixTime(milliseconds: 1_000_000))

    private func time(_ milliseconds: Int64) -> Int64 {
        clock.time(at: UnixTime(milliseconds: milliseconds)).milliseconds
    }

    @Test func `The time is the calendar's while that goes on, by itself or set forward`() {
        #expect(time(1_000_000) == 1_000_000)
        #expect(time(1_000_050) == 1_000_050)
        #expect(time(9_000_000) == 9_000_000)
    }

    @Test func `Readings of two workers may differ a little`() {
        #expect(time(1_005_000) == 1_005_000)
        #expect(time(1_004_000) == 1_004_000)
        #expect(time(1_005_001) == 1_005_001)
    }

    @Test func `The time goes on where it was when the calendar is set back, also twice`() {
        #expect(time(5_000_000) == 5_000_000)
        #expect(time(2_000_000) == 5_000_000)
        #expect(time(2_000_700) == 5_000_700)
        #expect(time(1_000_000) == 5_000_700)
        #expect(time(1_060_000) == 5_060_700)
    }
}
