import Primitives

/// Keeps a source from filling the log: so many lines a minute, the rest is counted and told in one line.
///
/// Of these, one subject (an event and who it is about) may have only a few, so that one phone that tries again and again
/// does not use up the lines of all the others behind the same address. Sources without clients share lines besides. The
/// memory is fixed. Sources share a place once in a while, and then its lines too.
public struct LogLimiter {
    /// Lines that one source may cause in a window.
    public static let linesPerWindow: UInt32 = 60
    /// Lines of these about one subject.
    public static let linesPerSubject: UInt32 = 5
    /// The length of a window in milliseconds.
    public static let window: UInt64 = 60_000

    /// What a source was not given lines for.
    public struct Suppression: Equatable, Sendable {
        /// The source; nil for all sources without clients together.
        public var source: IPAddress?
        /// How many lines were left out.
        public var lines: UInt32
    }

    private struct Place {
        var source = IPAddress(high: 0, low: 0)
        var start = Instant(milliseconds: 0)
        var lines: UInt32 = 0
        /// Lines left out and not told yet.
        var suppressed: UInt32 = 0
    }

    private static let placeCount = 4096
    private var places: [Place] = []
    private let key: HashKey
    private let shared: SharedLines
    /// Lines left out of sources without clients and not told yet.
    private var strangers: UInt32 = 0
    private var nextReport = Instant(milliseconds: 0)
    private var hasSuppressed = false

    /// A limiter; `key` must be unpredictable, or sources could be made to share a place on purpose.
    public init(key: HashKey, shared: SharedLines = SharedLines()) {
        self.key = key
        self.shared = shared
    }

    /// True while a source may cause another line about a subject.
    ///
    /// - Parameter isKnown: False for a source without clients.
    public mutating func admits(
        _ source: IPAddress, _ event: LogEvent, _ subject: ByteSlice, isKnown: Bool = true, at now: Instant
    ) -> Bool {
        // No memory until the first refusal.
        if places.isEmpty { places = [Place](repeating: Place(), count: Self.placeCount) }
        var hash = SipHash(key: key)
        hash.update(source.high)
        hash.update(source.low)
        var subjectHash = hash
        subjectHash.update(byte: event.rawValue)
        subjectHash.update(subject)
        // All are asked: what is left out about a subject is no line of its source, nor of all.
        guard admits(subjectHash.finalize().first, source, Self.linesPerSubject, isKnown, now),
            admits(hash.finalize().first, source, Self.linesPerWindow, isKnown, now)
        else { return false }
        if isKnown || shared.take(at: now) { return true }
        suppressStranger()
        return false
    }

    private mutating func suppressStranger() {
        strangers = min(strangers, UInt32.max - 1) + 1
        hasSuppressed = true
    }

    private mutating func admits(
        _ identity: UInt64, _ source: IPAddress, _ limit: UInt32, _ isKnown: Bool, _ now: Instant
    ) -> Bool {
        let index = Int(truncatingIfNeeded: identity & UInt64(Self.placeCount - 1))
        if now.milliseconds(since: places[index].start) >= Self.window || places[index].lines == 0 {
            // What the last window has left out and was not told yet goes on waiting to be told.
            let untold = places[index].suppressed
            places[index] = Place(source: source, start: now, lines: 0, suppressed: untold)
        }
        places[index].lines = min(places[index].lines, UInt32.max - 1) + 1
        if places[index].lines <= limit { return true }
        if !isKnown {
            suppressStranger()
            return false
        }
        places[index].source = source
        places[index].suppressed = min(places[index].suppressed, UInt32.max - 1) + 1
        hasSuppressed = true
        return false
    }

    /// What was suppressed in windows that have ended, once a window; empty most of the time, at no cost.
    public mutating func takeSuppressions(at now: Instant) -> [Suppression] {
        guard hasSuppressed, now >= nextReport else { return [] }
        nextReport = now.advanced(byMilliseconds: Self.window)
        hasSuppressed = false
        var suppressions: [Suppression] = []
        if strangers > 0 { suppressions.append(Suppression(source: nil, lines: strangers)) }
        strangers = 0
        for index in places.indices where places[index].suppressed > 0 {
            suppressions.append(Suppression(source: places[index].source, lines: places[index].suppressed))
            places[index].suppressed = 0
        }
        return suppressions
    }
}
