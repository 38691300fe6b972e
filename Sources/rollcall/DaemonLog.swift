import Configuration
import Observability
import Primitives
import SIPProxy
import SIPRegistrar
import Synchronization
import Transport

/// The log of the threads that are no workers: single lines, written at once.
final class DaemonLog: Sendable {
    let sink: LogSink
    /// How the lines of all threads look; a reload changes it.
    let style: Replaceable<LogStyle>

    init(_ sink: LogSink, _ style: Replaceable<LogStyle>) {
        self.sink = sink
        self.style = style
    }

    /// Writes a line; `fields` adds its fields.
    func write(_ event: LogEvent, level: LogLevel? = nil, _ fields: (inout LogBuffer) -> Void) {
        let style = style.value
        var buffer = LogBuffer(level: style.level, format: style.format, capacity: 512)
        guard buffer.begin(event, level: level, at: System.now().unix) else { return }
        fields(&buffer)
        buffer.end()
        sink.write(buffer.bytes, lines: buffer.lines)
    }

    /// Writes a note about the configuration.
    func write(_ note: Configuration.Note) {
        write(.configNote) { buffer in
            note.keyPath.withSlice { buffer.field("key", $0) }
            note.message.withSlice { buffer.field("what", $0) }
        }
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
