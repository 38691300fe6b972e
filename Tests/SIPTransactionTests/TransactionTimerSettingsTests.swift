import SIPTransaction
import Testing

@Suite struct TransactionTimerSettingsTests {
    @Test func theDefaultsAreThoseOfRFC3261Table4() {
        let settings = TransactionTimerSettings()
        #expect(settings.t1 == 500 && settings.t2 == 4_000 && settings.t4 == 5_000)
        #expect(settings.timerD == 32_000 && settings.transactionTimeout == 32_000)
    }

    @Test func intervalsDoubleFromT1WithAndWithoutTheLimitT2() {
        let settings = TransactionTimerSettings()
        #expect(
            (0...6).map { settings.interval(beforeRetransmission: $0) } == [
                500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000,
            ])
        #expect(
            (0...5).map { settings.limitedInterval(beforeRetransmission: $0) } == [
                500, 1_000, 2_000, 4_000, 4_000, 4_000,
            ])
    }

    @Test func rfc4320Section41A100ToANonINVITEIsDueWhenTimerEIsResetToT2() {
        #expect(TransactionTimerSettings().nonInviteTryingDelay == 3_500)
        var slow = TransactionTimerSettings()
        slow.t1 = 4_000
        #expect(slow.nonInviteTryingDelay == 0)
    }

    @Test func extremeSettingsDoNotOverflow() {
        var settings = TransactionTimerSettings()
        settings.t1 = UInt32.max
        #expect(settings.transactionTimeout == UInt32.max)
        #expect(settings.interval(beforeRetransmission: 255) == UInt32.max)
        settings.t1 = 0
        #expect(settings.nonInviteTryingDelay == 0 && settings.interval(beforeRetransmission: 31) == 0)
    }
}
