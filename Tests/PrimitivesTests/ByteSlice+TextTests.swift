import Primitives
import Testing

@Suite struct ByteSliceTextTests {
    @Test func firstIndexFindsEveryByteFromEveryStart() {
        // Neighbours of the sought byte above and below it: what a search by words can take for a hit.
        for length in 0...26 {
            for place in 0..<max(1, length) {
                for noise in [0x00, 0x39, 0x3b, 0xba, 0x80, 0xff] as [UInt8] {
                    var bytes = [UInt8](repeating: noise, count: length)
                    if place < length { bytes[place] = 0x3a }
                    bytes.withSlice { slice in
                        for start in -1...length + 1 {
                            let expected = place < length && start <= place ? place : nil
                            #expect(slice.firstIndex(of: 0x3a, from: start) == expected)
                        }
                        #expect(slice.lastIndex(of: 0x3a) == (place < length ? place : nil))
                    }
                }
            }
        }
    }

    @Test func theFirstAndTheLastOfSeveralAreTold() {
        let slice: ByteSlice = "a:b:c"
        #expect(slice.firstIndex(of: UInt8(ascii: ":")) == 1)
        #expect(slice.firstIndex(of: UInt8(ascii: ":"), from: 2) == 3)
        #expect(slice.lastIndex(of: UInt8(ascii: ":")) == 3)
    }

    @Test func beginningsAreComparedWithAndWithoutCase() {
        let slice: ByteSlice = "SIP/2.0 200 OK"
        #expect(slice.starts(with: "SIP/2.0") && !slice.starts(with: "sip/2.0") && slice.starts(with: ""))
        #expect(slice.starts(withIgnoringCase: "sip/2.0") && !slice.starts(withIgnoringCase: "sip/2.1"))
        #expect(!("SIP" as ByteSlice).starts(with: "SIP/") && !("SIP" as ByteSlice).starts(withIgnoringCase: "SIP/"))
    }

    @Test func comparisonWithoutCaseFoldsLettersOnly() {
        #expect(("Call-ID" as ByteSlice).equalsIgnoringCase("CALL-id"))
        #expect(!("Call-ID" as ByteSlice).equalsIgnoringCase("Call-IDs"))
        // "[" and "{", "@" and "`" differ in the bit that makes letters lower case.
        #expect(!("[" as ByteSlice).equalsIgnoringCase("{"))
        #expect(!("@" as ByteSlice).equalsIgnoringCase("`"))
        #expect(!("É" as ByteSlice).equalsIgnoringCase("é"))
    }

    @Test func containsFindsTextAnywhereWithoutCase() {
        let slice: ByteSlice = "application/SDP"
        #expect(
            slice.containsIgnoringCase("sdp") && slice.containsIgnoringCase("APP") && slice.containsIgnoringCase(""))
        #expect(!slice.containsIgnoringCase("sdpx") && !ByteSlice.empty.containsIgnoringCase("a"))
    }

    @Test func trimmingTakesWhiteSpaceOfBothEnds() {
        #expect((" \t\r\n a b \r\n\t" as ByteSlice).trimmed() == "a b")
        #expect((" \r\n " as ByteSlice).trimmed().isEmpty && ByteSlice.empty.trimmed().isEmpty)
        #expect(("  a" as ByteSlice).skippingWhiteSpace(from: 0) == 2)
        #expect(("a  " as ByteSlice).skippingWhiteSpace(from: 1) == 3)
    }

    @Test(
        arguments: [
            ("0", 0), ("5060", 5060), ("00070", 70), ("18446744073709551615", UInt64.max),
            ("18446744073709551616", nil),
            ("99999999999999999999999", nil), ("", nil), ("-1", nil), ("+1", nil), ("1 ", nil), (" 1", nil),
            ("1a", nil),
            ("0x1", nil), ("１", nil),
        ] as [(String, UInt64?)])
    func decimalNumbersAreDigitsOnlyAndNeverOverflow(text: String, expected: UInt64?) {
        #expect(text.withSlice { $0.decimal() } == expected)
    }

    @Test func decimalNumbersAboveTheLimitAreRefused() {
        #expect(("65535" as ByteSlice).decimal(limit: 65_535) == 65_535)
        #expect(("65536" as ByteSlice).decimal(limit: 65_535) == nil)
        #expect(("0" as ByteSlice).decimal(limit: 0) == 0)
    }

    @Test(
        arguments: [
            ("0", 0), ("ff", 255), ("FF", 255), ("ffffffffffffffff", UInt64.max), ("10000000000000000", nil), ("", nil),
            ("g", nil), ("-1", nil), ("0x1", nil),
        ] as [(String, UInt64?)])
    func hexadecimalNumbersHaveAtMostSixteenDigits(text: String, expected: UInt64?) {
        #expect(text.withSlice { $0.hexadecimal() } == expected)
    }

    @Test func allSatisfyLooksAtEveryByte() {
        #expect(("z9hG4bK-1" as ByteSlice).allSatisfy(ASCII.isToken))
        #expect(!("z9hG4bK 1" as ByteSlice).allSatisfy(ASCII.isToken))
        #expect(ByteSlice.empty.allSatisfy { _ in false })
    }
}
