/// A point of time in the Gregorian calendar, UTC.
///
/// The algorithm is the usual one of eras of 400 years that begin in March, so that the leap day comes last.
public struct CalendarDate: Equatable, Sendable {
    /// Days since 1970-01-01.
    public let dayNumber: Int64
    /// The year, 1 to 9999.
    public let year: Int
    /// The month, 1 to 12.
    public let month: Int
    /// The day of the month, 1 to 31.
    public let day: Int
    /// Seconds since midnight.
    public let secondOfDay: Int

    /// The date of a time; one before year 1 or after 9999 is moved to that bound.
    public init(_ time: UnixTime) {
        let seconds = min(max(time.milliseconds, -62_135_596_800_000), 253_402_300_799_000).flooredDividing(by: 1000)
        dayNumber = seconds.flooredDividing(by: 86_400)
        secondOfDay = Int(seconds - dayNumber * 86_400)
        let days = dayNumber + 719_468
        let era = days.flooredDividing(by: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    /// The midnight that a day begins with; nil for a day that does not exist.
    public static func midnight(year: Int, month: Int, day: Int) -> UnixTime? {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let era = shiftedYear.flooredDividing(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let midnight = UnixTime(seconds: days * 86_400)
        let date = CalendarDate(midnight)
        return date.month == month && date.day == day ? midnight : nil
    }

    /// The day of the week, 0 for Sunday.
    public var weekday: Int { Int(((dayNumber + 4) % 7 + 7) % 7) }
    /// The hour, 0 to 23.
    public var hour: Int { secondOfDay / 3600 }
    /// The minute, 0 to 59.
    public var minute: Int { secondOfDay / 60 % 60 }
    /// The second, 0 to 59.
    public var second: Int { secondOfDay % 60 }
}

extension Int64 {
    fileprivate func flooredDividing(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
