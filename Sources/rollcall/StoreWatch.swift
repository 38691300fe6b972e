import Primitives
import Store

/// Notices when the store stands still: a slow disk or a lock of another program, long before anything is refused.
struct StoreWatch {
    /// For how long nothing may be finished while something waits, in milliseconds.
    private static let patience: UInt64 = 2_000
    /// How long until the next line about the same standstill.
    private static let interval: UInt64 = 30_000

    private var finished: UInt64 = 0
    private var since: Instant?
    private var nextLine = Instant(milliseconds: 0)

    /// Looks at the counts of the store; call it about once a second.
    ///
    /// - Returns: For how long nothing was finished, when that deserves a line.
    mutating func check(_ counts: StoreStatistics, at now: Instant) -> UInt64? {
        let done = counts.committed &+ counts.failed
        guard counts.queued > 0, done == finished, let since else {
            finished = done
            since = counts.queued > 0 ? now : nil
            return nil
        }
        let age = now.milliseconds(since: since)
        guard age >= StoreWatch.patience, now >= nextLine else { return nil }
        nextLine = now.advanced(byMilliseconds: StoreWatch.interval)
        return age
    }
}
