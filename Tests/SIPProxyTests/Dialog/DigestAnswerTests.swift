import Primitives
import SIPAuthentication
import Testing

@testable import SIPProxy

@Suite("The answer to a challenge")
struct DigestAnswerTests {
    private func answer(
        _ headers: [String], status: Int = 401, method: ByteSlice = "INVITE", uri: ByteSlice = "sip:+49@gw",
        body: ByteSlice = .empty, user: String = "bob", password: String = "zanzibar"
    ) -> DigestAnswer? {
        DigestAnswer(
            to: ParsedMessage.answer(status, headers).message, method: method, uri: uri, body: body,
            user: Array(user.utf8), password: Array(password.utf8), key: HashKey(1, 2))
    }

    private func text(_ answer: DigestAnswer?) -> String {
        answer.map { String(decoding: $0.line, as: UTF8.self) } ?? ""
    }

    /// The line for a challenge, with this client nonce.
    private func line(
        _ challenge: String, clientNonce: String, method: ByteSlice, uri: ByteSlice, user: String, password: String
    ) throws -> String {
        try challenge.withSlice { value in
            let challenge = try #require(DigestChallengeHeader(value))
            let algorithm = try #require(challenge.algorithm)
            let line = DigestAnswer.line(
                "Authorization: ", challenge, algorithm, clientNonce: Array(clientNonce.utf8), method: method, uri: uri,
                body: .empty, user: Array(user.utf8), password: Array(password.utf8))
            return String(decoding: try #require(line), as: UTF8.self)
        }
    }

    @Test("The example of RFC 2617 section 3.5")
    func example2617() throws {
        let line = try line(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
                + "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
            clientNonce: "0a4f113b", method: "GET", uri: "/dir/index.html", user: "Mufasa", password: "Circle Of Life")
        #expect(line.hasSuffix("response=\"6629fae49393a05397450978507c4ef1\"\r\n"))
        #expect(line.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""))
        #expect(line.contains("qop=auth, nc=00000001, cnonce=\"0a4f113b\""))
    }

    @Test(
        "The examples of RFC 7616 section 3.9.1",
        arguments: [
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ])
    func examples7616(_ algorithm: String, _ response: String) throws {
        let line = try line(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=\(algorithm), "
                + "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                + "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", method: "GET", uri: "/dir/index.html",
            user: "Mufasa", password: "Circle of Life")
        #expect(line.hasSuffix("response=\"\(response)\"\r\n"))
    }

    @Test("The strongest hash is chosen, wherever its challenge stands")
    func strongest() {
        let md5 = "WWW-Authenticate: Digest realm=\"gw\", nonce=\"n1\", algorithm=MD5, qop=\"auth\""
        let sha = "WWW-Authenticate: Digest realm=\"gw\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\""
        let other = "WWW-Authenticate: Digest realm=\"gw\", nonce=\"n3\", algorithm=AKAv1-MD5"
        for headers in [[md5, sha, other], [sha, md5], [other, sha]] {
            #expect(text(answer(headers)).contains("nonce=\"n2\""))
        }
        #expect(text(answer([other, md5])).contains("nonce=\"n1\""))
        #expect(answer([other]) == nil)
    }

    @Test("401 and 407 are answered with the header that they ask for")
    func kinds() {
        let server = "WWW-Authenticate: Digest realm=\"gw\", nonce=\"n1\""
        let proxy = "Proxy-Authenticate: Digest realm=\"gw\", nonce=\"n2\", stale=true"
        #expect(text(answer([server, proxy])).hasPrefix("Authorization: Digest username=\"bob\", "))
        let second = answer([server, proxy], status: 407)
        #expect(text(second).hasPrefix("Proxy-Authorization: Digest username=\"bob\", "))
        #expect(second?.isStale == true)
        #expect(answer([server], status: 407) == nil)
        #expect(answer([server], status: 403) == nil)
        #expect(answer([server], user: "") == nil)
    }

    @Test(
        "Our own verification accepts it, with every quality of protection",
        arguments: [
            "", ", qop=\"auth\"", ", qop=\"auth-int\"", ", qop=\"auth-int,auth\"",
        ])
    func verified(_ qop: String) throws {
        for algorithm in ["MD5", "SHA-256", "SHA-512-256"] {
            let made = try #require(
                self.answer(
                    ["WWW-Authenticate: Digest realm=\"gw\", nonce=\"n\", algorithm=\(algorithm)\(qop)"],
                    body: "v=0"))
            let value = text(made).dropFirst("Authorization: ".count).dropLast(1)
            try String(value).withSlice { slice in
                let credentials = try DigestCredentials(slice)
                #expect(
                    DigestVerification.matches(
                        credentials, password: PasswordDigest(login: "bob", realm: "gw", password: "zanzibar"),
                        method: "INVITE", body: "v=0"))
                #expect(
                    !DigestVerification.matches(
                        credentials, password: PasswordDigest(login: "bob", realm: "gw", password: "wrong"),
                        method: "INVITE", body: "v=0"))
            }
        }
    }

    @Test("A user with a quote does not end its parameter")
    func quoted() {
        let line = text(
            answer(["WWW-Authenticate: Digest realm=\"gw\", nonce=\"n\""], user: "a\", realm=\"evil"))
        #expect(line.contains("username=\"a\\\", realm=\\\"evil\", realm=\"gw\""))
    }

    @Test("The client nonce is another for another challenge")
    func clientNonce() {
        let first = text(answer(["WWW-Authenticate: Digest realm=\"gw\", nonce=\"n1\", qop=\"auth\""]))
        let second = text(answer(["WWW-Authenticate: Digest realm=\"gw\", nonce=\"n2\", qop=\"auth\""]))
        func nonce(_ line: String) -> Substring? { line.split(separator: "cnonce=\"").last?.prefix(32) }
        #expect(nonce(first) != nil && nonce(first) != nonce(second))
    }
}
