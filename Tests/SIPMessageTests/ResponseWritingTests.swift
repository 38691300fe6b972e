import Primitives
import SIPMessage
import Testing

@Suite("Writing responses")
struct ResponseWritingTests {
    static let source = SocketAddress(address: IPAddress(ipv4: 0xc000_0209), port: 40001)

    /// The Via part of a response to a request with these Via lines from 192.0.2.9:40001.
    private func vias(_ lines: String, source: SocketAddress? = source) -> String {
        let lines = Parsed(options(["Via": lines])).response(200, source: source).split(separator: "\r\n")
        return lines.dropFirst().prefix { !$0.hasPrefix("From") }.map { $0 + "\n" }.joined()
    }

    @Test("A response takes over Via, From, To, Call-ID and CSeq (8.2.6.2)")
    func takenOver() {
        let parsed = Parsed(
            options(
                ["Via": "v: SIP/2.0/UDP a;branch=1\n", "To": "t : <sip:b@h>\n ;x\n", "CSeq": "cseq: 7\n OPTIONS\n"],
                adding: "Via: SIP/2.0/UDP b\nSubject: s\nTimestamp: 54\n"))
        #expect(
            parsed.response(404, toTag: "xyz")
                == "SIP/2.0 404 Not Found\r\nv: SIP/2.0/UDP a;branch=1\r\nVia: SIP/2.0/UDP b\r\n"
                + "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:b@h>\r\n ;x;tag=xyz\r\n"
                + "Call-ID: abc@192.0.2.1\r\ncseq: 7\r\n OPTIONS\r\n")
    }

    @Test("A tag is put on To when it has none, and none on 100 (8.2.6.2)")
    func toTag() {
        #expect(Parsed(options()).response(200, toTag: "z").contains("To: <sip:bob@example.com>;tag=z\r\n"))
        #expect(Parsed(options()).response(100).contains("To: <sip:bob@example.com>\r\n"))
        let inDialog = Parsed(options(["To": "To: <sip:b@h>;tag=old\n"]))
        #expect(inDialog.response(200, toTag: "new").contains("To: <sip:b@h>;tag=old\r\n"))
    }

    @Test("Only 100 takes over the Timestamp (8.2.6.1)")
    func timestamp() {
        let parsed = Parsed(options(adding: "Timestamp: 54\n"))
        #expect(parsed.response(100).hasSuffix("Timestamp: 54\r\n"))
        #expect(!parsed.response(200).contains("Timestamp"))
    }

    @Test("A phrase that is given stands in place of the usual one")
    func phrase() {
        #expect(Parsed(options()).response(400, phrase: "Missing To").hasPrefix("SIP/2.0 400 Missing To\r\n"))
    }

    @Test(
        "received and rport are put on the topmost Via (18.2.1, RFC 3581)",
        arguments: [
            ("Via: SIP/2.0/UDP h;branch=1\n", "Via: SIP/2.0/UDP h;branch=1;received=192.0.2.9\n"),
            ("Via: SIP/2.0/UDP 192.0.2.9;branch=1\n", "Via: SIP/2.0/UDP 192.0.2.9;branch=1\n"),
            ("Via: SIP/2.0/UDP 192.0.2.8\n", "Via: SIP/2.0/UDP 192.0.2.8;received=192.0.2.9\n"),
            (
                "Via: SIP/2.0/UDP 192.0.2.9;rport;branch=1\n",
                "Via: SIP/2.0/UDP 192.0.2.9;rport=40001;branch=1;received=192.0.2.9\n"
            ),
            ("Via: SIP/2.0/UDP h ; rport\n", "Via: SIP/2.0/UDP h ;rport=40001;received=192.0.2.9\n"),
            (
                "Via: SIP/2.0/UDP h;rport , SIP/2.0/TCP i;rport\n",
                "Via: SIP/2.0/UDP h;rport=40001;received=192.0.2.9 , SIP/2.0/TCP i;rport\n"
            ),
            (
                "v:\n SIP / 2.0 / UDP\n h ;\n rport\n ; branch = 1\n",
                "v:\n SIP / 2.0 / UDP\n h ;rport=40001\n ; branch = 1;received=192.0.2.9\n"
            ),
            (
                "Via: SIP/2.0/UDP a;rport\nVia: SIP/2.0/UDP b;rport\nv: SIP/2.0/UDP c\n",
                "Via: SIP/2.0/UDP a;rport=40001;received=192.0.2.9\nVia: SIP/2.0/UDP b;rport\nv: SIP/2.0/UDP c\n"
            ),
        ])
    func topVia(lines: String, expected: String) { #expect(vias(lines) == expected) }

    @Test("Without a source the Vias are taken over as they are")
    func noSource() { #expect(vias("Via: SIP/2.0/UDP h;rport\n", source: nil) == "Via: SIP/2.0/UDP h;rport\n") }

    @Test("received and rport that a peer wrote itself are replaced: it cannot send the response elsewhere")
    func forged() {
        #expect(
            vias("Via: SIP/2.0/UDP h;received=10.0.0.1;rport=99;x=1;received=10.0.0.2\n")
                == "Via: SIP/2.0/UDP h;rport=40001;x=1;received=192.0.2.9\n")
    }

    @Test("An IPv6 source is written without brackets")
    func ipv6() {
        let source = SocketAddress(address: IPAddress(high: 0x2001_0db8 << 32, low: 1), port: 5060)
        #expect(
            vias("Via: SIP/2.0/UDP [::1];rport\n", source: source)
                == "Via: SIP/2.0/UDP [::1];rport=5060;received=2001:db8::1\n")
        #expect(
            vias("Via: SIP/2.0/UDP [2001:DB8:0::1]\n", source: source) == "Via: SIP/2.0/UDP [2001:DB8:0::1]\n")
    }

    @Test("A request that lacks headers, or whose Via is faulty, gets what there is")
    func faulty() {
        let parsed = Parsed(options(["Via": "Via: SIP/2.0/UDP h;;,;,,\n", "From": "", "To": "", "Call-ID": ""]))
        #expect(
            parsed.response(400, source: Self.source, toTag: "z")
                == "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP h;;;received=192.0.2.9,;,,\r\nCSeq: 7 OPTIONS\r\n")
        let hopeless = Parsed(options(["Via": "Via: x\n"]))
        #expect(hopeless.response(400, source: Self.source).contains("\r\nVia: x\r\n"))
    }

    @Test("The response that was written can be parsed")
    func roundTrip() {
        let response = Parsed(options(["Via": "Via: SIP/2.0/UDP h;rport;branch=z9hG4bK1\n"]))
            .response(200, source: Self.source, toTag: "z")
        let parsed = Parsed(raw: response + "Content-Length: 0\r\n\r\n")
        #expect(parsed.fault == nil && parsed.status == 200 && parsed.toTag == "z")
        #expect(parsed.topVia.responsePort == 40001 && parsed.topVia.received == "192.0.2.9")
    }

    @Test("Header lines and the end are written with CRLF")
    func lines() {
        var writer = ByteWriter(capacity: 64)
        writer.appendHeader("Server", "Rollcall")
        writer.appendHeader("Min-Expires", number: 60)
        writer.endResponse()
        #expect(writer.slice == "Server: Rollcall\r\nMin-Expires: 60\r\nContent-Length: 0\r\n\r\n")
    }
}
