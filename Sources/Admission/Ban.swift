import Observability
import Primitives

/// A source whose packets are dropped.
struct Ban: Sendable {
    /// Since when, by the calendar.
    let since: UnixTime
    /// The failures that it had.
    let failures: UInt32
    /// The login of the last of them, at most 64 bytes.
    let login: [UInt8]
    /// Why the last of them was one.
    let reason: Reason
    /// How long it lasts, in milliseconds.
    var duration: UInt64 = 0
    /// When it ends, by the monotonic clock; known once it was told.
    var end = Instant(milliseconds: 0)
    /// False for one that is over, and is kept so that the next one lasts longer.
    var isActive = true
    /// True once its beginning was told.
    var isTold = false

    /// What became of a ban.
    enum Change {
        case banned(Source, Ban)
        case ended(Source, Ban, BanChange.End)
    }
}

/// What keeps somebody out at the moment, for operators.
public struct BanReport: Sendable {
    /// What it is about.
    public enum Kind: String, Sendable {
        /// All packets of a source are dropped.
        case source
        /// A login has to wait before it is tried once more from a source.
        case attempt
        /// Attempts of a login are thinned out from everywhere but where its client is known.
        case login
    }

    /// What identifies it: 32 hexadecimal digits.
    public let key: HashValue
    /// What it is about.
    public let kind: Kind
    /// The source; `.none` for a login.
    public let source: Source
    /// The login, for a source that of its last failure; as sent, at most 64 bytes.
    public let login: [UInt8]
    /// The failures.
    public let failures: UInt32
    /// When the ban began, or the first of the failures was.
    public internal(set) var since: UnixTime
    /// When it ends; for a login when it may be tried next.
    public internal(set) var until: UnixTime
    /// Why the last attempt failed.
    public let reason: Reason
    /// False for the ban of a source whose beginning was not told yet: neither is its end.
    public var isTold = true
}

/// What became of a ban, for the log.
public struct BanChange: Sendable {
    /// Why a ban has ended.
    public enum End: Sendable {
        /// Its time is over.
        case time
        /// A client is known by the source.
        case known
        /// Too many others are banned.
        case forgotten
    }

    /// Why it has ended; nil for the beginning.
    public let end: End?
    /// True for the beginning, false for the end.
    public var isBeginning: Bool { end == nil }
    /// The ban.
    public let report: BanReport
}
