import Primitives
import SIPMessage
import Testing

@testable import SIPAuthentication

struct DigestChallengeHeaderTests {
    /// A parsed value as one text, to compare: realm|nonce|opaque|algorithm|stale|qop; nil when it is malformed.
    private func read(_ value: String) -> String? {
        value.withSlice { slice in
            DigestChallengeHeader(slice).map {
                let (opaque, qop) = ($0.opaque?.string ?? "-", $0.qop?.string ?? "-")
                let algorithm = $0.algorithm?.name.string ?? "?"
                return "\($0.realm.string)|\($0.nonce.string)|\(opaque)|\(algorithm)|\($0.isStale)|\(qop)"
            }
        }
    }

    @Test(
        "RFC 7616 3.3: a challenge is a realm and a nonce, and what else the server says",
        arguments: [
            ("Digest realm=\"r\", nonce=\"n\"", "r|n|-|MD5|false|-"),
            (
                "Digest realm=\"atlanta.com\", domain=\"sip:ss1.carrier.com\", qop=\"auth\",nonce=\"f84f1cec\", "
                    + "opaque=\"\", stale=FALSE, algorithm=MD5", "atlanta.com|f84f1cec||MD5|false|auth"
            ),
            (
                "digest\r\n NONCE = n ,\r\n\tRealm=\"a, \\\"b\\\"\",,ALGORITHM=\"sha-256\",Stale=TRUE,QOP=\"auth-int , auth\",",
                "a, \\\"b\\\"|n|-|SHA-256|true|auth-int , auth"
            ),
            ("Digest realm=\"\",nonce=n,algorithm=AKAv1-MD5,stale=\"true\"", "|n|-|?|true|-"),
            ("Digest realm=r,nonce=n,stale=yes,userhash=true,charset=UTF-8", "r|n|-|MD5|false|-"),
            ("Digest realm=r,nonce=n,opaque=\"a\\\\b\",algorithm=SHA-512-256", "r|n|a\\\\b|SHA-512-256|false|-"),
        ])
    func values(value: String, parts: String) {
        #expect(read(value) == parts)
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", "Digest", "Basic realm=\"r\"", "Digestrealm=r,nonce=n", "Digest realm=\"r\"", "Digest nonce=\"n\"",
            "Digest realm=r,nonce=\"\"", "Digest realm=r,nonce=", "Digest realm=\"r,nonce=n", "Digest realm=r nonce=n",
            "Digest realm=r,nonce=n,nonce=n", "Digest realm=r,nonce=n,stale=true,STALE=false",
            "Digest realm=r,nonce=\"n\";a",
            "Digest realm=r,nonce=n,qop=auth,auth-int", "Digest realm=r,nonce=n, Digest realm=s,nonce=o",
            "Digest realm=\"r\\", "Digest realm=\"r\r\n\",nonce=n", "Digest realm=r\u{0},nonce=n",
            "Digest " + String(repeating: ",", count: 65536), "Digest realm=\"" + String(repeating: "\\", count: 65536),
        ])
    func malformed(value: String) {
        #expect(read(value) == nil)
    }

    @Test(
        "RFC 7616 3.3: qop is a list; without it the form of RFC 2069 is meant",
        arguments: [
            (nil, true, false, false), ("auth", false, true, false), ("auth,auth-int", false, true, true),
            (" AUTH-INT ,\r\n x", false, false, true), ("", false, false, false), ("x,authx,aut", false, false, false),
            (",,auth,", false, true, false), ("auth auth-int", false, false, false),
            ("none,unknown", false, false, false),
        ] as [(String?, Bool, Bool, Bool)])
    func qualities(qop: String?, none: Bool, auth: Bool, authInt: Bool) throws {
        let value = "Digest realm=r,nonce=n" + (qop.map { ",qop=\"\($0)\"" } ?? "")
        try value.withSlice {
            let challenge = try #require(DigestChallengeHeader($0))
            #expect(challenge.offers(.none) == none)
            #expect(challenge.offers(.auth) == auth)
            #expect(challenge.offers(.authInt) == authInt)
            #expect(!challenge.offers(.unknown))
            #expect(challenge.isAnswerable == (none || auth || authInt))
        }
    }

    @Test("RFC 8760 2.4: the topmost challenge that can be answered is the one to answer")
    func topmost() throws {
        let lines =
            "WWW-Authenticate: Basic realm=\"r\"\r\nProxy-Authenticate: Digest realm=p,nonce=1\r\n"
            + "www-authenticate: Digest realm=r,nonce=2,algorithm=SHA-3\r\nWWW-Authenticate: Digest realm=r,nonce=\r\n"
            + "WWW-Authenticate: Digest realm=r,nonce=3,qop=token\r\nWWW-Authenticate:Digest realm=\"r, s\",\r\n nonce=4\r\n"
            + "WWW-Authenticate: Digest realm=r,nonce=5\r\n"
        #expect(nonce(.server, of: lines) == "4")
        #expect(nonce(.proxy, of: lines) == "1")
        #expect(nonce(.server, of: "Proxy-Authenticate: Digest realm=p,nonce=1\r\n") == nil)
        #expect(nonce(.proxy, of: "") == nil)
    }

    private func nonce(_ kind: DigestChallenge.Kind, of lines: String) -> String? {
        (response(lines)).withSlice {
            var message = SIPMessage()
            #expect(message.parse($0) == nil)
            return message.digestChallenge(kind)?.nonce.string
        }
    }

    private func response(_ lines: String) -> String {
        "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>;tag=2\r\n"
            + "Call-ID: 1\r\nCSeq: 1 REGISTER\r\n" + lines + "\r\n"
    }

    @Test("The challenges that we write are read as they were meant")
    func ownChallenge() throws {
        let authority = NonceAuthority(secret: HashKey(1, 2), realm: "a\"b", lifetime: 1)
        let nonce = authority.issue(now: UnixTime(seconds: 1_700_000_000), counter: 7)
        let challenge = DigestChallenge(realm: "a\"b", algorithms: [.sha256, .md5], qualities: [.auth, .authInt])
        var writer = ByteWriter(capacity: 512)
        challenge.write(.proxy, nonce: nonce, stale: true, into: &writer)
        response(writer.slice.string).withSlice {
            var message = SIPMessage()
            #expect(message.parse($0) == nil)
            let read = message.digestChallenge(.proxy)
            #expect(read?.realm == "a\\\"b")
            #expect(read?.algorithm == .sha256)
            #expect(read?.isStale == true)
            #expect(read?.offers(.auth) == true && read?.offers(.authInt) == true)
            #expect(read?.opaque == nil)
        }
    }
}
