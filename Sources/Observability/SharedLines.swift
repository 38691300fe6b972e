import Primitives
import Synchronization

/// The lines about refusals that all sources without clients may cause together, in all limiters: a scanner with very
/// many addresses gets no more of the log than one.
public final class SharedLines: Sendable {
    /// Lines of all together in a window.
    public static let linesPerWindow: UInt32 = 40

    private let window = Mutex((start: Instant(milliseconds: 0), lines: UInt32(0)))

    /// No line was written yet.
    public init() {}

    /// Takes a line; false when there is none left in this window.
    func take(at now: Instant) -> Bool {
        window.withLock { window in
            if window.lines == 0 || now.milliseconds(since: window.start) >= LogLimiter.window {
                window = (now, 0)
            }
            guard window.lines < Self.linesPerWindow else { return false }
            window.lines += 1
            return true
        }
    }
}
