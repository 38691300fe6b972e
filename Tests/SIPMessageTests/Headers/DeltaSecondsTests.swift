import Primitives
import SIPMessage
import Testing

@Suite("DeltaSeconds")
struct DeltaSecondsTests {
    @Test(
        "The value is digits (20.19), and what is over 2^32 - 1 is that",
        arguments: [
            ("0", 0), ("000", 0), ("3600", 3600), ("0000000000000000000000060", 60), ("4294967295", .max),
            ("4294967296", .max), ("18446744073709551616", .max), (String(repeating: "9", count: 65536), .max),
        ] as [(String, UInt32)])
    func values(text: String, seconds: UInt32) {
        #expect(text.withSlice { DeltaSeconds($0)?.seconds } == seconds)
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", " ", "-1", "+1", "1.5", "1 2", "60 ", " 60", "60;a=b", "0x10", "1e3", "soon", "6\r\n 0", "60\u{0}",
            "Thu, 01 Dec 1994 16:00:00 GMT", "\u{663}",
        ])
    func malformed(text: String) {
        #expect(text.withSlice { DeltaSeconds($0)?.seconds } == nil)
    }

    @Test("Expires and Min-Expires are read from the message, folded and in any case")
    func accessors() {
        let parsed = Parsed(options(adding: "EXPIRES :\n  7200 \nmin-expires:60\n"))
        #expect(parsed.fault == nil)
        #expect(parsed.expires == 7200)
        #expect(parsed.minExpires == 60)
    }

    @Test("Both are nil when absent and when malformed")
    func none() {
        let absent = Parsed(options())
        #expect(absent.expires == nil && absent.minExpires == nil)
        let malformed = Parsed(options(adding: "Expires: soon\nMin-Expires:\n"))
        #expect(malformed.expires == nil && malformed.minExpires == nil)
    }
}
