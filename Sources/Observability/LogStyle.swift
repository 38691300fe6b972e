/// How much is logged, and how it looks: what a reload may change for all who write lines.
public struct LogStyle: Equatable, Sendable {
    /// Lines above this level are not written.
    public var level: LogLevel
    /// How lines are written.
    public var format: LogFormat

    /// A style.
    public init(level: LogLevel, format: LogFormat) {
        self.level = level
        self.format = format
    }
}
