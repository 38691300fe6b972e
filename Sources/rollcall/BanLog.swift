import Admission
import Observability
import Primitives

/// Writes the beginnings and ends of bans into the log: so many a minute, the rest is counted and told in one line.
struct BanLog {
    /// Lines in a window.
    private static let linesPerWindow = 30
    private var start = Instant(milliseconds: 0)
    private var lines = 0
    private var leftOut = 0

    /// Writes what has changed.
    mutating func write(_ changes: [BanChange], into log: inout LogBuffer, _ now: Now) {
        if now.instant.milliseconds(since: start) >= LogLimiter.window {
            if leftOut > 0, log.begin(.logSuppressed, at: now.unix) {
                log.field("lines", number: Int64(leftOut))
                log.field("what", "bans of further addresses; 'rollcall bans' lists them")
                log.end()
            }
            start = now.instant
            lines = 0
            leftOut = 0
        }
        for change in changes {
            lines += 1
            if lines > Self.linesPerWindow {
                leftOut += 1
            } else if change.isBeginning {
                Self.write(change.report, into: &log, now)
            } else {
                guard log.begin(.sourceUnbanned, at: now.unix) else { continue }
                Self.writeEnd(of: change.report, change.end?.text ?? "", into: &log)
                log.end()
            }
        }
    }

    private static func write(_ ban: BanReport, into log: inout LogBuffer, _ now: Now) {
        guard log.begin(.sourceBanned, at: now.unix) else { return }
        ban.source.description.withSlice { log.field("src", $0) }
        log.field("failures", number: Int64(ban.failures))
        ban.login.withSlice { log.field("user", $0) }
        log.field("code", ban.reason.code)
        log.field("s", number: (ban.until.milliseconds - ban.since.milliseconds) / 1000)
        log.field("why", sentence: "No client has registered from there, and too many logins or passwords were wrong.")
        log.field(
            "do",
            sentence:
                "Nothing for a scanner; for phones of yours correct their passwords, then 'rollcall bans lift ADDRESS'."
        )
        log.end()
    }

    /// Adds the fields of the line of a ban that is over.
    static func writeEnd(of ban: BanReport, _ why: ByteSlice, into log: inout LogBuffer) {
        ban.source.description.withSlice { log.field("src", $0) }
        log.field("why", why)
    }
}

extension BanChange.End {
    /// The words of the log.
    fileprivate var text: ByteSlice {
        switch self {
        case .time: "its time is over"
        case .known: "a client has authenticated from there"
        case .forgotten: "too many others are banned"
        }
    }
}
