import Primitives
import SIPAuthentication
import Testing

struct DigestAlgorithmTests {
    @Test("RFC 8760: the three names are known in any case")
    func names() {
        #expect(DigestAlgorithm("MD5") == .md5)
        #expect(DigestAlgorithm("md5") == .md5)
        #expect(DigestAlgorithm("sha-256") == .sha256)
        #expect(DigestAlgorithm("SHA-512-256") == .sha512_256)
        for algorithm in DigestAlgorithm.allCases { #expect(DigestAlgorithm(algorithm.name) == algorithm) }
    }

    @Test(
        "Session forms, AKA and nonsense are unknown", arguments: ["MD5-sess", "SHA-256-sess", "AKAv1-MD5", "", "MD"])
    func unknown(name: String) {
        #expect(name.withSlice { DigestAlgorithm($0) } == nil)
    }

    @Test("qop names are known in any case, and only those that can be offered have one")
    func quality() {
        #expect(QualityOfProtection("auth") == .auth)
        #expect(QualityOfProtection("AUTH-INT") == .authInt)
        #expect(QualityOfProtection("auth,auth-int") == .unknown)
        #expect(QualityOfProtection.auth.name == "auth")
        #expect(QualityOfProtection.authInt.name == "auth-int")
        #expect(QualityOfProtection.none.name == nil)
        #expect(QualityOfProtection.unknown.name == nil)
    }
}
