import Primitives
import SIPMessage
import Testing

@Suite("CSeq")
struct CSeqTests {
    @Test("The value is a number, white space and a method (20.16)")
    func values() {
        let plain = CSeq("4711 INVITE")
        #expect(plain?.number == 4711 && plain?.method == "INVITE")
        let folded = CSeq("0009\r\n  !x%2A")
        #expect(folded?.number == 9 && folded?.method == "!x%2A")
        #expect(CSeq("0 ACK")?.number == 0)
    }

    @Test("The number is below 2^31 (8.1.1.5)")
    func limit() {
        #expect(CSeq("2147483647 A")?.number == 0x7fff_ffff)
        #expect(CSeq("2147483648 A") == nil)
        #expect(CSeq("36893488147419103232 A") == nil)
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", "1", "1 ", "INVITE", "1INVITE", " 1 INVITE", "-1 INVITE", "1 INVITE x", "1 IN@VITE", "1 \u{0}",
            "x INVITE",
        ])
    func malformed(text: String) {
        let isSequence = text.withSlice { CSeq($0) != nil }
        #expect(!isSequence)
    }
}
