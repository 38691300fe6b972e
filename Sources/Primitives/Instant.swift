/// A point of the monotonic clock, in milliseconds since an arbitrary start. Read once a batch and passed down.
@frozen
public struct Instant: Comparable, Hashable, Sendable {
    /// Milliseconds since the clock's start.
    public var milliseconds: UInt64

    /// The point `milliseconds` after the clock's start.
    @inlinable
    public init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// Order in time.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }

    /// The point `milliseconds` later.
    @inlinable
    public func advanced(byMilliseconds milliseconds: UInt64) -> Instant {
        Instant(milliseconds: self.milliseconds &+ milliseconds)
    }

    /// Milliseconds from `earlier` to this point; 0 when `earlier` is later.
    @inlinable
    public func milliseconds(since earlier: Instant) -> UInt64 {
        milliseconds > earlier.milliseconds ? milliseconds - earlier.milliseconds : 0
    }
}

/// A point of the calendar clock in milliseconds since 1970 (UTC): for nonces, expiry that survives a restart, and logs.
@frozen
public struct UnixTime: Comparable, Hashable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64

    /// The point `milliseconds` after 1970.
    @inlinable
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// The point `seconds` after 1970.
    @inlinable
    public init(seconds: Int64) { milliseconds = seconds &* 1000 }

    /// Whole seconds since 1970.
    @inlinable public var seconds: Int64 { milliseconds / 1000 }

    /// Order in time.
    @inlinable
    public static func < (left: UnixTime, right: UnixTime) -> Bool { left.milliseconds < right.milliseconds }
}

/// The clocks as read at the start of a batch.
@frozen
public struct Now: Sendable {
    /// The monotonic clock, for timers.
    public var instant: Instant
    /// The calendar clock, for expiry, nonces and logs.
    public var unix: UnixTime

    /// Both readings.
    @inlinable
    public init(instant: Instant, unix: UnixTime) {
        self.instant = instant
        self.unix = unix
    }
}
