/// How log lines are written.
public enum LogFormat: UInt8, Sendable {
    /// `time level event key=value ...`, for people and for grep.
    case logfmt
    /// One JSON object a line with the same keys, for log collectors.
    case json
}
