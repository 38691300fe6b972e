import Primitives

/// Formats log lines straight into one buffer, without a String.
///
/// A line is `begin`, any number of fields, `end`; fields of a line that `begin` has declined are ignored. Values from
/// the wire are quoted, escaped and cut, so that a peer can neither end a line nor fill the log. There is no field for
/// a credential, on purpose.
public struct LogBuffer: ~Copyable {
    /// Lines above this level are not written.
    public var level: LogLevel
    /// How lines are written.
    public private(set) var format: LogFormat
    /// Complete lines in the buffer.
    public private(set) var lines = 0

    private var writer: ByteWriter
    private var isOpen = false
    private var fill = 0
    private var timestamp: LogTimestamp

    /// The longest value written, in bytes; more is cut and marked with `...`.
    public static let maximumValueLength = 128
    /// The longest sentence written, in bytes.
    public static let maximumSentenceLength = 1024
    /// The column that event names are filled up to, so that fields start below each other.
    static let eventWidth = 15
    private static var spaces: ByteSlice { "               " }

    /// An empty buffer with room for `capacity` bytes before it grows.
    public init(level: LogLevel, format: LogFormat = .logfmt, capacity: Int = 16384) {
        self.level = level
        self.format = format
        writer = ByteWriter(capacity: capacity)
        timestamp = LogTimestamp()
    }

    /// Writes the lines from now on in another style. Call it between `end` and `begin`, as lines in two formats do not mix.
    public mutating func adopt(_ style: LogStyle) {
        level = style.level
        format = style.format
    }

    /// The complete lines, valid until the next change. Call it between `end` and `begin`.
    public var bytes: ByteSlice { writer.slice }

    /// True when there is nothing to write out.
    public var isEmpty: Bool { writer.count == 0 }

    /// True when an event would be written; for callers with fields that are costly to find.
    @inlinable
    public func accepts(_ event: LogEvent, level: LogLevel? = nil) -> Bool { (level ?? event.level) <= self.level }

    /// Starts a line; returns false, and nothing is written until the next `begin`, when the level is not wanted.
    public mutating func begin(_ event: LogEvent, level: LogLevel? = nil, at time: UnixTime) -> Bool {
        if isOpen { end() }
        let level = level ?? event.level
        guard level <= self.level else { return false }
        isOpen = true
        switch format {
        case .logfmt:
            timestamp.append(time, to: &writer)
            writer.append(byte: ASCII.space)
            writer.append(level.name)
            writer.append(level.name.count == 5 ? " " : "  ")
            writer.append(event.name)
            fill = LogBuffer.eventWidth - event.name.count
        case .json:
            writer.append("{\"time\":\"")
            timestamp.append(time, to: &writer)
            writer.append("\",\"level\":\"")
            writer.append(level.name)
            writer.append("\",\"event\":\"")
            writer.append(event.name)
            writer.append(byte: UInt8(ascii: "\""))
        }
        return true
    }

    /// Adds a text, quoted where it must be.
    public mutating func field(_ key: ByteSlice, _ value: ByteSlice) {
        guard isOpen else { return }
        append(key: key)
        writer.append(logValue: value, alwaysQuoted: format == .json, limit: LogBuffer.maximumValueLength)
    }

    /// Adds a sentence of our own, which may be longer than what comes from the network.
    public mutating func field(_ key: ByteSlice, sentence: ByteSlice) {
        guard isOpen else { return }
        append(key: key)
        writer.append(logValue: sentence, alwaysQuoted: true, limit: LogBuffer.maximumSentenceLength)
    }

    /// Adds a number.
    public mutating func field(_ key: ByteSlice, number: Int64) {
        guard isOpen else { return }
        append(key: key)
        if number < 0 { writer.append(byte: UInt8(ascii: "-")) }
        writer.append(decimal: number.magnitude)
    }

    /// Adds the sid of a call or a text: `call=CA...`; nothing for the number 0, of what has no record.
    public mutating func field(_ key: ByteSlice, _ record: RecordNumber, prefix: ByteSlice) {
        guard isOpen, record.value != 0 else { return }
        append(key: key)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
        writer.append(prefix)
        writer.append(digitsOf: record)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
    }

    /// Adds a yes or a no: `yes` and `no` in logfmt, `true` and `false` in JSON.
    public mutating func field(_ key: ByteSlice, flag: Bool) {
        guard isOpen else { return }
        append(key: key)
        switch format {
        case .logfmt: writer.append(flag ? "yes" : "no")
        case .json: writer.append(flag ? "true" : "false")
        }
    }

    /// Adds where a message came from: `src=udp:203.0.113.7:5060`.
    public mutating func field(_ key: ByteSlice, source flow: Flow) {
        field(key, transport: flow.transport, address: flow.remote)
    }

    /// Adds an address without a port.
    public mutating func field(_ key: ByteSlice, _ address: IPAddress) {
        guard isOpen else { return }
        append(key: key)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
        writer.append(address, bracketed: false)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
    }

    /// Adds a transport and an address: `udp:203.0.113.7:5060`.
    public mutating func field(_ key: ByteSlice, transport: TransportProtocol, address: SocketAddress) {
        guard isOpen else { return }
        append(key: key)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
        writer.append(transport.name)
        writer.append(byte: UInt8(ascii: ":"))
        writer.append(address)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
    }

    /// Adds cause and remedy of a refusal: `code=R-1102 why="..." do="..."`.
    public mutating func reason(_ reason: Reason) {
        guard isOpen else { return }
        field("code", reason.code)
        append(key: "why")
        append(quoted: reason.cause)
        append(key: "do")
        append(quoted: reason.remedy)
    }

    /// Completes the line.
    public mutating func end() {
        guard isOpen else { return }
        isOpen = false
        writer.append(format == .json ? "}\n" : "\n")
        lines &+= 1
    }

    /// Forgets all lines, keeps the memory; an unfinished line is lost.
    public mutating func removeAll() {
        writer.removeAll()
        lines = 0
        isOpen = false
    }

    private mutating func append(key: ByteSlice) {
        switch format {
        case .logfmt:
            if fill > 0 { writer.append(LogBuffer.spaces.prefix(fill)) }
            fill = 0
            writer.append(byte: ASCII.space)
            writer.append(key)
            writer.append(byte: UInt8(ascii: "="))
        case .json:
            writer.append(",\"")
            writer.append(key)
            writer.append("\":")
        }
    }

    // For our own sentences, which need no escaping (a test holds the table to that).
    private mutating func append(quoted sentence: ByteSlice) {
        writer.append(byte: UInt8(ascii: "\""))
        writer.append(sentence)
        writer.append(byte: UInt8(ascii: "\""))
    }
}
