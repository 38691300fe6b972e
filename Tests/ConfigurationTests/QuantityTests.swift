import Testing

@testable import Configuration

@Suite struct QuantityTests {
    @Test(
        arguments: [
            ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("2d", 172_800_000), ("0s", 0),
        ] as [(String, Int64)])
    func `A duration is digits and a unit`(text: String, milliseconds: Int64) {
        #expect(Quantity.duration(text) == .milliseconds(milliseconds))
        #expect(Quantity.text(of: .milliseconds(milliseconds)) == text)
    }

    @Test(arguments: [
        "", "5", "s", "-1s", "+1s", "1.5s", "1 s", "1S", "1h30m", " 1s", "99999999999999999999s",
        "9223372036854775807d",
    ])
    func `Anything else is no duration`(text: String) {
        #expect(Quantity.duration(text) == nil)
    }

    @Test func `A duration is written in the largest unit that keeps it`() {
        #expect(Quantity.text(of: .seconds(90)) == "90s")
        #expect(Quantity.text(of: .milliseconds(1500)) == "1500ms")
        #expect(Quantity.text(of: .seconds(60)) == "1m")
    }

    @Test func `A size is digits and none or one unit of 1024`() {
        #expect(Quantity.size("64k") == 65536)
        #expect(Quantity.size("2M") == 2_097_152)
        #expect(Quantity.size("100") == 100)
        for text in ["", "k", "1kb", "-1", "1.5k", "9999999999999999m"] {
            #expect(Quantity.size(text) == nil, "\(text)")
        }
        #expect(Quantity.text(ofSize: 65536) == "64k")
        #expect(Quantity.text(ofSize: 65535) == "65535")
    }

    @Test func `Whole milliseconds and seconds of a duration are rounded down`() {
        #expect(Duration.milliseconds(1999).wholeMilliseconds == 1999)
        #expect(Duration.milliseconds(1999).wholeSeconds == 1)
        #expect(Duration.microseconds(1999).wholeMilliseconds == 1)
        #expect(Duration.seconds(-1).wholeMilliseconds == 0)
    }
}
