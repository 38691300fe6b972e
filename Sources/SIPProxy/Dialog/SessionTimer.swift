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
        set(SessionTimer.interval(of: response), at: now)
    }

    /// The same, with the interval that is added to the answer for a sender who alone knows of session timers.
    mutating func refresh(by response: borrowing SIPMessage, to request: borrowing SIPMessage, at now: Instant) {
        if let added = SessionTimer.addedInterval(to: response, request) {
            set(added, at: now)
        } else {
            refresh(by: response, at: now)
        }
    }

    private mutating func set(_ value: UInt32?, at now: Instant) {
        guard let value else {
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

    /// The interval that is added to a 2xx whose maker knows no session timers, where the sender of the request does and has
    /// asked for one: it is then the one who refreshes (section 8.2); nil for none.
    static func addedInterval(to response: borrowing SIPMessage, _ request: borrowing SIPMessage) -> UInt32? {
        guard response.status >= 200, response.status < 300, request.method == .invite || request.method == .update,
            response.firstIndex(of: .sessionExpires) == nil, request.supports("timer")
        else { return nil }
        return interval(of: request).map { max($0, shortestInterval) }
    }

    /// True for a request whose interval is too short, from a sender who understands a 422 (section 6 and 9).
    static func isTooShort(_ request: borrowing SIPMessage) -> Bool {
        guard request.supports("timer"), let value = interval(of: request) else { return false }
        return value < shortestInterval
    }

    /// The seconds of Session-Expires; nil when absent or malformed.
    private static func interval(of message: borrowing SIPMessage) -> UInt32? {
        guard let value = message.value(of: .sessionExpires) else { return nil }
        let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        return DeltaSeconds(value[0..<end].trimmed())?.seconds
    }
}
