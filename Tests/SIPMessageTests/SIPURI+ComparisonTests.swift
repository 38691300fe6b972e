import Primitives
import SIPMessage
import Testing

@Suite("SIPURI comparison")
struct SIPURIComparisonTests {
    private func areEquivalent(_ left: String, _ right: String) throws -> Bool {
        try left.withSlice { left in
            try right.withSlice { right in
                let first = try #require(SIPURI(left))
                let second = try #require(SIPURI(right))
                let result = first.isEquivalent(to: second)
                #expect(second.isEquivalent(to: first) == result, "not symmetric")
                #expect(first.isEquivalent(to: first) && second.isEquivalent(to: second), "not reflexive")
                return result
            }
        }
    }

    @Test(
        "The URIs that 19.1.4 calls equivalent are",
        arguments: [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x"
            ),
        ])
    func equivalent(left: String, right: String) throws { #expect(try areEquivalent(left, right)) }

    @Test(
        "The URIs that 19.1.4 calls different are",
        arguments: [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ])
    func different(left: String, right: String) throws { #expect(try !areEquivalent(left, right)) }

    @Test(
        "The rules of 19.1.4 hold beyond its examples",
        arguments: [
            ("sip:a@h", "sips:a@h", false), ("sip:a@h", "sip:h", false), ("sip:a@h", "sip:a:p@h", false),
            ("sip:a:p@h", "sip:a:P@h", false), ("sip:a:p@h", "sip:a:%70@h", true), ("sip:a:@h", "sip:a@h", false),
            ("sip:a@h;user=phone", "sip:a@h", false), ("sip:a@h;ttl=1", "sip:a@h", false),
            ("sip:a@h;METHOD=X", "sip:a@h", false), ("sip:a@h;m%61ddr=1.2.3.4", "sip:a@h", false),
            ("sip:a@h;x=%61", "sip:a@h;%78=A", true), ("sip:a@h;lr", "sip:a@h", true),
            ("sip:a@h;lr", "sip:a@h;lr=on", false), ("sip:a@h?x=1", "sip:a@h?X=1", true),
            ("sip:a@h?x=1", "sip:a@h?x=2", false), ("sip:a@h?x=1&y=2", "sip:a@h?x=1", false),
            ("sip:a@[::1]", "sip:a@[0:0:0:0:0:0:0:1]", true), ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0::1]", true),
            ("sip:a@[::1]", "sip:a@[::2]", false), ("sip:a@h;x=1;x=2", "sip:a@h;x=1;x=2", true),
        ])
    func rules(left: String, right: String, isEquivalent: Bool) throws {
        #expect(try areEquivalent(left, right) == isEquivalent)
    }

    @Test("An escape is the character that it stands for, but an escaped reserved character is another (19.1.4)")
    func escapes() throws {
        #expect(try areEquivalent("sip:%4a%4A@h", "sip:JJ@h"))
        #expect(try areEquivalent("sip:a%2Db@h", "sip:a-b@h"))
        #expect(try !areEquivalent("sip:a%3Bb@h", "sip:a;b@h"))
        #expect(try areEquivalent("sip:a%3bb@h", "sip:a%3Bb@h"))
        #expect(try !areEquivalent("sip:null-%00-null@h", "sip:null-%00-nulL@h"))
    }

    @Test("Thousands of parameters or headers are not compared pair by pair", .timeLimit(.minutes(1)))
    func hostile() throws {
        let parameters = (0..<30000).map { ";p\($0)" }.joined()
        let backwards = (0..<30000).reversed().map { ";p\($0)" }.joined()
        #expect(try areEquivalent("sip:a@h" + parameters, "sip:a@h" + parameters))
        #expect(try !areEquivalent("sip:a@h" + parameters, "sip:a@h" + backwards))
        let headers = "?" + (0..<30000).map { "p\($0)=1" }.joined(separator: "&")
        #expect(try areEquivalent("sip:a@h" + headers, "sip:a@h" + headers))
        #expect(try !areEquivalent("sip:a@h" + headers, "sip:a@h" + headers + "&x=1"))
    }
}
