import Primitives

/// Writes `2026-11-23T09:41:07.112Z`; the part up to the second is computed once a second.
struct LogTimestamp: ~Copyable {
    private var second: Int64 = -1
    private var text = ByteWriter(capacity: 64)

    /// The last millisecond of the year 9999: RFC 3339 has no fifth digit.
    static let latest: Int64 = 253_402_300_799_999

    /// Appends the time; one before 1970 or after 9999 is moved to that bound.
    mutating func append(_ time: UnixTime, to writer: inout ByteWriter) {
        let milliseconds = min(max(0, time.milliseconds), LogTimestamp.latest)
        let second = milliseconds / 1000
        if second != self.second {
            self.second = second
            text.removeAll()
            LogTimestamp.append(second: second, to: &text)
        }
        writer.append(text.slice)
        LogTimestamp.append(milliseconds % 1000, digits: 3, to: &writer)
        writer.append(byte: UInt8(ascii: "Z"))
    }

    private static func append(second: Int64, to writer: inout ByteWriter) {
        let date = CalendarDate(UnixTime(seconds: second))
        append(Int64(date.year), digits: 4, to: &writer)
        writer.append(byte: UInt8(ascii: "-"))
        append(Int64(date.month), digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: "-"))
        append(Int64(date.day), digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: "T"))
        append(Int64(date.hour), digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(Int64(date.minute), digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(Int64(date.second), digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: "."))
    }

    private static func append(_ number: Int64, digits: Int, to writer: inout ByteWriter) {
        var divisor: Int64 = digits == 4 ? 1000 : digits == 3 ? 100 : 10
        while divisor > 0 {
            writer.append(byte: UInt8(truncatingIfNeeded: number / divisor % 10) | 0x30)
            divisor /= 10
        }
    }
}
