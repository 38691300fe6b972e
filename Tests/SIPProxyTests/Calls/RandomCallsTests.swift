import Testing

@testable import SIPProxy

@Suite("Random calls of applications")
struct RandomCallsTests {
    @Test(
        "Whoever answers, cancels and hangs up when: one final answer, an ACK for each 2xx, nothing left",
        arguments: 0..<5 as Range<UInt64>)
    func races(_ seed: UInt64) {
        let calls = RandomCalls(seed: seed)
        calls.run(calls: 220)
        calls.expectRules()
        // The run was none in which nothing happened.
        for state in ["answered", "cancelled", "hung up by a phone", "hung up by the server", "session taken"] {
            #expect(calls.seen[state, default: 0] > 0, "\(state): \(calls.seen)")
        }
    }
}
