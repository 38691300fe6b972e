import SIPTransaction
import Testing

@Suite struct TransactionEffectTests {
    @Test func effectsAreReadInTheirOrder() {
        var transaction = ClientInviteTransaction(isReliable: false)
        let effects = transaction.handle(.request, TransactionTimerSettings())
        #expect(effects.count == 3 && !effects.isEmpty)
        #expect(effects[0] == .sendRequest && effects[1] == .start(.a, milliseconds: 500))
        #expect(effects.contains(.start(.b, milliseconds: 32_000)) && !effects.contains(.terminate))
    }

    @Test func noEffectIsAnEmptyList() {
        #expect(TransactionEffects().isEmpty && TransactionEffects().count == 0)
        #expect(!TransactionEffects().contains(.terminate))
    }
}
