import Primitives
import Testing

@testable import SIPProxy

@Suite("No amplifier: what a stranger gets is not more than the request and a challenge (RFC 5393, UDP reflection)")
struct AmplificationTests {
    /// What an answer may have beyond its request: a challenge, or the reason of a refusal.
    static let allowance = 350
    let network = TestNetwork(.bob)
    let stranger = Device("x", "203.0.113.7").flow

    /// A request as short as one can be that is answered: compact names, no blank that is not needed.
    private func shortest(
        _ method: String, _ uri: String, _ lines: [String] = [], hops: Int = 1, omits: String = "-", via: String = ""
    ) -> String {
        ([
            "\(method) \(uri) SIP/2.0", "v:SIP/2.0/UDP a\(via);branch=z9hG4bK1", "f:<sip:x@example.com>;tag=1",
            "t:<sip:b@example.com>",
            "i:1", "CSeq:1 \(method)", "Max-Forwards:\(hops)",
        ] + lines).filter { !$0.hasPrefix(omits) }.joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// Sends a request of a stranger, and holds the size of what comes back against it.
    private func expectSmall(_ text: String, _ status: Int, _ location: SourceLocation = #_sourceLocation) {
        let sent = network.send(text, from: stranger)
        #expect(sent.map(\.status) == [status], "\(text)\(sent.map(\.text))", sourceLocation: location)
        #expect(sent.allSatisfy { $0.flow.remote.address == stranger.remote.address }, sourceLocation: location)
        let excess = sent.reduce(0) { $0 + $1.bytes.count } - text.utf8.count
        #expect(
            excess <= Self.allowance, "\(status): \(excess)\n\(sent.map(\.text).joined())", sourceLocation: location)
        network.expectStateless(location)
    }

    @Test("Challenges") func challenges() {
        for method in ["INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "FOO"] {
            expectSmall(shortest(method, "sip:bob@example.com"), 407)
        }
        expectSmall(shortest("REGISTER", "sip:example.com"), 401)
    }

    @Test("Answers of the server itself") func own() {
        expectSmall(shortest("OPTIONS", "sip:example.com"), 200)
        expectSmall(shortest("OPTIONS", "sip:example.com", ["Require:a"]), 420)
        expectSmall(shortest("MESSAGE", "sip:example.com"), 405)
    }

    @Test("Refusals") func refusals() {
        expectSmall(shortest("INVITE", "sip:bob@example.com", hops: 0), 483)
        expectSmall(shortest("INVITE", "sip:bob@example.com", ["Max-Breadth:0"]), 440)
        expectSmall(shortest("INVITE", "sip:bob@example.com", ["Proxy-Require:a"]), 420)
        expectSmall(shortest("INVITE", "sip:bob@example.com", ["Proxy-Require:a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p"]), 420)
        expectSmall(shortest("INVITE", "sips:bob@example.com"), 416)
        expectSmall(shortest("INVITE", "http:bob"), 416)
        expectSmall(shortest("CANCEL", "sip:bob@example.com"), 481)
        expectSmall(shortest("REGISTER", "sip:elsewhere.org"), 404)
        expectSmall(shortest("REGISTER", "sip:example.com", ["Require:a"]), 420)
        expectSmall(shortest("REGISTER", "sip:example.com", ["Authorization:Digest username=\"a\""]), 400)
        expectSmall(shortest("INVITE", "sip:bob@example.com", ["Proxy-Authorization:Digest a=\""]), 400)
    }

    @Test("Refusals of what cannot be read") func faults() {
        expectSmall(shortest("INVITE", "sip:bob@example.com", omits: "i:"), 400)
        expectSmall(shortest("INVITE", "sip:bob@example.com", ["l:9"]), 400)
        expectSmall(shortest("INVITE", "sip:bob@example.com").replacing("SIP/2.0\r\nv", with: "SIP/7.0\r\nv"), 505)
        expectSmall(shortest("INVITE", "sip:bob@example.com", ["f:<sip:y@example.com>;tag=2"]), 400)
    }

    @Test("Answers under load, and where all transactions are in use") func overloaded() {
        network.effects.load = .busy
        // What strangers may do is used up.
        network.effects.strangers = Trickle(rate: 0)
        expectSmall(shortest("INVITE", "sip:bob@example.com"), 503)
        expectSmall(shortest("REGISTER", "sip:example.com"), 503)
    }

    @Test("As many Via lines as there may be, which the answer repeats") func manyVias() {
        for line in ["v:SIP/2.0/UDP b", "v:SIP/2.0/UDP b,SIP/2.0/UDP b"] {
            let lines = [String](repeating: line, count: 118)
            expectSmall(shortest("OPTIONS", "sip:example.com", lines), 200)
        }
    }

    @Test("18.2.2: over UDP an answer goes to the source, whatever Via says")
    func viaNamesAVictim() {
        for via in [";maddr=192.0.2.99", ";received=192.0.2.99", ";rport=9", ";rport", ";maddr=192.0.2.99;rport;ttl=9"]
        {
            for (uri, status) in [("sip:example.com", 200), ("sip:bob@example.com", 407)] {
                expectSmall(shortest("OPTIONS", uri, via: via).replacing("UDP a", with: "UDP 192.0.2.99:7"), status)
            }
        }
    }

    @Test("What is no request, and an ACK, is never answered") func silence() {
        let silent = [
            "SIP/2.0 200 OK\r\nv:SIP/2.0/UDP 192.0.2.99;branch=z9hG4bK1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
            "INVITE sip:bob@example.com SIP/2.0\r\n\r\n", "\r\n\r\n", "REGISTER",
            shortest("ACK", "sip:bob@example.com"), shortest("ACK", "sip:bob@elsewhere.org", hops: 0),
            shortest("INVITE", "sip:bob@example.com", omits: "v:"),
            shortest("INVITE", "sip:bob@example.com", omits: "CSeq"),
        ]
        for text in silent { #expect(network.send(text, from: stranger).isEmpty, "\(text)") }
        network.expectStateless()
    }
}
