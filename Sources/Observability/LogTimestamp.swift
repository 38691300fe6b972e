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
        // Days to civil date by Howard Hinnant's algorithm: the year starts in March, so that the leap day is its last.
        let days = second / 86400 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let time = second % 86400

        append(year, digits: 4, to: &writer)
        writer.append(byte: UInt8(ascii: "-"))
        append(month, digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: "-"))
        append(day, digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: "T"))
        append(time / 3600, digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(time / 60 % 60, digits: 2, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(time % 60, digits: 2, to: &writer)
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
