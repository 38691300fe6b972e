/// Measures the load of one event loop: how long a message waits in the kernel before it is read.
///
/// A queue that is worked off now and then is a burst and no load; what counts is how much waits at the best moment of a
/// window of 200 ms (as in RFC 8289). The time that a message waits is what waits, by the rate at which it is handled. A
/// closed loop of clients, each of which waits for its answer, cannot make it long.
public struct LoadGauge: Sendable {
    /// A change between `.normal` and load, for the log.
    public enum Change: Equatable, Sendable {
        /// The server has too much to do from now on.
        case began
        /// It has not any more.
        case ended
    }

    /// The milliseconds of a window.
    public static let window: UInt64 = 200
    /// A message that waits so many milliseconds at the least makes the loop busy.
    public static let busyDelay: UInt64 = 50
    /// A message that waits so many milliseconds at the least makes the loop overloaded: T1 (500 ms) is near, at which
    /// senders repeat what was not answered.
    public static let overloadDelay: UInt64 = 200
    /// So many milliseconds after the last window of its kind a level is left.
    public static let overloadTime: UInt64 = 1_000
    /// So many milliseconds after the last window with load it is over. Not much longer than a window: else a short pulse
    /// now and then would keep strangers out for as long as somebody sends it.
    public static let calmTime: UInt64 = 2_000
    /// Losses count where messages wait so many milliseconds at the least.
    public static let lossDelay: UInt64 = 20
    /// Losses of so many windows in a row count however short the wait is: a small buffer cannot hold a long queue.
    public static let lossWindows = 5

    /// The level now.
    public private(set) var level = LoadLevel.normal
    /// The longest wait since the load began, in milliseconds.
    public private(set) var worstDelay: UInt64 = 0
    /// The worst level since the load began.
    public private(set) var worstLevel = LoadLevel.normal
    /// Datagrams lost since the load began.
    public private(set) var lost = 0
    /// When the load began.
    public private(set) var beganAt = Instant(milliseconds: 0)

    private var windowStart: Instant?
    private var handled = 0
    private var leastWaiting = Int.max
    private var turns = 0
    private var lostInWindow = 0
    /// Windows in a row that had losses and a queue.
    private var lossyWindows = 0
    private var lastBusy = Instant(milliseconds: 0)
    private var lastOverload = Instant(milliseconds: 0)

    /// A gauge at rest.
    public init() {}

    /// Takes the sample of a turn that began at `now`; tells when load begins or ends.
    public mutating func add(_ sample: LoadSample, at now: Instant) -> Change? {
        guard let start = windowStart else {
            windowStart = now
            return nil
        }
        handled += sample.handled
        leastWaiting = min(leastWaiting, sample.waiting)
        lostInWindow += sample.lost
        turns += 1
        let elapsed = now.milliseconds(since: start)
        guard elapsed >= Self.window else { return nil }
        defer { startWindow(now) }
        return judge(elapsed, now)
    }

    private mutating func judge(_ elapsed: UInt64, _ now: Instant) -> Change? {
        // Less is a pause of the process, or of the machine, and no load: what it has kept waiting is worked off first.
        guard turns >= 8, elapsed < 20 * Self.window else {
            lossyWindows = 0
            return settle(.normal, now)
        }
        let waiting = UInt64(max(0, leastWaiting))
        let delay = waiting * elapsed / UInt64(max(1, handled))
        var measured = LoadLevel.normal
        // A buffer too small for a long queue loses datagrams instead, with a queue that is never empty. So does a pulse
        // that is over at once, which is no load.
        lossyWindows = lostInWindow > 0 && waiting > 0 ? lossyWindows + 1 : 0
        let isLossy = lossyWindows > 0 && (delay >= Self.lossDelay || lossyWindows >= Self.lossWindows)
        if delay >= Self.busyDelay || isLossy { measured = .busy }
        if delay >= Self.overloadDelay || (isLossy && lostInWindow * 4 > handled) { measured = .overloaded }
        if measured != .normal || level != .normal {
            worstDelay = max(worstDelay, delay)
            lost += lostInWindow
        }
        return settle(measured, now)
    }

    /// Rises at once, and falls when it was quiet for a while, so that refusing does not swing.
    private mutating func settle(_ measured: LoadLevel, _ now: Instant) -> Change? {
        if measured >= .busy { lastBusy = now }
        if measured == .overloaded { lastOverload = now }
        let before = level
        if measured > level {
            level = measured
        } else if level == .overloaded, now.milliseconds(since: lastOverload) >= Self.overloadTime {
            level = .busy
        }
        if level == .busy, now.milliseconds(since: lastBusy) >= Self.calmTime { level = .normal }
        worstLevel = max(worstLevel, level)
        if before == .normal, level != .normal {
            beganAt = now
            return .began
        }
        return before != .normal && level == .normal ? .ended : nil
    }

    /// Forgets the worst of the load that has ended.
    public mutating func forget() {
        worstDelay = 0
        worstLevel = level
        lost = 0
    }

    private mutating func startWindow(_ now: Instant) {
        windowStart = now
        handled = 0
        leastWaiting = Int.max
        turns = 0
        lostInWindow = 0
    }
}
