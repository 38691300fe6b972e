import Primitives

/// Decides whether a loop hangs, from when each last came round.
///
/// It trusts its own pulse first: a check that comes late means that the whole process stood still (SIGSTOP, a debugger, a
/// machine that slept or has far too much to do), and then all loops get their full time anew.
public struct HangDetector: Sendable {
    /// How often `check` is to be called, in milliseconds.
    public static let interval: UInt64 = 500
    /// How late a check may come.
    private static let tolerance: UInt64 = 1000

    private var last: Instant
    private var since: Instant

    /// A detector that starts now.
    public init(now: Instant) {
        last = now
        since = now
    }

    /// Looks at all loops.
    ///
    /// - Parameter limit: For how long a loop may hang, in milliseconds; 0 for ever.
    /// - Returns: The index of one that hangs for longer, and for how long; nil when all is well.
    public mutating func check(
        _ loops: [Instant], limit: UInt64, now: Instant
    ) -> (index: Int, milliseconds: UInt64)? {
        if now.milliseconds(since: last) > HangDetector.interval + HangDetector.tolerance { since = now }
        last = now
        guard limit > 0 else { return nil }
        for (index, turn) in loops.enumerated() {
            let age = now.milliseconds(since: max(turn, since))
            if age > limit { return (index, age) }
        }
        return nil
    }
}
