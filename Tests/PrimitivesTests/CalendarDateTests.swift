import Primitives
import Testing

@Suite struct CalendarDateTests {
    @Test(arguments: [
        (0, 1970, 1, 1, 4), (951_782_400, 2000, 2, 29, 2), (951_868_800, 2000, 3, 1, 3),
        (4_107_456_000, 2100, 2, 28, 0), (4_107_542_400, 2100, 3, 1, 1), (-86_400, 1969, 12, 31, 3),
        (1_383_583_500, 2013, 11, 4, 1), (253_402_300_799, 9999, 12, 31, 5),
    ])
    func aTimeHasItsDate(seconds: Int64, year: Int, month: Int, day: Int, weekday: Int) {
        let date = CalendarDate(UnixTime(seconds: seconds))
        #expect((date.year, date.month, date.day) == (year, month, day))
        #expect(date.weekday == weekday)
    }

    @Test func everyDayOfFourCenturiesFollowsTheOneBefore() throws {
        var before = CalendarDate(try #require(CalendarDate.midnight(year: 1900, month: 1, day: 1)))
        for number in before.dayNumber + 1...before.dayNumber + 146_097 {
            let date = CalendarDate(UnixTime(seconds: number * 86_400))
            let isNext =
                date.day == before.day + 1 && date.month == before.month
                || date.day == 1 && date.month == before.month + 1 && date.year == before.year
                || date.day == 1 && date.month == 1 && date.year == before.year + 1 && before.month == 12
            #expect(isNext && date.weekday == (before.weekday + 1) % 7)
            #expect(
                CalendarDate.midnight(year: date.year, month: date.month, day: date.day)?.seconds == number * 86_400)
            before = date
        }
        #expect((before.year, before.month, before.day) == (2300, 1, 1))
    }

    @Test func aDayThatDoesNotExistHasNoMidnight() {
        #expect(CalendarDate.midnight(year: 2023, month: 2, day: 29) == nil)
        #expect(CalendarDate.midnight(year: 2100, month: 2, day: 29) == nil)
        #expect(CalendarDate.midnight(year: 2023, month: 4, day: 31) == nil)
        #expect(CalendarDate.midnight(year: 2023, month: 13, day: 1) == nil)
        #expect(CalendarDate.midnight(year: 0, month: 1, day: 1) == nil)
        #expect(CalendarDate.midnight(year: 2024, month: 2, day: 29) != nil)
    }

    @Test func aTimeBeyondTheCalendarIsItsBound() {
        #expect(CalendarDate(UnixTime(milliseconds: .max)).year == 9999)
        #expect(CalendarDate(UnixTime(milliseconds: .min)).year == 1)
    }

    @Test func aTimeHasItsClock() {
        let date = CalendarDate(UnixTime(milliseconds: 1_383_583_500_999))
        #expect((date.hour, date.minute, date.second) == (16, 45, 0))
        let early = CalendarDate(UnixTime(milliseconds: -1))
        #expect((early.hour, early.minute, early.second) == (23, 59, 59))
    }
}
