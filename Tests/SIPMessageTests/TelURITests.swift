import Primitives
import SIPMessage
import Testing

@Suite("TelURI")
struct TelURITests {
    @Test("A global number begins with a plus and has digits and visual separators (RFC 3966)")
    func global() {
        let uri = TelURI("TEL:+1-(201)-555.0123;ext=22")
        #expect(uri?.number == "+1-(201)-555.0123")
        #expect(uri?.parameters["ext"] == "22")
    }

    @Test("A local number needs a phone-context and may have the other keys")
    func local() {
        #expect(TelURI("tel:7042;phone-context=example.com")?.number == "7042")
        #expect(TelURI("tel:*21#AbF;phone-context=+1-914")?.number == "*21#AbF")
        #expect(TelURI("tel:7042") == nil)
    }

    @Test("Visual separators are not part of the number that is dialled (RFC 3966 5.1.1)")
    func plainNumber() {
        let number = "tel:+1-(201)-555.0123;ext=22".withSlice { TelURI($0)?.plainNumber }
        #expect(number == Array("+12015550123".utf8))
    }

    @Test(
        "Anything else is no telephone URI",
        arguments: [
            "", "tel:", "sip:a@h", "tel:+", "tel:+-.", "tel:+1a", "tel:+1*", "tel:++1", "tel:+1 2", "tel:+1;",
            "tel:+1;x=",
            "tel:();phone-context=a", "tel:12g;phone-context=a", "tel:+1\u{0}", "tel:+1@h", "tel:1+2;phone-context=a",
            "tel:+" + String(repeating: "1", count: 64),
        ])
    func malformed(text: String) {
        let isURI = text.withSlice { TelURI($0) != nil }
        #expect(!isURI)
    }
}
