import Primitives
import SIPAuthentication
import Testing

struct DigestParametersTests {
    private static let short = DigestCredentialsTests.short

    @Test(
        "Another scheme is not digest",
        arguments: ["", " ", "Basic YTpi", "Digesta b=c", "Dig", "Digest=1", "Digest,a=b"])
    func scheme(value: String) {
        #expect(fault(value) == .notDigest)
    }

    @Test("The scheme alone misses the first parameter")
    func schemeAlone() {
        #expect(fault("Digest") == .missing(.username))
        #expect(fault("Digest  ,, ") == .missing(.username))
    }

    @Test(
        "Broken grammar is refused",
        arguments: [
            "Digest username", "Digest username=", "Digest username=,realm=r", "Digest =u", "Digest \"u\"",
            "Digest username=\"u", "Digest username=\"", "Digest username=\"u\\", "Digest username=\"u\\\"",
            "Digest username=\"u\"realm=\"r\"", "Digest username=\"u\" realm=\"r\"", "Digest username=u realm=r",
            "Digest username=u\"v\"", "Digest username=\"u\"v", "Digest user name=u", "Digest username==\"u\"\"",
            "Digest username=\"u\0\"", "Digest username=u\0", "Digest username=\"u\u{7f}\"",
            "Digest username=\"u\r\nv\"",
            "Digest username=\"u\rv\"", "Digest username=\"u\\\r\n v\"", "Digest username=\"u\r\n",
            "Digest username=\"u\r",
            "Digest username;u", "Digest username=\"u\";realm=\"r\"",
        ])
    func grammar(value: String) {
        #expect(fault(value) == .malformed)
    }

    @Test("A known parameter may not come twice, and the first fault is the one told")
    func duplicates() {
        #expect(fault(Self.short + ",username=\"v\"") == .duplicate(.username))
        #expect(fault(Self.short + ",NONCE=n") == .duplicate(.nonce))
        #expect(fault(Self.short + ",qop=auth,qop=auth-int") == .duplicate(.qop))
        #expect(fault("Digest nc=1,NC=2,uri=\"") == .duplicate(.nonceCount))
        #expect(fault("Digest uri=\",nc=1,NC=2") == .malformed)
    }

    @Test("64 KB of anything is answered by an error or a value")
    func large() {
        let filler = String(repeating: "a", count: 65_536)
        #expect(fault(filler) == .notDigest)
        #expect(fault("Digest " + filler) == .malformed)
        #expect(fault("Digest " + filler + "=b") == .missing(.username))
        #expect(fault("Digest username=\"" + filler) == .malformed)
        #expect(fault("Digest username=\"" + filler + "\"") == .missing(.realm))
        #expect(fault("Digest " + String(repeating: ",", count: 65_536)) == .missing(.username))
        #expect(fault("Digest " + String(repeating: "\\\"", count: 32_768)) == .malformed)
        #expect(fault(Self.short.replacing("\"u\"", with: "\"\(filler)\"")) == nil)
    }

    @Test("Every beginning of a good value is an error or a value, and so is every change of one byte")
    func mutations() {
        let good = Array((Self.short + ",qop=auth,nc=00000001,cnonce=\"c\\\"\"").utf8)
        #expect(fault(String(decoding: good, as: UTF8.self)) == nil)
        var refused = 0
        for length in 0..<good.count {
            refused += good[..<length].withUnsafeBytes { (try? DigestCredentials(ByteSlice($0))) == nil } ? 1 : 0
        }
        // Good without the last three parameters, and with a comma after that; everything else lacks something.
        #expect(refused == good.count - 2)
        for index in good.indices {
            for byte in [0, 10, 13, 32, 34, 44, 61, 92, 127, 128, 255] as [UInt8] {
                var bad = good
                bad[index] = byte
                _ = bad.withSlice { try? DigestCredentials($0) }
            }
        }
    }
}
