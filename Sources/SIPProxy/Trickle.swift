import Primitives

/// Lets so many of something through a second, and as many at once after a pause.
struct Trickle: Sendable {
    /// How many a second.
    let rate: UInt64
    /// Thousandths.
    private var level: UInt64
    private var filledAt: Instant?

    /// A trickle of `rate` a second, which has not run yet.
    init(rate: UInt64) {
        self.rate = min(rate, 1_000_000)
        level = self.rate * 1000
    }

    /// True when one more may pass now.
    mutating func passes(at now: Instant) -> Bool {
        // A second fills it.
        let elapsed = filledAt.map { min(now.milliseconds(since: $0), 1000) } ?? 0
        level = min(rate * 1000, level + elapsed * rate)
        if filledAt == nil || elapsed > 0 { filledAt = now }
        guard level >= 1000 else { return false }
        level -= 1000
        return true
    }
}
