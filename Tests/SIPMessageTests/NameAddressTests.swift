import Primitives
import SIPMessage
import Testing

@Suite("NameAddress")
struct NameAddressTests {
    @Test("A name-addr has a display name, a URI with its own parameters, and the header's parameters")
    func nameAddress() {
        let address = NameAddress("\"A. \\\"B\\\" <c>\" <sip:a;x@h:5;p=1?h=v> ; q = 0.5;Tag=t")
        #expect(address?.displayName == "A. \\\"B\\\" <c>")
        #expect(address?.uri == "sip:a;x@h:5;p=1?h=v")
        #expect(address?.parameters["q"] == "0.5" && address?.tag == "t")
        #expect(address?.parameters["p"] == nil)
    }

    @Test("Without brackets the parameters are the header's, not the URI's (20.10)")
    func addressSpecification() {
        let address = NameAddress("sip:a@h;transport=tcp;tag=1")
        #expect(address?.uri == "sip:a@h" && address?.displayName == "")
        #expect(address?.parameters["transport"] == "tcp" && address?.tag == "1")
    }

    @Test("A display name may be tokens, may be folded, and may touch the bracket")
    func displayNames() {
        #expect(NameAddress("caller<sip:a@h>")?.displayName == "caller")
        #expect(NameAddress("A. B-c\r\n d <sip:a@h>")?.displayName == "A. B-c\r\n d")
        #expect(NameAddress("<sip:a@h>")?.displayName == "")
        #expect(NameAddress("\"\" <sip:a@h>")?.displayName == "")
        #expect(NameAddress("Ünal <sip:a@h>")?.displayName == "Ünal")
        #expect(NameAddress("\"\\\u{0}\\\u{7f}\" <sip:a@h>")?.displayName == "\\\u{0}\\\u{7f}")
    }

    @Test("A tag is nil when absent and empty without a value")
    func tags() {
        #expect(NameAddress("<sip:a@h>")?.tag == nil)
        #expect(NameAddress("<sip:a@h>;tag")?.tag == "")
        #expect(NameAddress("<sip:a@h>;x;tag=\"a b\"")?.tag == "a b")
    }

    @Test("A URI of any scheme is taken")
    func schemes() {
        for text in ["isbn:2983792873", "<http://www.example.com>", "<tel:+1>", "<urn:uuid:1>", "<a+b-c.d:e>"] {
            let address = text.withSlice { NameAddress($0) != nil }
            #expect(address, "\(text)")
        }
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", " ", "*", "<>", "a", "<a>", "<:a>", "<1a:b>", "<sip:>", "< sip:a@h>", "<sip:a@h >", "<sip:a b@h>",
            "<sip:a\r\n @h>", "<sip:a@h", "sip:a@h>", "<sip:a@h>>", "<<sip:a@h>", "<sip:a@h> x", "\"a <sip:a@h>",
            "\"a\"b <sip:a@h>", "a \"b\" <sip:a@h>", "a, b <sip:a@h>", "a;b <sip:a@h>", "sip:a@h?x=y",
            "sip:a@h,sip:b@h",
            "sip:a@h;x=1,sip:b@h", "<sip:a@h>,<sip:b@h>", "<sip:a@h>;;", "<sip:a@h>;tag=1;TAG=1", "<sip:a\u{0}@h>",
            "<sip:a\"b@h>", "<sip:a@h>;x=\"", "\"a\\\" <sip:a@h>", "<sip:a@h>tag=1",
        ])
    func malformed(text: String) {
        let isAddress = text.withSlice { NameAddress($0) != nil }
        #expect(!isAddress)
    }
}
