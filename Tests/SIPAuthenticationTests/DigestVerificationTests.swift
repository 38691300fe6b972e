import Primitives
import SIPAuthentication
import Testing

struct DigestVerificationTests {
    private func verify(
        _ value: String, _ password: PasswordDigest, method: ByteSlice, body: ByteSlice = .empty
    ) throws -> Bool {
        try value.withSlice { slice in
            let credentials = try DigestCredentials(slice)
            return DigestVerification.matches(credentials, password: password, method: method, body: body)
        }
    }

    @Test(
        "RFC 7616 3.9.1: the examples in MD5 and SHA-256, and the same in SHA-512/256",
        arguments: [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
            ("SHA-512-256", "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0"),
        ])
    func examples(algorithm: String, response: String) throws {
        let value = """
            Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=\(algorithm), \
            nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, \
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="\(response)", \
            opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
            """
        let password = PasswordDigest(login: "Mufasa", realm: "http-auth@example.org", password: "Circle of Life")
        #expect(try verify(value, password, method: "GET"))
        #expect(try verify(value.replacing(response, with: response.uppercased()), password, method: "GET"))
        #expect(try !verify(value, password, method: "PUT"))
        #expect(try !verify(value.replacing("index", with: "other"), password, method: "GET"))
        #expect(try !verify(value.replacing("nc=00000001", with: "nc=00000002"), password, method: "GET"))
        #expect(try !verify(value.replacing("cnonce=\"f", with: "cnonce=\"g"), password, method: "GET"))
        #expect(try !verify(value.replacing(" nonce=\"7", with: " nonce=\"8"), password, method: "GET"))
        #expect(try !verify(value.replacing("qop=auth", with: "qop=auth-int"), password, method: "GET"))
    }

    @Test("RFC 2617 3.5: the example")
    func olderExample() throws {
        let value = """
            Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", \
            uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", \
            response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"
            """
        let password = PasswordDigest(login: "Mufasa", realm: "testrealm@host.com", password: "Circle Of Life")
        #expect(try verify(value, password, method: "GET"))
    }

    @Test("RFC 2069 2.4: the example as corrected by its erratum, without qop")
    func oldestExample() throws {
        let value = """
            Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", \
            uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea"
            """
        let password = PasswordDigest(login: "Mufasa", realm: "testrealm@host.com", password: "CircleOfLife")
        #expect(try verify(value, password, method: "GET"))
        #expect(try !verify(value, password, method: "HEAD"))
    }

    private let alice = PasswordDigest(login: "alice", realm: "example.com", password: "wonderland")

    @Test(
        "RFC 8760: a REGISTER with qop auth, the nonce count hashed as the client wrote it",
        arguments: [
            ("MD5", "92727a36a0ff9b594a378e4cf60971ce"),
            ("SHA-256", "6ba5cf579614c77ee395259e8e3eed056c88e9713932d729a3a40520f9e452bb"),
            ("SHA-512-256", "f5c2262edf919e3bec48ac7cba6576c463b51906b5c4ee51b01d808a3b0c7232"),
        ])
    func register(algorithm: String, response: String) throws {
        let value = """
            Digest username="alice",realm="example.com",nonce="YXNkZg",uri="sip:example.com",algorithm="\(algorithm)",\
            cnonce="0a4f113b",qop="auth",nc=0000000A,response="\(response)"
            """
        #expect(try verify(value, alice, method: "REGISTER"))
        // The body is not protected.
        #expect(try verify(value, alice, method: "REGISTER", body: "x"))
        #expect(try !verify(value, PasswordDigest.none, method: "REGISTER"))
        let other = PasswordDigest(login: "alice", realm: "example.com", password: "looking-glass")
        #expect(try !verify(value, other, method: "REGISTER"))
    }

    @Test(
        "RFC 7616 3.4.3: auth-int protects the body",
        arguments: [
            ("MD5", "e41d4097f101bdac7fdfb593cf2e319a"),
            ("SHA-256", "9f1aab394aa2eaa455a85b03f0d7b3c37e796247f7b76a8dbbf34c268898ea8b"),
            ("SHA-512-256", "5161d0854e5656af04d48f333bd4885c444e40ce48ce6269c9c4e0dc64f1f375"),
        ])
    func body(algorithm: String, response: String) throws {
        let value = """
            Digest username="alice",realm="example.com",nonce="YXNkZg",uri="sip:bob@example.com",\
            algorithm=\(algorithm),cnonce="0a4f113b",qop=auth-int,nc=0000000a,response="\(response)"
            """
        let body: ByteSlice = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
        #expect(try verify(value, alice, method: "INVITE", body: body))
        #expect(try !verify(value, alice, method: "INVITE", body: body.prefix(body.count - 1)))
        #expect(try !verify(value, alice, method: "INVITE"))
    }

    @Test(
        "Without qop every algorithm works",
        arguments: [
            ("MD5", "7ed81e0bbc0604e1af9025c5cd4168b5"),
            ("SHA-256", "496de68759548d8398f017ad408d5475ac71fdf6b2ae346c72fd5ef6354190db"),
            ("SHA-512-256", "486a97e48b56d7ba65d913f692b718f269ef301f555bbfca39c469b03dd0f6a1"),
        ])
    func withoutQuality(algorithm: String, response: String) throws {
        let value = """
            Digest username="alice",realm="example.com",nonce="YXNkZg",uri="sip:example.com",\
            algorithm=\(algorithm),response="\(response)"
            """
        #expect(try verify(value, alice, method: "REGISTER"))
    }

    @Test("Nobody can answer for a client that does not exist, not even knowing what stands in its place")
    func nobody() throws {
        let value = """
            Digest username="alice",realm="example.com",nonce="YXNkZg",uri="sip:example.com",\
            response="00000000000000000000000000000000"
            """
        for algorithm in DigestAlgorithm.allCases {
            let known = value + ",algorithm=\(algorithm.name.string)"
            let padded =
                algorithm == .md5 ? known : known.replacing("\"0000", with: "\"" + String(repeating: "0", count: 36))
            let response = try padded.withSlice { slice in
                try #require(
                    DigestVerification.expectedResponse(
                        to: DigestCredentials(slice), password: .none, method: "REGISTER", body: .empty))
            }
            let zeros = String(repeating: "0", count: 2 * algorithm.byteCount)
            let answer = padded.replacing(zeros, with: HashVectors.hexadecimal(response))
            #expect(answer != padded)
            #expect(try !verify(answer, .none, method: "REGISTER"))
        }
    }

    @Test("An unknown algorithm or qop never matches")
    func unknown() throws {
        let value = """
            Digest username="alice",realm="example.com",nonce="YXNkZg",uri="sip:example.com",\
            response="7ed81e0bbc0604e1af9025c5cd4168b5"
            """
        #expect(try verify(value, alice, method: "REGISTER"))
        #expect(try !verify(value + ",algorithm=MD5-sess", alice, method: "REGISTER"))
        #expect(try !verify(value + ",qop=none,cnonce=c,nc=00000001", alice, method: "REGISTER"))
    }
}
