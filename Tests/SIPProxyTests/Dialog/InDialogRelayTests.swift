import Primitives
import SIPMessage
import Testing

@testable import SIPProxy

@Suite("What is under way between the sides of a call")
struct InDialogRelayTests {
    private func request(_ method: String, _ headers: [String] = [], sequence: Int = 5) -> ParsedMessage {
        let lines =
            [
                "\(method) sip:s@192.0.2.1 SIP/2.0", "Via: SIP/2.0/UDP h;branch=z9hG4bK1", "From: <sip:a@b>;tag=a1",
                "To: <sip:c@d>;tag=s9", "Call-ID: call-1", "CSeq: \(sequence) \(method)",
            ] + headers
        return ParsedMessage(lines.joined(separator: "\n") + "\n\n")
    }

    private func index(_ number: UInt32) -> SlabIndex { SlabIndex(position: number, generation: 1) }

    private func pending(
        _ method: Method, from side: CallSide, _ number: UInt32 = 1, sequence: UInt32 = 5, other: UInt32 = 50
    ) -> InDialogRelay.Pending {
        InDialogRelay.Pending(
            side: side, method: method, server: index(number), context: index(100 + number), sequence: sequence,
            otherSequence: other, request: [])
    }

    private func refusal(
        _ relay: InDialogRelay, _ method: String, from side: CallSide, _ headers: [String] = [],
        isConfirmed: Bool = true
    ) -> InDialogRelay.Refusal? {
        relay.refusal(of: request(method, headers).message, from: side, isConfirmed: isConfirmed)
    }

    @Test(
        "Two sides that change the session at the same time both get 491 (14.2, RFC 3311 section 5.2)",
        arguments: [
            (Method.invite, "INVITE"), (.invite, "UPDATE"), (.update, "INVITE"), (.update, "UPDATE"),
        ])
    func glare(_ first: Method, _ second: String) {
        for side in [CallSide.caller, .callee] {
            var relay = InDialogRelay()
            relay.add(pending(first, from: side))
            #expect(refusal(relay, second, from: side.other)?.status == 491)
            #expect(refusal(relay, "INFO", from: side.other) == nil)
        }
    }

    @Test("A second change of the same side gets 500 with Retry-After while the first is under way (14.2)")
    func second() {
        var relay = InDialogRelay()
        relay.add(pending(.invite, from: .caller))
        let found = refusal(relay, "INVITE", from: .caller)
        #expect(found?.status == 500)
        #expect((1...10).contains(found?.retryAfter ?? 0))
        relay.finish(0, status: 200)
        #expect(refusal(relay, "INVITE", from: .caller) == nil)
        #expect(refusal(relay, "INVITE", from: .callee) == nil)
    }

    @Test("There is no re-INVITE before the call is answered, but UPDATE")
    func early() {
        #expect(refusal(InDialogRelay(), "INVITE", from: .caller, isConfirmed: false)?.status == 500)
        #expect(refusal(InDialogRelay(), "UPDATE", from: .caller, isConfirmed: false) == nil)
    }

    @Test("Methods that make no sense in a call, and extensions that do not work through the server, are refused")
    func unsupported() {
        #expect(refusal(InDialogRelay(), "SUBSCRIBE", from: .caller)?.status == 405)
        #expect(refusal(InDialogRelay(), "FOO", from: .caller)?.status == 501)
        let found = refusal(InDialogRelay(), "INFO", from: .caller, ["Require: gruu"])
        #expect(found?.status == 420 && found?.unsupported == Array("gruu".utf8))
        for method in ["INFO", "MESSAGE", "OPTIONS", "REFER", "NOTIFY", "UPDATE", "INVITE"] {
            #expect(refusal(InDialogRelay(), method, from: .caller) == nil)
        }
    }

    @Test("No more than a bounded number is under way")
    func bound() {
        var relay = InDialogRelay()
        for number in 0..<UInt32(InDialogRelay.limit) { relay.add(pending(.info, from: .caller, number)) }
        #expect(refusal(relay, "INFO", from: .callee)?.status == 500)
        relay.finish(0, status: 200)
        #expect(refusal(relay, "INFO", from: .callee) == nil)
    }

    @Test("The ACK of a re-INVITE has the number of the other dialog, each time that it comes")
    func acknowledgement() {
        var relay = InDialogRelay()
        relay.add(pending(.invite, from: .caller, sequence: 7, other: 70))
        #expect(relay.acknowledgedSequence(7, from: .caller) == nil)
        relay.finish(0, status: 200)
        #expect(relay.acknowledgedSequence(7, from: .caller) == 70)
        #expect(relay.acknowledgedSequence(7, from: .caller) == 70)
        #expect(relay.acknowledgedSequence(7, from: .callee) == nil)
        #expect(relay.acknowledgedSequence(8, from: .caller) == nil)
        relay.add(pending(.invite, from: .caller, 2, sequence: 8, other: 71))
        #expect(relay.acknowledgedSequence(7, from: .caller) == nil)
    }

    @Test("Reliable answers of several legs get numbers of their own, and PRACK finds them (RFC 3262)")
    func reliable() {
        var relay = InDialogRelay()
        func answer(_ rSeq: Int, _ sequence: Int = 1, require: String = "100rel") -> ParsedMessage {
            ParsedMessage.answer(183, ["Require: \(require)", "RSeq: \(rSeq)"], sequence: sequence)
        }
        let first = relay.reliableSequence(for: answer(900).message, to: .caller, leg: 1)
        let again = relay.reliableSequence(for: answer(900).message, to: .caller, leg: 1)
        let second = relay.reliableSequence(for: answer(900).message, to: .caller, leg: 2)
        #expect(first == 1 && again == 1 && second == 65)
        let unreliable = relay.reliableSequence(for: answer(5, require: "timer").message, to: .caller, leg: 1)
        #expect(unreliable == nil)
        let prack = request("PRACK", ["RAck: 65 7 INVITE"])
        #expect(relay.reliableAnswer(acknowledgedBy: prack.message, from: .caller)?.leg == 2)
        #expect(refusal(relay, "PRACK", from: .caller, ["RAck: 65 7 INVITE"]) == nil)
        let wrongs = ["RAck: 9 7 INVITE", "RAck: x", "RAck: 65 7 BYE", "X-No: 1", "RAck: 99999999999999999999 1 INVITE"]
        for wrong in wrongs {
            #expect(refusal(relay, "PRACK", from: .caller, [wrong])?.status == 481)
        }
        #expect(refusal(relay, "PRACK", from: .callee, ["RAck: 65 7 INVITE"])?.status == 481)
        relay.finishFirstInvite()
        #expect(refusal(relay, "PRACK", from: .caller, ["RAck: 65 7 INVITE"])?.status == 481)
    }

    @Test("The id of a REFER is translated for its NOTIFY (RFC 3515 section 2.4.6)")
    func referral() {
        var relay = InDialogRelay()
        relay.add(pending(.refer, from: .caller, sequence: 12, other: 3))
        #expect(relay.referralID(3, notifiedBy: .callee) == 12)
        #expect(relay.referralID(3, notifiedBy: .caller) == nil)
        #expect(relay.referralID(4, notifiedBy: .callee) == nil)
    }

    @Test("What is under way at the end has to be answered")
    func end() {
        var relay = InDialogRelay()
        relay.add(pending(.info, from: .caller, 1))
        relay.add(pending(.invite, from: .callee, 2))
        relay.finish(1, status: 200)
        let open = relay.end()
        #expect(open.map(\.method) == [.info])
        #expect(relay.pending.isEmpty)
    }
}
