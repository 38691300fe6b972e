import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

@Suite("Headers that go end to end")
struct EndToEndHeadersTests {
    private func carried(_ headers: [String], body: String = "", hop: Bool = false) -> [String] {
        let invite = ParsedMessage.invite(headers, body: body)
        return written { $0.appendEndToEnd(of: invite.message, hop: hop) }.split(separator: "\r\n").map(String.init)
    }

    @Test("What is about user and session goes, as it came")
    func carries() {
        let headers = [
            "X-Account: 12", "x-y: z", "c: application/sdp", "Content-Disposition: session", "MIME-Version: 1.0",
            "Subject: hello", "Accept: application/sdp", "Accept-Language: de", "Reason: SIP;cause=200",
            "Refer-To: <sip:carol@example.com>", "b: <sip:alice@example.com>", "o: refer",
            "Subscription-State: active;expires=60", "Info-Package: dtmf", "Recv-Info: dtmf", "x: 1800;refresher=uac",
            "Min-SE: 90", "Alert-Info: <http://example.com/ring>", "Privacy: id", "User-to-User: 56;encoding=hex",
        ]
        #expect(carried(headers) == headers)
    }

    @Test("What is of the path, the dialog or the place of one side stays there")
    func keeps() {
        let headers = [
            "Record-Route: <sip:p;lr>", "Route: <sip:p;lr>", "Authorization: Digest a=b", "Path: <sip:p>",
            "Proxy-Authorization: Digest a=b", "User-Agent: phone", "Server: phone", "P-Asserted-Identity: <sip:a@b>",
            "Warning: 399 10.0.0.1 \"x\"", "Replaces: call-9;to-tag=1;from-tag=2", "Diversion: <sip:a@10.0.0.1>",
            "In-Reply-To: call-9", "RSeq: 1", "RAck: 1 1 INVITE", "Timestamp: 1", "Date: today",
            "Call-Info: <http://10.0.0.1/>", "Proxy-Require: sec-agree", "Content-Length: 0", "X",
            "History-Info: <sip:a@b>",
        ].filter { $0 != "X" }
        #expect(carried(headers).isEmpty)
    }

    @Test("Extensions are filtered to what works through this server")
    func extensions() {
        #expect(carried(["k: 100rel, replaces,timer", "Supported: GRUU"]) == ["Supported: 100rel, timer"])
        #expect(carried(["Require: 100rel"]) == ["Require: 100rel"])
        #expect(carried(["Supported: replaces, outbound"]).isEmpty)
        let request = ParsedMessage.invite(["Require: 100rel, replaces", "Require: gruu"])
        #expect(EndToEndHeaders.unsupported(in: request.message) == Array("replaces, gruu".utf8))
        #expect(EndToEndHeaders.unsupported(in: ParsedMessage.invite(["Require: timer"]).message).isEmpty)
    }

    @Test("Allow names what is relayed")
    func allow() {
        #expect(
            carried(["Allow: INVITE, SUBSCRIBE, ACK, PUBLISH", "Allow: REFER, foo"]) == ["Allow: INVITE, ACK, REFER"])
    }

    @Test("Max-Forwards goes along, so that a loop through a gateway ends (RFC 7332)")
    func maxForwards() {
        #expect(carried([], hop: true) == ["Max-Forwards: 70"])
        #expect(carried([]).isEmpty)
    }

    @Test("A folded field stays one field")
    func folding() {
        let invite = ParsedMessage.invite(["X-Long: one\n Via: two"])
        let text = written {
            $0.append("INFO sip:a@b SIP/2.0\r\n")
            $0.appendEndToEnd(of: invite.message)
            $0.append("\r\n")
        }
        let again = ParsedMessage(text)
        #expect(again.message.fieldCount == 1)
        #expect(again.message.firstIndex(of: .via) == nil)
    }
}
