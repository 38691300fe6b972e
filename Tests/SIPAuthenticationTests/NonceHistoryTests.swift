import Primitives
import SIPAuthentication
import Testing

struct NonceHistoryTests {
    private func nonce(_ milliseconds: Int64, _ counter: UInt32 = 0) -> NonceIdentifier {
        NonceIdentifier(time: UnixTime(milliseconds: 1_700_000_000_000 + milliseconds), counter: counter)
    }

    @Test("An empty history is small")
    func size() {
        #expect(MemoryLayout<NonceHistory>.size <= 16)
    }

    @Test("RFC 7616 3.4.5: each nonce count is good once")
    func counting() {
        var history = NonceHistory()
        for count in UInt32(1)...200 {
            #expect(history.accept(nonce: nonce(0), nonceCount: count, fingerprint: UInt64(count)) == .fresh)
        }
        for count in UInt32(1)...200 {
            #expect(history.accept(nonce: nonce(0), nonceCount: count, fingerprint: 1_000) == .replay)
        }
        #expect(history.count == 1)
    }

    @Test("The last accepted request once more is a retransmission, an earlier one is a replay")
    func retransmission() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 11) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 11) == .retransmission)
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 12) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 2, fingerprint: 22) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 11) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 2, fingerprint: 22) == .retransmission)
    }

    @Test("A request that could not be carried out is no retransmission when it comes again; the next one is as always")
    func forgotten() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 11) == .fresh)
        history.forgetFingerprints()
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 11) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 2, fingerprint: 22) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 2, fingerprint: 22) == .retransmission)
    }

    @Test("RFC 7616 3.4: a nonce count of zero is refused")
    func zero() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(0), nonceCount: 0, fingerprint: 1) == .replay)
        #expect(history.count == 0)
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 1) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 0, fingerprint: 1) == .replay)
    }

    @Test("Requests that overtake one another are accepted within 64 counts")
    func window() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(0), nonceCount: 100, fingerprint: 1) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 37, fingerprint: 2) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 37, fingerprint: 3) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 36, fingerprint: 4) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 99, fingerprint: 5) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 99, fingerprint: 6) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 163, fingerprint: 7) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 100, fingerprint: 8) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 101, fingerprint: 9) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: .max, fingerprint: 10) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: 163, fingerprint: 11) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: .max - 63, fingerprint: 12) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: .max, fingerprint: 13) == .replay)
    }

    @Test("RFC 2069: without qop a nonce is good for one request and its retransmissions")
    func withoutCount() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(0), nonceCount: nil, fingerprint: 1) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: nil, fingerprint: 1) == .retransmission)
        #expect(history.accept(nonce: nonce(0), nonceCount: nil, fingerprint: 2) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 3) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: .max, fingerprint: 3) == .replay)
    }

    @Test("A nonce used with a count is spent for requests without one")
    func mixed() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 1) == .fresh)
        #expect(history.accept(nonce: nonce(0), nonceCount: nil, fingerprint: 2) == .replay)
        #expect(history.accept(nonce: nonce(0), nonceCount: 2, fingerprint: 3) == .fresh)
    }

    @Test("The oldest of eight nonces is forgotten for a ninth, and is stale from then on")
    func eviction() {
        var history = NonceHistory()
        for index in [3, 1, 2, 4, 5, 6, 7, 8] as [Int64] {
            #expect(history.accept(nonce: nonce(index), nonceCount: 1, fingerprint: 1) == .fresh)
        }
        #expect(history.accept(nonce: nonce(9), nonceCount: 1, fingerprint: 1) == .fresh)
        #expect(history.count == 8)
        #expect(history.accept(nonce: nonce(1), nonceCount: 1, fingerprint: 1) == .stale)
        #expect(history.accept(nonce: nonce(1), nonceCount: 2, fingerprint: 2) == .stale)
        #expect(history.accept(nonce: nonce(1, 5), nonceCount: 1, fingerprint: 1) == .stale)
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 1) == .stale)
        #expect(history.accept(nonce: nonce(2), nonceCount: 1, fingerprint: 1) == .retransmission)
        #expect(history.accept(nonce: nonce(2), nonceCount: 2, fingerprint: 2) == .fresh)
    }

    @Test("A new nonce older than all that fill the history is stale, and pushes nothing out")
    func tooOld() {
        var history = NonceHistory()
        for index in 1...8 as ClosedRange<Int64> {
            #expect(history.accept(nonce: nonce(index), nonceCount: 1, fingerprint: 1) == .fresh)
        }
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 1) == .stale)
        #expect(history.accept(nonce: nonce(1), nonceCount: 2, fingerprint: 2) == .fresh)
    }

    @Test("Nonces of one millisecond are told apart, and one that remains is good though its twin was pushed out")
    func twins() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(1, 1), nonceCount: 1, fingerprint: 1, limit: 2) == .fresh)
        #expect(history.accept(nonce: nonce(1, 2), nonceCount: 1, fingerprint: 1, limit: 2) == .fresh)
        #expect(history.accept(nonce: nonce(2), nonceCount: 1, fingerprint: 1, limit: 2) == .fresh)
        #expect(history.accept(nonce: nonce(1, 1), nonceCount: 1, fingerprint: 1, limit: 2) == .stale)
        #expect(history.accept(nonce: nonce(1, 2), nonceCount: 2, fingerprint: 2, limit: 2) == .fresh)
    }

    @Test("Expired nonces are forgotten and stay stale")
    func forgetting() {
        var history = NonceHistory()
        #expect(history.accept(nonce: nonce(0), nonceCount: 1, fingerprint: 1) == .fresh)
        #expect(history.accept(nonce: nonce(5), nonceCount: 1, fingerprint: 1) == .fresh)
        history.forget(issuedBefore: nonce(5).time)
        #expect(history.count == 1)
        #expect(history.accept(nonce: nonce(0), nonceCount: 2, fingerprint: 2) == .stale)
        #expect(history.accept(nonce: nonce(4), nonceCount: 1, fingerprint: 2) == .stale)
        #expect(history.accept(nonce: nonce(5), nonceCount: 1, fingerprint: 2) == .replay)
        #expect(history.accept(nonce: nonce(5), nonceCount: 2, fingerprint: 2) == .fresh)
        // Time does not run back.
        history.forget(issuedBefore: UnixTime(milliseconds: -1))
        #expect(history.accept(nonce: nonce(4), nonceCount: 1, fingerprint: 2) == .stale)
        history.forget(issuedBefore: nonce(6).time)
        #expect(history.count == 0)
    }
}
