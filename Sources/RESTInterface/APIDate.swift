import Primitives

/// The forms of time in the API, all in UTC.
enum APIDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Mon, 4 Nov 2013 16:33:39 +0000`, as in `date_created`.
    static func text(_ time: UnixTime) -> String {
        let date = CalendarDate(time)
        return
            "\(days[date.weekday]), \(date.day) \(months[date.month - 1]) \(padded(date.year, 4)) \(clock(date)) +0000"
    }

    /// `2013-11-04T16:33:39.123Z`, as in `start_time`.
    static func iso8601(_ time: UnixTime) -> String {
        let date = CalendarDate(time)
        let milliseconds = Int((time.milliseconds % 1000 + 1000) % 1000)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(clock(date))."
            + "\(padded(milliseconds, 3))Z"
    }

    /// The beginning of a day given as `yyyy-MM-dd`; nil for any other text and for days that do not exist.
    static func startOfDay(_ text: String) -> UnixTime? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy(ASCII.isDigit) }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
        else { return nil }
        return CalendarDate.midnight(year: year, month: month, day: day)
    }

    private static func clock(_ date: CalendarDate) -> String {
        "\(padded(date.hour, 2)):\(padded(date.minute, 2)):\(padded(date.second, 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
