import Primitives

/// How much a log line matters, the gravest first.
public enum LogLevel: UInt8, CaseIterable, Comparable, Sendable {
    /// An operator must act.
    case error
    /// Something was refused or went wrong, and the server goes on.
    case warn
    /// Something changed that an operator wants to have in the record.
    case info
    /// The detail of single messages.
    case debug

    /// The level's name as in the log and in the configuration.
    @inlinable public var name: ByteSlice {
        switch self {
        case .error: "error"
        case .warn: "warn"
        case .info: "info"
        case .debug: "debug"
        }
    }

    /// The level with this name; nil when there is none.
    public init?(name: ByteSlice) {
        for level in LogLevel.allCases where level.name == name {
            self = level
            return
        }
        return nil
    }

    /// Order by gravity: `.error < .debug`.
    @inlinable
    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
