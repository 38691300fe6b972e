import Primitives
import SIPAuthentication
import Testing

/// Parses a header value and gives what it is refused for, nil when it is not.
func fault(_ value: String) -> DigestCredentialsError? {
    value.withSlice { slice in
        do throws(DigestCredentialsError) {
            _ = try DigestCredentials(slice)
            return nil
        } catch {
            return error
        }
    }
}

struct DigestCredentialsTests {
    static let hash = "8ca523f5e9506fed4657c9700eebdbec"
    static let short = "Digest username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:r\",response=\"\(hash)\""

    @Test("RFC 3261 20.7: every parameter is found")
    func complete() throws {
        let credentials = try DigestCredentials(
            """
            Digest username="bob", realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", \
            uri="sip:bob@biloxi.com", qop=auth, nc=0000002a, cnonce="0a4f113b", \
            response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41", algorithm=MD5
            """)
        #expect(credentials.username == "bob")
        #expect(credentials.realm == "biloxi.com")
        #expect(credentials.nonce == "dcd98b7102dd2f0e8b11d0f600bfb0c093")
        #expect(credentials.uri == "sip:bob@biloxi.com")
        #expect(credentials.response == "6629fae49393a05397450978507c4ef1")
        #expect(credentials.opaque == "5ccc069c403ebaf9f0171e9517f40e41")
        #expect(credentials.clientNonce == "0a4f113b")
        #expect(credentials.qop == .auth)
        #expect(credentials.nonceCount == 42)
        #expect(credentials.algorithm == .md5)
    }

    @Test("Without algorithm it is MD5, without qop there is no nonce count")
    func absent() throws {
        let credentials = try DigestCredentials(
            """
            Digest username="u",realm="r",nonce="n",uri="sip:r",nc=00000001,cnonce="c",\
            response="8ca523f5e9506fed4657c9700eebdbec"
            """)
        #expect(credentials.algorithm == .md5)
        #expect(credentials.qop == .none)
        #expect(credentials.nonceCount == nil)
        #expect(credentials.opaque == "")
    }

    @Test(
        "Names in any case, any order, quoted or bare values and odd white space mean the same",
        arguments: [
            "Digest username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:r\",qop=auth,nc=00000001,cnonce=\"c\",response=\"\(hash)\"",
            "digest qop=\"auth\",nc=\"00000001\",cnonce=c,response=\(hash),uri=sip:r,nonce=n,realm=r,username=u",
            "DIGEST USERNAME=\"u\",Realm=\"r\",Nonce=\"n\",URI=\"sip:r\",QOP=auth,NC=00000001,CNonce=\"c\",Response=\"\(hash)\"",
            "  Digest \t username = \"u\" ,, realm\t=\t\"r\" , nonce=\"n\"\r\n ,uri=\"sip:r\",\r\n\tqop=auth,nc=00000001,"
                + "cnonce=\"c\",\n response=\"\(hash)\" , ",
            "Digest algorithm=\"md5\",username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:r\",qop=auth,nc=00000001,"
                + "cnonce=\"c\",response=\"\(hash)\",auth-param=x,other=\"a,b=\\\"c\\\"\",other=2",
        ])
    func equivalent(value: String) throws {
        try value.withSlice { slice in
            let credentials = try DigestCredentials(slice)
            #expect(credentials.username == "u")
            #expect(credentials.realm == "r")
            #expect(credentials.nonce == "n")
            #expect(credentials.uri == "sip:r")
            #expect(credentials.qop == .auth)
            #expect(credentials.nonceCount == 1)
            #expect(credentials.clientNonce == "c")
            #expect(credentials.algorithm == .md5)
            #expect(credentials.response.string == Self.hash)
        }
    }

    @Test("Quoted strings keep commas, equal signs, escapes and folding")
    func quoting() throws {
        let value = Self.short.replacing("\"u\"", with: "\"a\\\"b, c=\\\\d\r\n e\"")
        try value.withSlice { slice in
            let credentials = try DigestCredentials(slice)
            #expect(credentials.username == "a\\\"b, c=\\\\d\r\n e")
            var writer = ByteWriter(capacity: 64)
            writer.append(unescaping: credentials.username)
            #expect(writer.slice == "a\"b, c=\\d\r\n e")
        }
    }

    @Test("An unknown algorithm is told apart, and its response is not judged")
    func unknownAlgorithm() throws {
        let value = Self.short.replacing(Self.hash, with: "abc") + ",algorithm=AKAv1-MD5"
        #expect(try value.withSlice { try DigestCredentials($0).algorithm } == nil)
    }

    @Test("An unknown qop is told apart")
    func unknownQuality() throws {
        let value = Self.short + ",qop=\"auth,auth-int\",nc=00000001,cnonce=c"
        #expect(try value.withSlice { try DigestCredentials($0).qop } == .unknown)
    }

    @Test("The response has the length of the algorithm's hash, in hexadecimal digits")
    func responseLength() {
        #expect(fault(Self.short) == nil)
        #expect(fault(Self.short + ",algorithm=SHA-256") == .invalid(.response))
        let long = Self.short.replacing(Self.hash, with: Self.hash + Self.hash)
        #expect(fault(long) == .invalid(.response))
        #expect(fault(long + ",algorithm=SHA-256") == nil)
        #expect(fault(long + ",algorithm=sha-512-256") == nil)
        #expect(fault(Self.short.replacing("8ca5", with: "8cg5")) == .invalid(.response))
    }

    @Test("RFC 7616 3.4: the nonce count is exactly eight hexadecimal digits")
    func nonceCount() {
        func refused(_ count: String) -> DigestCredentialsError? {
            fault(Self.short + ",qop=auth,cnonce=c,nc=\(count)")
        }
        #expect(refused("00000001") == nil)
        #expect(refused("FfFfFfFf") == nil)
        #expect(refused("0000001") == .invalid(.nonceCount))
        #expect(refused("000000001") == .invalid(.nonceCount))
        #expect(refused("0000000g") == .invalid(.nonceCount))
        #expect(refused("\"\"") == .invalid(.nonceCount))
        #expect(fault(Self.short + ",nc=1") == .invalid(.nonceCount))
    }

    @Test("RFC 7616 3.4: with qop, cnonce and nc must be there")
    func qualityNeeds() {
        #expect(fault(Self.short + ",qop=auth,nc=00000001") == .missing(.clientNonce))
        #expect(fault(Self.short + ",qop=auth,cnonce=c") == .missing(.nonceCount))
    }

    @Test(
        "Each required parameter is missed when absent", arguments: ["username", "realm", "nonce", "uri", "response"])
    func missing(name: String) {
        let error = fault(Self.short.replacing("\(name)=", with: "x-\(name)="))
        guard case .missing(let field) = error else {
            Issue.record("not missed: \(name)")
            return
        }
        #expect("\(field)" == name)
    }

    @Test("3GPP TS 24.229: an empty nonce or response counts as absent")
    func empty() {
        #expect(fault("Digest username=\"u\",realm=\"r\",nonce=\"\",uri=\"sip:r\",response=\"\"") == .missing(.nonce))
        #expect(
            fault("Digest username=\"u\",realm=\"r\",nonce=\"n\",uri=\"sip:r\",response=\"\"") == .missing(.response))
    }
}
