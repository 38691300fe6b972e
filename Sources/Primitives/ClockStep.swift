/// A step of the calendar clock: it was set, by a person or as a machine has learned the time after its start.
///
/// What was to happen "in ten minutes" is still to happen in ten minutes; so times of before have to move with the clock.
public struct ClockStep: Equatable, Sendable {
    /// What the clock would read now, had it not been set.
    public let expected: UnixTime
    /// What it reads.
    public let actual: UnixTime
    /// How long ago the step was at the most, in milliseconds.
    public let window: Int64

    /// A step that is found now.
    public init(expected: UnixTime, actual: UnixTime, window: Int64) {
        self.expected = expected
        self.actual = actual
        self.window = window
    }

    /// How far the clock was set, in milliseconds; negative when it was set back.
    public var milliseconds: Int64 { actual.milliseconds &- expected.milliseconds }

    /// The end of the times that were noted by the clock of before; later ones come from a run whose clock was right.
    public var latestBefore: Int64 { expected.milliseconds }
    /// Times from here to `actual` were noted since the step.
    public var earliestAfter: Int64 { actual.milliseconds &- window }

    /// True for a time that was noted before the step.
    public func isBefore(_ time: UnixTime) -> Bool {
        time.milliseconds <= latestBefore && (time.milliseconds < earliestAfter || time > actual)
    }

    /// The same moment by the clock as it is now.
    public func moved(_ time: UnixTime) -> UnixTime { UnixTime(milliseconds: time.milliseconds &+ milliseconds) }
}

/// Notices steps of the calendar clock, by a clock that nobody can set.
public struct ClockWatch: Sendable {
    /// Smaller steps are corrections, after which nothing has to move.
    private static let tolerance: UInt64 = 2_000
    private var last: (unix: UnixTime, elapsed: Instant)?

    /// A watch that begins with its first check.
    public init() {}

    /// Compares both clocks with the last check.
    ///
    /// - Parameter elapsed: A clock that goes on while the machine sleeps: else to wake up would look like a step.
    public mutating func check(_ unix: UnixTime, elapsed: Instant) -> ClockStep? {
        defer { last = (unix, elapsed) }
        guard let last else { return nil }
        let passed = Int64(clamping: elapsed.milliseconds(since: last.elapsed))
        let expected = UnixTime(milliseconds: last.unix.milliseconds &+ passed)
        let step = ClockStep(expected: expected, actual: unix, window: passed &+ 50)
        return step.milliseconds.magnitude > ClockWatch.tolerance ? step : nil
    }
}
