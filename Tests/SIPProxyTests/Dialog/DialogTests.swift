import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

@Suite("A dialog of the server's own")
struct DialogTests {
    private let flow = udpFlow(5070)

    private func callee(_ headers: [String] = [], contact: String? = "<sip:alice@10.0.0.1:5070>") -> Dialog? {
        Dialog(
            asCallee: ParsedMessage.invite(headers, contact: contact).message, localTag: Array("s9".utf8), flow: flow)
    }

    private func caller(
        _ status: Int = 200, _ headers: [String] = [], toTag: String? = "b1",
        contact: String? = "<sip:bob@10.0.0.2:5080>", localTag: String = "s1"
    ) -> Dialog? {
        Dialog(
            asCaller: ParsedMessage.answer(status, headers, toTag: toTag, contact: contact).message,
            localTag: Array(localTag.utf8), requestURI: "sip:bob@10.0.0.2:9999", flow: flow)
    }

    private func accepted(_ dialog: inout Dialog, _ sequence: UInt32) -> Bool { dialog.accepts(sequence: sequence) }

    @Test("A callee's dialog shows the peer what its INVITE has shown (12.1.1)")
    func calleeRequest() throws {
        var dialog = try #require(callee(["Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>"]))
        let next = dialog.nextSequence()
        let sequence = try #require(next)
        #expect(
            written {
                dialog.beginRequest("BYE", sequence: sequence, into: &$0)
                $0.endRequest()
            } == """
                BYE sip:alice@10.0.0.1:5070 SIP/2.0\r
                Route: <sip:p1;lr>, <sip:p2;lr>\r
                From: <sip:+49301@example.com>;tag=s9\r
                To: "Alice" <sip:alice@example.com>;tag=a1\r
                Call-ID: call-1\r
                CSeq: 1 BYE\r
                \r\n
                """)
    }

    @Test("A caller's dialog has the route reversed and goes on counting (12.1.2)")
    func callerRequest() throws {
        var dialog = try #require(caller(200, ["Record-Route: <sip:p1;lr>, <sip:p2;lr>"]))
        let next = dialog.nextSequence()
        let sequence = try #require(next)
        #expect(
            written {
                dialog.beginRequest("UPDATE", sequence: sequence, contact: Array("sip:s@h".utf8), into: &$0)
                $0.endRequest(body: "v=0")
            } == """
                UPDATE sip:bob@10.0.0.2:5080 SIP/2.0\r
                Route: <sip:p2;lr>, <sip:p1;lr>\r
                From: <sip:+49301@example.com>;tag=s1\r
                To: <sip:bob@example.com>;tag=b1\r
                Call-ID: call-2\r
                CSeq: 2 UPDATE\r
                Contact: <sip:s@h>\r
                \r
                v=0
                """)
    }

    @Test("A first proxy that is a strict router becomes the Request-URI (12.2.1.1)")
    func strictRouter() throws {
        var dialog = try #require(caller(200, ["Record-Route: <sip:p1;lr>, <sip:p2>"]))
        let next = dialog.nextSequence()
        let sequence = try #require(next)
        let text = written { dialog.beginRequest("BYE", sequence: sequence, into: &$0) }
        #expect(text.hasPrefix("BYE sip:p2 SIP/2.0\r\nRoute: <sip:p1;lr>, <sip:bob@10.0.0.2:5080>\r\n"))
        #expect(dialog.requestURI == Array("sip:p2".utf8))
        let alone = try #require(caller(200, ["Record-Route: <sip:p2>"]))
        #expect(
            written { alone.beginRequest("BYE", sequence: 9, into: &$0) }
                .hasPrefix("BYE sip:p2 SIP/2.0\r\nRoute: <sip:bob@10.0.0.2:5080>\r\n"))
    }

    @Test("An ACK has the number of its INVITE and the same branch each time")
    func acknowledgement() throws {
        let dialog = try #require(caller())
        func acknowledgement(_ sequence: UInt32) -> String {
            written {
                dialog.beginAcknowledgement(
                    sequence: sequence, viaStart: Array("Via: SIP/2.0/UDP h:5060;branch=z9hG4bK".utf8),
                    key: HashKey(1, 2), into: &$0)
                $0.endMessage(body: "v=0")
            }
        }
        let first = acknowledgement(1)
        #expect(first == acknowledgement(1))
        #expect(first != acknowledgement(2))
        let parsed = ParsedMessage(first)
        #expect(parsed.fault == nil)
        #expect(parsed.message.method == .ack && parsed.message.sequenceNumber == 1)
        #expect(parsed.message.body == "v=0")
        #expect(parsed.message.topVia.branch.count == 39)
    }

    @Test("An answer that makes the dialog has its tag, the recorded route and our Contact (12.1.1)")
    func answer() throws {
        let invite = ParsedMessage.invite(["Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>"])
        let made = Dialog(asCallee: invite.message, localTag: Array("s9".utf8), flow: flow)
        let dialog = try #require(made)
        #expect(
            written {
                dialog.beginResponse(
                    to: invite.message, status: 200, source: nil, contact: Array("sip:s@h".utf8), into: &$0)
                $0.endMessage(body: "v=0")
            } == """
                SIP/2.0 200 OK\r
                Via: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1\r
                From: "Alice" <sip:alice@example.com>;tag=a1\r
                To: <sip:+49301@example.com>;tag=s9\r
                Call-ID: call-1\r
                CSeq: 7 INVITE\r
                Record-Route: <sip:p1;lr>\r
                Record-Route: <sip:p2;lr>\r
                Contact: <sip:s@h>\r
                Content-Length: 3\r
                \r
                v=0
                """)
    }

    @Test("There is no dialog without a Contact of SIP, nor of a refusal, of 100, of no tag, or of another's tag")
    func none() {
        #expect(callee(contact: nil) == nil)
        #expect(callee(contact: "<tel:+49301>") == nil)
        #expect(callee(contact: "*") == nil)
        #expect(caller(100) == nil)
        #expect(caller(486) == nil)
        #expect(caller(180, toTag: nil) == nil)
        #expect(caller(localTag: "other") == nil)
    }

    @Test("An answer without Contact leaves the INVITE's Request-URI as the target")
    func answerWithoutContact() throws {
        let dialog = try #require(caller(180, contact: nil))
        #expect(dialog.requestURI == Array("sip:bob@10.0.0.2:9999".utf8))
        #expect(!dialog.isConfirmed)
    }

    @Test("A target is fit for a Request-URI: without headers and method (19.1.1)")
    func target() throws {
        let dialog = try #require(
            callee(contact: "<sip:alice@10.0.0.1:5070;method=INVITE;transport=tcp;ob?X-Evil=1>"))
        #expect(dialog.requestURI == Array("sip:alice@10.0.0.1:5070;transport=tcp;ob".utf8))
        let other = try #require(callee(contact: "<sip:alice@10.0.0.1;ob?Route=%3Csip:evil%3E>"))
        #expect(other.requestURI == Array("sip:alice@10.0.0.1;ob".utf8))
    }

    @Test("The 2xx replaces route and target of a provisional answer, once (12.1.2)")
    func confirmation() throws {
        var dialog = try #require(caller(183, ["Record-Route: <sip:p1;lr>"]))
        dialog.confirm(by: ParsedMessage.answer(200, contact: "<sip:bob@10.0.0.3>").message)
        #expect(dialog.isConfirmed && dialog.routeSet.isEmpty)
        #expect(dialog.requestURI == Array("sip:bob@10.0.0.3".utf8))
        dialog.confirm(by: ParsedMessage.answer(200, ["Record-Route: <sip:p9;lr>"], contact: "<sip:x@y>").message)
        #expect(dialog.routeSet.isEmpty)
    }

    @Test("Only re-INVITE, UPDATE and their 2xx refresh the target (12.2)")
    func refresh() throws {
        var dialog = try #require(caller())
        dialog.refreshTarget(by: ParsedMessage.answer(200, method: "INFO", contact: "<sip:evil@x>").message)
        dialog.refreshTarget(by: ParsedMessage.answer(488, contact: "<sip:evil@x>").message)
        #expect(dialog.requestURI == Array("sip:bob@10.0.0.2:5080".utf8))
        dialog.refreshTarget(by: ParsedMessage.answer(200, method: "UPDATE", contact: "<sip:bob@new>").message)
        #expect(dialog.requestURI == Array("sip:bob@new".utf8))
    }

    @Test("A request of the peer that is not newer than the last is out of order (12.2.2)")
    func order() throws {
        var dialog = try #require(callee())
        #expect(accepted(&dialog, 6) == false)
        #expect(accepted(&dialog, 7) == false)
        #expect(accepted(&dialog, 12) == true)
        #expect(accepted(&dialog, 8) == false)
        var other = try #require(caller())
        #expect(accepted(&other, 1))
    }

    @Test("A dialog is known by Call-ID and both tags")
    func membership() throws {
        let dialog = try #require(callee())
        func request(_ callID: String, _ from: String, _ to: String) -> Bool {
            let parsed = ParsedMessage(
                "BYE sip:s@h SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=\(from)\n"
                    + "To: <sip:c@d>;tag=\(to)\nCall-ID: \(callID)\nCSeq: 8 BYE\n\n")
            return dialog.contains(parsed.message)
        }
        #expect(request("call-1", "a1", "s9"))
        #expect(!request("call-2", "a1", "s9"))
        #expect(!request("call-1", "a2", "s9"))
        #expect(!request("call-1", "a1", "s8"))
    }
}
