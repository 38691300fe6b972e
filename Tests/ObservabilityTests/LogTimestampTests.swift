import Foundation
import Primitives
import Testing

@testable import Observability

@Suite struct LogTimestampTests {
    private func text(_ milliseconds: Int64) -> String {
        var timestamp = LogTimestamp()
        var writer = ByteWriter(capacity: 64)
        timestamp.append(UnixTime(milliseconds: milliseconds), to: &writer)
        return writer.slice.string
    }

    @Test func `Days around the ends of months, leap years and centuries are those of the calendar`() {
        #expect(text(0) == "1970-01-01T00:00:00.000Z")
        #expect(text(951_782_399_999) == "2000-02-28T23:59:59.999Z")
        #expect(text(951_782_400_000) == "2000-02-29T00:00:00.000Z")
        #expect(text(4_107_542_400_000) == "2100-03-01T00:00:00.000Z")
        #expect(text(4_107_542_399_000) == "2100-02-28T23:59:59.000Z")
    }

    @Test func `Every day of 400 years agrees with Foundation`() {
        for day in stride(from: Int64(0), to: 146_097, by: 7) {
            let second = day * 86400 + (day * 7919) % 86400
            let theirs = Date(timeIntervalSince1970: Double(second)).formatted(.iso8601)
            #expect(text(second * 1000 + 5) == theirs.dropLast() + ".005Z")
        }
    }

    @Test func `The cached second gives way to another one, also to an earlier one`() {
        var timestamp = LogTimestamp()
        var writer = ByteWriter(capacity: 128)
        for milliseconds: Int64 in [1999, 2000, 1000, 1001] {
            timestamp.append(UnixTime(milliseconds: milliseconds), to: &writer)
        }
        let text = writer.slice.string
        #expect(
            text == "1970-01-01T00:00:01.999Z1970-01-01T00:00:02.000Z1970-01-01T00:00:01.000Z1970-01-01T00:00:01.001Z")
    }

    @Test func `A time outside the calendar's four digits is moved to the bound`() {
        #expect(text(-5) == "1970-01-01T00:00:00.000Z")
        #expect(text(Int64.min) == "1970-01-01T00:00:00.000Z")
        #expect(text(Int64.max) == "9999-12-31T23:59:59.999Z")
    }
}
