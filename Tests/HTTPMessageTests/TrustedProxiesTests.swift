import HTTPMessage
import Primitives
import Testing

@Suite struct TrustedProxiesTests {
    @Test(
        "The source is the right-most address that is not trusted, of a trusted peer only",
        arguments: [
            ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"), ("10.0.0.1", ["6.6.6.6, 192.0.2.1, 10.9.9.9"], "192.0.2.1"),
            ("10.0.0.1", ["6.6.6.6", "192.0.2.1 , 10.1.1.1", "10.2.2.2"], "192.0.2.1"),
            ("10.0.0.1", ["junk, 192.0.2.1"], "192.0.2.1"), ("10.0.0.1", ["192.0.2.1, junk"], "10.0.0.1"),
            ("10.0.0.1", [""], "10.0.0.1"), ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            ("192.0.2.9", ["6.6.6.6"], "192.0.2.9"), ("::1", ["2001:db8::7, fd00::1"], "2001:db8::7"),
        ])
    func sourceIsRightMost(peer: String, values: [String], expected: String) throws {
        let networks = try ["10.0.0.0/8", "fd00::/8", "::1"].map { text in
            try #require(text.withSlice { IPNetwork($0) })
        }
        var headers = HTTPHeaders()
        for value in values { headers.append("X-Forwarded-For", value) }
        let address = try #require(peer.withSlice { IPAddress($0) })
        #expect(TrustedProxies(networks).source(peer: address, headers: headers).description == expected)
    }
}
