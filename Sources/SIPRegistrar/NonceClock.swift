import Primitives
import Synchronization

/// The time by which nonces and failures age: the calendar's, but where that is set back it goes on.
///
/// Else everything that was remembered of the hour before (which nonces were used, which are too old to know) would make
/// each new nonce look too old, and nobody could register until the calendar is there again.
final class NonceClock: Sendable {
    /// How far the readings of two workers may differ, in milliseconds.
    private static let tolerance: Int64 = 2_000
    /// How much later a reading is before it is noted: not each request has to write to shared memory.
    private static let step: Int64 = 100

    private let latest: Atomic<Int64>
    private let shift = Atomic<Int64>(0)

    /// A clock that is never before `start`.
    init(start: UnixTime) { latest = Atomic(start.milliseconds) }

    /// The time at a reading of the calendar clock.
    func time(at now: UnixTime) -> UnixTime {
        let shift = shift.load(ordering: .relaxed)
        let time = now.milliseconds &+ shift
        let latest = latest.load(ordering: .relaxed)
        if time > latest &+ Self.step { self.latest.max(time, ordering: .relaxed) }
        if time >= latest &- Self.tolerance { return UnixTime(milliseconds: time) }
        // Of several workers that notice, one moves the clock.
        _ = self.shift.compareExchange(
            expected: shift, desired: shift &+ (latest &- time), ordering: .relaxed)
        return UnixTime(milliseconds: latest)
    }
}
