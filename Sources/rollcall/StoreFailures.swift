import Primitives
import Store

/// Which failures of the store get a line: each new one at once, one that goes on every ten seconds with what it has cost.
struct StoreFailures {
    private static let interval: UInt64 = 10_000
    private var last: StoreError?
    private var nextLine = Instant(milliseconds: 0)
    private var untold = 0
    private var total = 0

    /// Notes a failure.
    ///
    /// - Returns: How many answers were turned into 503 since the last line; nil when it is not time for a line.
    mutating func add(_ error: StoreError, answers: Int, at now: Instant) -> Int? {
        untold += answers
        total += answers
        if error == last, now < nextLine { return nil }
        last = error
        nextLine = now.advanced(byMilliseconds: StoreFailures.interval)
        defer { untold = 0 }
        return untold
    }

    /// Notes a success.
    ///
    /// - Returns: How many answers were turned into 503 in all; nil when nothing had failed.
    mutating func end() -> Int? {
        guard last != nil else { return nil }
        defer { self = StoreFailures() }
        return total
    }
}
