import SIPTransaction
import Testing

@Suite struct TransactionTimerTests {
    @Test func onlyAAndEAndGSendAgain() {
        #expect(TransactionTimer.allCases.filter(\.isRetransmission) == [.a, .e, .g])
    }
}
