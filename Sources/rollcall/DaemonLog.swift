import Observability
import Primitives
import Synchronization
import Transport

/// The log of the threads that are no workers: single lines, written at once.
final class DaemonLog: Sendable {
    let sink: LogSink
    private let level: LogLevel
    private let format: LogFormat

    init(_ sink: LogSink, level: LogLevel, format: LogFormat) {
        self.sink = sink
        self.level = level
        self.format = format
    }

    /// Writes a line; `fields` adds its fields.
    func write(_ event: LogEvent, level: LogLevel? = nil, _ fields: (inout LogBuffer) -> Void) {
        var buffer = LogBuffer(level: self.level, format: format, capacity: 512)
        guard buffer.begin(event, level: level, at: System.now().unix) else { return }
        fields(&buffer)
        buffer.end()
        sink.write(buffer.bytes, lines: buffer.lines)
    }
}
