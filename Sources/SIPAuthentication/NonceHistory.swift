import Primitives

/// The nonces that one client used lately, so that no request of its is accepted twice (RFC 7616 section 3.4.5).
///
/// Bounded: the oldest nonce is forgotten for a new one, and everything not newer than a forgotten one is stale from then
/// on. An empty history is 16 bytes, without allocation.
public struct NonceHistory: Sendable {
    /// What a request with correct credentials is.
    public enum Verdict: Sendable {
        /// A request not seen before.
        case fresh
        /// The request accepted last, once more: it deserves the same answer again.
        case retransmission
        /// Credentials that were used before for something else, or a nonce count of zero.
        case replay
        /// A nonce too old to know whether it was used: to be answered by a challenge with `stale=true`.
        case stale
    }

    /// How many nonces are remembered unless the caller says otherwise.
    public static let defaultLimit = 8

    private var entries: [Entry] = []
    // All nonces issued before this many milliseconds since 1970 are stale.
    private var horizon: UInt64 = 0

    /// A history without nonces.
    public init() {}

    /// The number of nonces remembered.
    public var count: Int { entries.count }

    /// Judges a request whose response was correct, and remembers it when it is fresh.
    ///
    /// - Parameters:
    ///   - nonce: the nonce, known to be valid.
    ///   - nonceCount: nil for credentials without `qop`, with which a nonce is good once.
    ///   - fingerprint: a hash over what tells a retransmission from another request: Call-ID, CSeq, method, response.
    ///   - limit: how many nonces to remember, at least 1.
    public mutating func accept(
        nonce: NonceIdentifier, nonceCount: UInt32?, fingerprint: UInt64, limit: Int = defaultLimit
    ) -> Verdict {
        // RFC 7616 section 3.4: the count starts at 1.
        if nonceCount == 0 { return .replay }
        for index in entries.indices where entries[index].nonce == nonce {
            return entries[index].accept(nonceCount, fingerprint)
        }
        if nonce.milliseconds < horizon { return .stale }
        if entries.count >= max(1, limit) {
            guard let oldest = entries.indices.min(by: { entries[$0].nonce < entries[$1].nonce }) else { return .stale }
            if nonce < entries[oldest].nonce { return .stale }
            horizon = max(horizon, entries[oldest].nonce.milliseconds + 1)
            entries.remove(at: oldest)
        }
        entries.append(Entry(nonce: nonce, nonceCount: nonceCount, fingerprint: fingerprint))
        return .fresh
    }

    /// Lets no request count as the repetition of an accepted one any more: what comes again is a replay, to be challenged.
    /// For a request that was accepted and then could not be carried out.
    public mutating func forgetFingerprints() {
        // No request has 0, but for one in 2^64.
        for index in entries.indices { entries[index].fingerprint = 0 }
    }

    /// Forgets the nonces issued before `time`, which count as stale from then on; for expired ones, to free memory.
    public mutating func forget(issuedBefore time: UnixTime) {
        horizon = max(horizon, UInt64(max(0, time.milliseconds)))
        if entries.isEmpty { return }
        entries.removeAll { $0.nonce.milliseconds < horizon }
        if entries.isEmpty { entries = [] }
    }
}

/// One nonce: 32 bytes, in this order of fields.
private struct Entry {
    let nonce: NonceIdentifier
    var highest: UInt32
    // Bit n is set when the count `highest - n` was used; datagrams may overtake one another.
    var window: UInt64
    var fingerprint: UInt64
    init(nonce: NonceIdentifier, nonceCount: UInt32?, fingerprint: UInt64) {
        self.nonce = nonce
        self.fingerprint = fingerprint
        // Without a count, the nonce is spent: as if all counts had been used.
        highest = nonceCount ?? UInt32.max
        window = nonceCount == nil ? UInt64.max : 1
    }

    mutating func accept(_ nonceCount: UInt32?, _ fingerprint: UInt64) -> NonceHistory.Verdict {
        let repetition: NonceHistory.Verdict = fingerprint == self.fingerprint ? .retransmission : .replay
        guard let nonceCount else { return repetition }
        if nonceCount > highest {
            let advance = UInt64(nonceCount - highest)
            window = advance < 64 ? window << advance | 1 : 1
            highest = nonceCount
        } else {
            let bit = UInt64(highest - nonceCount)
            if bit >= 64 || window >> bit & 1 == 1 { return repetition }
            window |= 1 << bit
        }
        self.fingerprint = fingerprint
        return .fresh
    }
}
