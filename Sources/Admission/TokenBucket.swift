import Primitives

/// How many packets a source may still send: refilled with time, a thousandth of a packet at a time.
struct TokenBucket: Sendable {
    /// Thousandths of packets.
    private(set) var level: Int64
    /// When it was filled last, in milliseconds.
    private(set) var time: UInt64

    /// Packets a second, and packets at once.
    struct Size: Sendable {
        /// No more than this is counted with, whatever the configuration and the number of clients.
        static let limit: Int64 = 1_000_000_000
        let rate: Int64
        let depth: Int64

        init(rate: Int64, depth: Int64) {
            self.rate = min(rate, Self.limit)
            self.depth = min(depth, Self.limit) &* 1000
        }
    }

    /// A bucket with `level` thousandths.
    init(level: Int64, at now: Instant) {
        self.level = level
        time = now.milliseconds
    }

    /// Fills it up for the time that went by.
    @inline(__always)
    mutating func fill(_ size: Size, at now: Instant) {
        guard now.milliseconds > time else { return }
        // An hour fills any bucket that a day fills, and cannot overflow.
        let elapsed = Int64(min(now.milliseconds &- time, 3_600_000))
        level = min(size.depth, level &+ elapsed &* size.rate)
        time = now.milliseconds
    }

    /// Takes a packet out; false when there is none.
    @inline(__always)
    mutating func take(_ size: Size, at now: Instant) -> Bool {
        fill(size, at: now)
        guard level >= 1000 else { return false }
        level &-= 1000
        return true
    }
}
