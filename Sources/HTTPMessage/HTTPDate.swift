import Primitives

/// Dates as Date and other fields have them: `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 section 5.6.7).
public enum HTTPDate {
    /// Appends `time`; one before 1970 or after 9999 is moved to that bound.
    public static func append(_ time: UnixTime, to writer: inout ByteWriter) {
        let date = CalendarDate(UnixTime(milliseconds: max(0, time.milliseconds)))
        append(name: date.weekday, of: "SunMonTueWedThuFriSat", to: &writer)
        writer.append(", ")
        append(date.day, to: &writer)
        writer.append(byte: ASCII.space)
        append(name: date.month - 1, of: "JanFebMarAprMayJunJulAugSepOctNovDec", to: &writer)
        writer.append(byte: ASCII.space)
        append(date.year / 100, to: &writer)
        append(date.year % 100, to: &writer)
        writer.append(byte: ASCII.space)
        append(date.hour, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(date.minute, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(date.second, to: &writer)
        writer.append(" GMT")
    }

    private static func append(_ number: Int, to writer: inout ByteWriter) {
        if number < 10 { writer.append(byte: UInt8(ascii: "0")) }
        writer.append(decimal: UInt64(number))
    }

    private static func append(name index: Int, of names: ByteSlice, to writer: inout ByteWriter) {
        writer.append(names[3 * index..<3 * index + 3])
    }
}
