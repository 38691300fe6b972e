import Primitives

/// Dates as Date and other fields have them: `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 section 5.6.7).
public enum HTTPDate {
    /// Appends `time`; one before 1970 or after 9999 is moved to that bound.
    public static func append(_ time: UnixTime, to writer: inout ByteWriter) {
        let second = UInt64(min(max(0, time.seconds), 253_402_300_799))
        // Days to civil date by Howard Hinnant's algorithm: the year starts in March, so that the leap day is its last.
        let days = second / 86400 + 719_468
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 2 : marchMonth - 10
        let year = yearOfEra + days / 146_097 * 400 + (month < 2 ? 1 : 0)
        let time = second % 86400

        // The first of January 1970 was a Thursday.
        append(name: second / 86400 % 7, of: "ThuFriSatSunMonTueWed", to: &writer)
        writer.append(", ")
        append(dayOfYear - (153 * marchMonth + 2) / 5 + 1, to: &writer)
        writer.append(byte: ASCII.space)
        append(name: month, of: "JanFebMarAprMayJunJulAugSepOctNovDec", to: &writer)
        writer.append(byte: ASCII.space)
        append(year / 100, to: &writer)
        append(year % 100, to: &writer)
        writer.append(byte: ASCII.space)
        append(time / 3600, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(time / 60 % 60, to: &writer)
        writer.append(byte: UInt8(ascii: ":"))
        append(time % 60, to: &writer)
        writer.append(" GMT")
    }

    private static func append(_ number: UInt64, to writer: inout ByteWriter) {
        if number < 10 { writer.append(byte: UInt8(ascii: "0")) }
        writer.append(decimal: number)
    }

    private static func append(name index: UInt64, of names: ByteSlice, to writer: inout ByteWriter) {
        let start = 3 * Int(index)
        writer.append(names[start..<start + 3])
    }
}
