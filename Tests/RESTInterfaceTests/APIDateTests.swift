import Primitives
import Testing

@testable import RESTInterface

@Suite struct APIDateTests {
    @Test(arguments: [
        (1_383_582_819_000, "Mon, 4 Nov 2013 16:33:39 +0000", "2013-11-04T16:33:39.000Z"),
        (0, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00.000Z"),
        (1_709_251_199_999, "Thu, 29 Feb 2024 23:59:59 +0000", "2024-02-29T23:59:59.999Z"),
        (1_700_000_000_007, "Tue, 14 Nov 2023 22:13:20 +0000", "2023-11-14T22:13:20.007Z"),
        (-1, "Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "Mon, 1 Jan 0001 00:00:00 +0000", "0001-01-01T00:00:00.000Z"),
    ])
    func `A time is written in both forms`(milliseconds: Int64, text: String, iso: String) {
        #expect(APIDate.text(UnixTime(milliseconds: milliseconds)) == text)
        #expect(APIDate.iso8601(UnixTime(milliseconds: milliseconds)) == iso)
    }

    @Test func `A time beyond all calendars does no harm`() {
        for milliseconds in [Int64.min, .max] {
            #expect(!APIDate.text(UnixTime(milliseconds: milliseconds)).isEmpty)
            #expect(!APIDate.iso8601(UnixTime(milliseconds: milliseconds)).isEmpty)
        }
    }

    @Test(arguments: [
        ("2024-02-29", 1_709_164_800), ("1970-01-01", 0), ("0001-01-01", -62_135_596_800),
        ("9999-12-31", 253_402_214_400),
    ])
    func `A day begins at midnight UTC`(text: String, seconds: Int64) {
        #expect(APIDate.startOfDay(text) == UnixTime(seconds: seconds))
    }

    @Test(arguments: [
        "", "2024", "2024-2-29", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "2024-04-31",
        "0000-01-01", "2024-01-01T00:00:00Z", " 2024-01-01", "2024/01/01", "+024-01-01", "2024-01-1a", "２０２４-01-01",
        "-2024-01-01", "2024-01-01-", "2024-01--1", "24-01-2024",
    ])
    func `What is no day is refused`(text: String) { #expect(APIDate.startOfDay(text) == nil) }
}
