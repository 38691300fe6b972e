import Primitives
import SIPMessage
import Testing

@Suite("ReasonValue")
struct ReasonValueTests {
    @Test(
        "The value is a protocol with a cause and a text, each of which may be absent (RFC 3326 section 2)",
        arguments: [
            ("SIP ;cause=200 ;text=\"Call completed elsewhere\"", "SIP", 200, "Call completed elsewhere"),
            ("Q.850 ;cause=16 ;text=\"Terminated\"", "Q.850", 16, "Terminated"), ("SIP", "SIP", nil, nil),
            ("SIP;TEXT=\"a;cause=1\\\"\"", "SIP", nil, "a;cause=1\\\""), ("X\r\n ;\r\n Cause = 0", "X", 0, nil),
            ("SIP;x;cause=65535;y=\"z\";text=\"\"", "SIP", 65535, ""),
            ("SIP;text=Terminated", "SIP", nil, "Terminated"),
            ("SIP;text=\"a\r\n b\";cause=00487", "SIP", 487, "a\r\n b"),
        ] as [(String, String, UInt16?, String?)])
    func values(text: String, protocolName: String, cause: UInt16?, reason: String?) {
        text.withSlice {
            let value = ReasonValue($0)
            #expect(value?.protocolName.string == protocolName)
            #expect(value?.cause == cause)
            #expect(value?.text?.string == reason)
        }
    }

    @Test(
        "Anything else is malformed, and so are two causes or texts",
        arguments: [
            "", ";cause=1", " ;cause=1", "SIP cause=200", "SIP;", "SIP;cause", "SIP;cause=", "SIP;cause=-1",
            "SIP;cause=abc", "SIP;cause=65536", "SIP;cause=18446744073709551616", "SIP;cause=200;cause=200",
            "SIP;cause=200;CAUSE=486", "SIP;text=a;text=b", "SIP;text;text", "SIP;text=\"a", "SIP;text=\"a\\\"",
            "SIP;text=\"a\"b", "S P;cause=1", "\"SIP\";cause=1", "SIP;cause=1,Q.850", "SIP\u{0}", "SIP;;cause=1",
        ])
    func malformed(text: String) {
        let isReason = text.withSlice { ReasonValue($0) != nil }
        #expect(!isReason)
    }

    @Test("Other parameters are kept")
    func parameters() {
        #expect(ReasonValue("SIP;cause=603;location=RN")?.parameters["Location"] == "RN")
    }

    @Test("A protocol's reason is found without case, over commas and lines, malformed ones passed over")
    func accessor() {
        let parsed = Parsed(
            options(adding: "Reason: Q.850;cause=16;text=\"a, SIP;cause=1\", SIP;cause=x\nreason:\n sip;cause=200\n"))
        #expect(parsed.cause("q.850") == 16)
        #expect(parsed.cause("SIP") == 200)
        #expect(parsed.cause("Q") == nil)
        #expect(Parsed(options()).cause("SIP") == nil)
    }
}
