import Primitives

/// Keeps a source from filling the log: so many lines a minute, the rest is counted and told in one line.
///
/// The memory is fixed. Sources share a place once in a while, and then its lines too.
public struct LogLimiter {
    /// Lines that one source may cause in a window.
    public static let linesPerWindow: UInt32 = 20
    /// The length of a window in milliseconds.
    public static let window: UInt64 = 60_000

    /// What a source was not given lines for.
    public struct Suppression: Equatable, Sendable {
        /// The source.
        public var source: IPAddress
        /// How many lines were left out.
        public var lines: UInt32
    }

    private struct Place {
        var source = IPAddress(high: 0, low: 0)
        var start = Instant(milliseconds: 0)
        var lines: UInt32 = 0
    }

    private static let placeCount = 4096
    private var places: [Place] = []
    private let key: HashKey
    private var nextReport = Instant(milliseconds: 0)
    private var hasSuppressed = false

    /// A limiter; `key` must be unpredictable, or sources could be made to share a place on purpose.
    public init(key: HashKey) { self.key = key }

    /// True while a source may cause another line.
    public mutating func admits(_ source: IPAddress, at now: Instant) -> Bool {
        // No memory until the first refusal.
        if places.isEmpty { places = [Place](repeating: Place(), count: Self.placeCount) }
        var hash = SipHash(key: key)
        hash.update(source.high)
        hash.update(source.low)
        let index = Int(truncatingIfNeeded: hash.finalize().first & UInt64(Self.placeCount - 1))
        if places[index].lines == 0 || now.milliseconds(since: places[index].start) >= Self.window {
            // What the last window has left out, and was not told yet, goes on counting in this one.
            let untold = places[index].lines > Self.linesPerWindow ? places[index].lines - Self.linesPerWindow : 0
            places[index] = Place(source: source, start: now, lines: untold > 0 ? Self.linesPerWindow + untold : 0)
        }
        if places[index].lines < UInt32.max { places[index].lines += 1 }
        if places[index].lines <= Self.linesPerWindow { return true }
        places[index].source = source
        hasSuppressed = true
        return false
    }

    /// What was suppressed in windows that have ended, once a window; empty most of the time, at no cost.
    public mutating func takeSuppressions(at now: Instant) -> [Suppression] {
        guard hasSuppressed, now >= nextReport else { return [] }
        nextReport = now.advanced(byMilliseconds: Self.window)
        hasSuppressed = false
        var suppressions: [Suppression] = []
        for index in places.indices where places[index].lines > Self.linesPerWindow {
            let lines = places[index].lines - Self.linesPerWindow
            suppressions.append(Suppression(source: places[index].source, lines: lines))
            // The rest of the window stays closed.
            places[index].lines = Self.linesPerWindow
        }
        return suppressions
    }
}
