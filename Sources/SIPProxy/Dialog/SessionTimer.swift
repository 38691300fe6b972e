import Primitives
import SIPMessage

/// When a call counts as dead as nobody has refreshed its session (RFC 4028).
///
/// The two ends negotiate the interval and who refreshes: Session-Expires, Min-SE and 422 are carried between them. This
/// server watches what they agreed on, as it keeps state that an end which has vanished would leave behind.
struct SessionTimer {
    /// The session interval in seconds; nil when the ends have agreed on none.
    private(set) var interval: UInt32?
    /// When the session ends unless it is refreshed before; nil for never.
    private(set) var deadline: Instant?

    /// The shortest interval of section 4, which is taken where a peer says less.
    static let shortestInterval: UInt32 = 90

    /// No interval.
    init() {}

    /// Takes a 2xx to an INVITE, re-INVITE or UPDATE: the session is refreshed, with the interval that it names. One that names
    /// none ends the watch (section 7.2). Any other message changes nothing.
    mutating func refresh(by response: borrowing SIPMessage, at now: Instant) {
        guard response.status >= 200, response.status < 300,
            response.method == .invite || response.method == .update
        else { return }
        guard let value = SessionTimer.interval(of: response) else {
            interval = nil
            deadline = nil
            return
        }
        let seconds = max(value, SessionTimer.shortestInterval)
        interval = seconds
        // Section 10: BYE goes out a little before the end, the smaller of 32 seconds and a third of the interval.
        let margin = min(32, seconds / 3)
        deadline = now.advanced(byMilliseconds: UInt64(seconds - margin) * 1000)
    }

    /// True when no refresh has come in time.
    func isExpired(at now: Instant) -> Bool { deadline.map { $0 <= now } ?? false }

    /// The seconds of Session-Expires; nil when absent or malformed.
    private static func interval(of message: borrowing SIPMessage) -> UInt32? {
        guard let value = message.value(of: .sessionExpires) else { return nil }
        let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        return DeltaSeconds(value[0..<end].trimmed())?.seconds
    }
}
