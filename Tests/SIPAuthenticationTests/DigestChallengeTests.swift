import Primitives
import SIPAuthentication
import Testing

struct DigestChallengeTests {
    private let nonce = NonceAuthority(secret: HashKey(1, 2), realm: "example.com", lifetime: 1)
        .issue(now: UnixTime(seconds: 1_700_000_000), counter: 7)

    private var nonceText: String {
        var writer = ByteWriter(capacity: 64)
        writer.append(nonce)
        return writer.slice.string
    }

    private func lines(_ challenge: DigestChallenge, _ kind: DigestChallenge.Kind, stale: Bool = false) -> String {
        var writer = ByteWriter(capacity: 512)
        challenge.write(kind, nonce: nonce, stale: stale, into: &writer)
        return writer.slice.string
    }

    @Test("RFC 8760 2.2: one line an algorithm, in the configured order, with one nonce")
    func order() {
        let challenge = DigestChallenge(
            realm: "example.com", algorithms: [.sha256, .md5, .sha512_256], qualities: [.auth, .authInt])
        let rest = "Digest realm=\"example.com\", nonce=\"\(nonceText)\", algorithm="
        #expect(
            lines(challenge, .server)
                == "WWW-Authenticate: \(rest)SHA-256, qop=\"auth,auth-int\"\r\n"
                + "WWW-Authenticate: \(rest)MD5, qop=\"auth,auth-int\"\r\n"
                + "WWW-Authenticate: \(rest)SHA-512-256, qop=\"auth,auth-int\"\r\n")
    }

    @Test("RFC 3261 22.3: a proxy asks with Proxy-Authenticate, and says when only the nonce was stale")
    func proxy() {
        let challenge = DigestChallenge(realm: "example.com", algorithms: [.md5], qualities: [.auth])
        let rest =
            "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"\(nonceText)\", algorithm=MD5, qop=\"auth\""
        #expect(lines(challenge, .proxy) == rest + "\r\n")
        #expect(lines(challenge, .proxy, stale: true) == rest + ", stale=true\r\n")
    }

    @Test("Without qualities there is no qop, and without algorithms nothing")
    func nothing() {
        let plain = DigestChallenge(realm: "r", algorithms: [.md5], qualities: [.none, .unknown])
        #expect(
            lines(plain, .server) == "WWW-Authenticate: Digest realm=\"r\", nonce=\"\(nonceText)\", algorithm=MD5\r\n")
        #expect(lines(DigestChallenge(realm: "r", algorithms: [], qualities: [.auth]), .server) == "")
    }

    @Test("RFC 3261 25.1: quotes and backslashes of the realm are escaped")
    func escaping() {
        let challenge = DigestChallenge(realm: "a\"b\\c", algorithms: [.md5], qualities: [])
        #expect(lines(challenge, .server).hasPrefix("WWW-Authenticate: Digest realm=\"a\\\"b\\\\c\", nonce="))
    }

    @Test("Credentials of an algorithm or quality that was not offered are not admitted")
    func admission() throws {
        func admits(_ challenge: DigestChallenge, _ more: String) throws -> Bool {
            try (DigestCredentialsTests.short + more).withSlice { challenge.admits(try DigestCredentials($0)) }
        }
        let strict = DigestChallenge(realm: "r", algorithms: [.md5], qualities: [.auth])
        #expect(try admits(strict, ""))
        #expect(try admits(strict, ",algorithm=MD5,qop=auth,nc=00000001,cnonce=c"))
        #expect(try !admits(strict, ",qop=auth-int,nc=00000001,cnonce=c"))
        #expect(try !admits(strict, ",qop=other,nc=00000001,cnonce=c"))
        #expect(try !admits(strict, ",algorithm=MD5-sess"))
        let modern = DigestChallenge(realm: "r", algorithms: [.sha256], qualities: [.auth, .unknown])
        #expect(try !admits(modern, ""))
        let lax = DigestChallenge(realm: "r", algorithms: [.md5], qualities: [.unknown])
        #expect(try !admits(lax, ",qop=other,nc=00000001,cnonce=c"))
    }
}
