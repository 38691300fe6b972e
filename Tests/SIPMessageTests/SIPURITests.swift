import Primitives
import SIPMessage
import Testing

@Suite("SIPURI")
struct SIPURITests {
    @Test("A URI has user, password, host, port, parameters and headers (19.1.1)")
    func parts() {
        let uri = SIPURI("sip:alice:se%20cret@example.com:5070;transport=tcp;lr?Subject=a&Route=%3Csip:b%3E")
        #expect(uri?.isSecure == false && uri?.hasUser == true && uri?.user == "alice" && uri?.password == "se%20cret")
        #expect(uri?.host == "example.com" && uri?.port == 5070)
        #expect(uri?.transport == "tcp" && uri?.isLooseRouter == true)
        #expect(uri?.headers == "Subject=a&Route=%3Csip:b%3E")
    }

    @Test("Only the host is required")
    func hostOnly() {
        let uri = SIPURI("SIPS:example.com")
        #expect(uri?.isSecure == true && uri?.hasUser == false && uri?.user == "" && uri?.password == nil)
        #expect(uri?.host == "example.com" && uri?.port == nil && uri?.headers == "")
        #expect(uri?.transport == nil && uri?.isLooseRouter == false)
        #expect(SIPURI("sip:a:@h")?.password == "")
    }

    @Test("An IPv6 address keeps its brackets")
    func ipv6() {
        let uri = SIPURI("sip:a@[2001:db8::1]:5061;lr")
        #expect(uri?.host == "[2001:db8::1]" && uri?.port == 5061 && uri?.isLooseRouter == true)
        #expect(SIPURI("sip:[::ffff:192.0.2.1]")?.host == "[::ffff:192.0.2.1]")
    }

    @Test("A user may have semicolons, question marks and slashes (RFC 4475 3.1.1.9)")
    func userCharacters() {
        let uri = SIPURI("sip:user;par=u%40example.net@example.com")
        #expect(uri?.user == "user;par=u%40example.net" && uri?.host == "example.com")
        #expect(uri?.parameters.text == "")
        #expect(SIPURI("sip:a?b/c,d&e=f+g$h@example.com")?.user == "a?b/c,d&e=f+g$h")
        #expect(SIPURI("sip:*43#@example.com")?.user == "*43#")
    }

    @Test("A parameter's name may be written with escapes (RFC 4475 3.1.1.3)")
    func escapedParameters() {
        let uri = SIPURI("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31")
        #expect(uri?.isLooseRouter == true)
        #expect(uri?.parameter("name") == "v%61lue%25%34%31" && uri?.parameter("x") == nil)
    }

    @Test(
        "Anything else is no SIP URI",
        arguments: [
            "", "sip", "sip:", "sips:", "tel:+1", "http://a", "sip:@h", "sip::p@h", "sip:a@", "sip:a@h:",
            "sip:a@h:65536", "sip:a@h:0",
            "sip:a@h:x", "sip:a@h:5060x", "sip:a@h x", "sip:a @h", "sip:a@[::1", "sip:a@[::g]", "sip:a@[1.2.3.4]",
            "sip:a@::1", "sip:a@h;", "sip:a@h;;lr", "sip:a@h;x=", "sip:a@h;=1", "sip:a%4@h", "sip:a%4x@h", "sip:a:%@h",
            "sip:a\"@h", "<sip:a@h>", "sip:a@<h>", "sip:a@h;x=<y>", "sip:a@h\u{0}", "sip:a@h\r\n", "sip:é@h",
            "sip:a@h/x",
            "sip:a@b@c",
        ])
    func malformed(text: String) {
        let isURI = text.withSlice { SIPURI($0) != nil }
        #expect(!isURI)
    }

    @Test("A host has at most 255 bytes")
    func hostLength() {
        let longest = ("sip:" + String(repeating: "a", count: 255)).withSlice { SIPURI($0) != nil }
        let longer = ("sip:" + String(repeating: "a", count: 256)).withSlice { SIPURI($0) != nil }
        #expect(longest && !longer)
    }
}
