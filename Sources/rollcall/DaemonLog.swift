import Observability
import Primitives
import SIPProxy
import SIPRegistrar
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

    /// Writes the line of a binding that ended without a REGISTER that asked for it.
    func write(dropped: DroppedBinding, why: ByteSlice) {
        write(.registrationRemoved) { buffer in
            buffer.field("src", source: dropped.binding.flow)
            dropped.login.withSlice { buffer.field("user", $0) }
            dropped.binding.withText { buffer.contact($0.contact) }
            buffer.field("why", why)
        }
    }
}
