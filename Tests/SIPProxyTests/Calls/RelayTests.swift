import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// Requests that travel through an answered call of two dialogs.
@Suite struct RelayTests {
    /// A call between alice and bob that is answered and acknowledged.
    private struct Talk {
        let scene: CallScene
        let call: PlacedCall
        let ok: Sent?
        let leg: Sent?

        init(
            _ invite: (inout Request) -> Void = { _ in }, answerHeaders: [String] = [], scene: CallScene = CallScene()
        ) {
            self.scene = scene
            call = scene.call(invite)
            leg = call.leg
            ok = scene.answer(leg, 200, headers: answerHeaders, body: CallScene.answer).to(.alice).first
            call.acknowledge(ok)
        }

        func fromAlice(_ method: String, sequence: Int = 2, body: String = "", headers: [String] = []) -> Request {
            call.request(method, sequence: sequence, after: ok).with {
                $0.body = body
                $0.headers += headers
                if !body.isEmpty { $0.headers.append("Content-Type: application/sdp") }
            }
        }

        func fromBob(_ method: String, sequence: Int = 1, body: String = "", headers: [String] = []) -> Request {
            call.request(method, of: leg, from: .bob, sequence: sequence).with {
                $0.body = body
                $0.headers += headers
                if !body.isEmpty { $0.headers.append("Content-Type: application/sdp") }
            }
        }

        /// Alice hangs up, and nothing is left.
        func end(sequence: Int = 20) {
            let sent = scene.send(fromAlice("BYE", sequence: sequence))
            scene.answer(sent.to(.bob).requests("BYE").first, 200)
            scene.expectNothingLeft()
        }
    }

    @Test("A re-INVITE of the caller reaches the callee, its answer and the ACK go back and forth")
    func holdOfCaller() {
        let talk = Talk()
        let sent = talk.scene.send(talk.fromAlice("INVITE", body: "hold"))
        #expect(sent.to(.alice).summaries == ["100 INVITE"])
        let reinvite = sent.to(.bob).first
        #expect(reinvite?.method == "INVITE" && reinvite?.body == "hold")
        #expect(reinvite?["Call-ID"] == talk.leg?["Call-ID"])
        #expect(reinvite?["CSeq"] == "2 INVITE")
        #expect(reinvite?.contactURI.hasSuffix("@192.0.2.1:5060") == true)
        let answered = talk.scene.answer(reinvite, 200, body: "held")
        #expect(answered.summaries == ["200 INVITE"])
        #expect(answered.first?.body == "held" && answered.first?["CSeq"] == "2 INVITE")
        let acknowledged = talk.scene.send(talk.fromAlice("ACK", sequence: 2, body: "late"))
        #expect(acknowledged.to(.bob).summaries == ["ACK"])
        #expect(acknowledged.first?["CSeq"] == "2 ACK" && acknowledged.first?.body == "late")
        // The ACK was lost: the 2xx and the ACK come again.
        #expect(talk.scene.answer(reinvite, 200, body: "held").summaries == ["200 INVITE"])
        #expect(talk.scene.send(talk.fromAlice("ACK", sequence: 2)).to(.bob).summaries == ["ACK"])
        talk.end()
    }

    @Test("A re-INVITE of the callee reaches the caller")
    func holdOfCallee() {
        let talk = Talk()
        let sent = talk.scene.send(talk.fromBob("INVITE", body: "hold"))
        #expect(sent.to(.bob).summaries == ["100 INVITE"])
        let reinvite = sent.to(.alice).first
        #expect(reinvite?.method == "INVITE" && reinvite?["CSeq"] == "1 INVITE")
        #expect(reinvite?["Call-ID"] == talk.call.invite.callID)
        let answered = talk.scene.answer(reinvite, 200, body: "held")
        #expect(answered.to(.bob).summaries == ["200 INVITE"])
        #expect(talk.scene.send(talk.fromBob("ACK", sequence: 1)).to(.alice).summaries == ["ACK"])
        talk.end()
    }

    @Test("A re-INVITE that is refused leaves the call as it was")
    func refused() {
        let talk = Talk()
        let reinvite = talk.scene.send(talk.fromAlice("INVITE", body: "hold")).to(.bob).first
        let refused = talk.scene.answer(reinvite, 488)
        #expect(refused.to(.alice).summaries == ["488 INVITE"])
        #expect(refused.to(.bob).summaries == ["ACK"])
        #expect(talk.scene.send(talk.fromAlice("INFO", sequence: 3)).to(.bob).summaries == ["INFO"])
        talk.end()
    }

    @Test("Both sides change the session at once: the second gets 491, and nothing of it is passed on")
    func glare() {
        for isCallerFirst in [true, false] {
            let talk = Talk()
            let first = talk.scene.send(
                isCallerFirst ? talk.fromAlice("INVITE", body: "a") : talk.fromBob("INVITE", body: "b"))
            let second = talk.scene.send(
                isCallerFirst ? talk.fromBob("INVITE", body: "b") : talk.fromAlice("INVITE", body: "a"))
            #expect(second.summaries.contains("491 INVITE"))
            #expect(second.requests("INVITE").isEmpty)
            let update = talk.scene.send(
                isCallerFirst ? talk.fromBob("UPDATE", sequence: 2) : talk.fromAlice("UPDATE", sequence: 3))
            #expect(update.summaries == ["491 UPDATE"])
            let reinvite = first.to(isCallerFirst ? .bob : .alice).requests("INVITE").first
            #expect(talk.scene.answer(reinvite, 200).to(isCallerFirst ? .alice : .bob).responses(200).count == 1)
            _ = talk.scene.send(
                isCallerFirst ? talk.fromAlice("ACK", sequence: 2) : talk.fromBob("ACK", sequence: 1))
            talk.end()
        }
    }

    @Test("A CANCEL of a re-INVITE is passed on")
    func cancel() {
        let talk = Talk()
        let request = talk.fromAlice("INVITE", body: "hold")
        let reinvite = talk.scene.send(request).to(.bob).first
        talk.scene.answer(reinvite, 180)
        let cancelled = talk.scene.send(request.cancel)
        #expect(cancelled.to(.alice).summaries == ["200 CANCEL"])
        #expect(cancelled.to(.bob).summaries == ["CANCEL"])
        talk.scene.answer(cancelled.to(.bob).first, 200)
        #expect(talk.scene.answer(reinvite, 487).to(.alice).summaries == ["487 INVITE"])
        talk.end()
    }

    @Test(
        "UPDATE, INFO, MESSAGE, OPTIONS and REFER pass both ways with their bodies and answers",
        arguments: [
            "UPDATE", "INFO", "MESSAGE", "OPTIONS", "REFER",
        ])
    func passes(_ method: String) {
        let talk = Talk()
        let refer = ["Refer-To: <sip:carol@example.com>", "X-Note: 1"]
        let there = talk.scene.send(talk.fromAlice(method, body: "one", headers: refer)).to(.bob).first
        #expect(there?.method == method && there?.body == "one")
        #expect(there?["Refer-To"] == "<sip:carol@example.com>" && there?["X-Note"] == "1")
        let answer = talk.scene.answer(there, 200, headers: ["X-Back: 2"], body: "two").to(.alice).first
        #expect(answer?.status == 200 && answer?.body == "two" && answer?["X-Back"] == "2")
        let back = talk.scene.send(talk.fromBob(method, body: "three", headers: refer)).to(.alice).first
        #expect(back?.method == method && back?.body == "three")
        #expect(talk.scene.answer(back, 202).to(.bob).first?.status == 202)
        talk.end()
    }

    @Test("The NOTIFY of a REFER bears the id that its sender knows")
    func notify() {
        let talk = Talk()
        let refer = talk.scene.send(
            talk.fromAlice("REFER", sequence: 9, headers: ["Refer-To: <sip:carol@example.com>"])
        ).to(.bob).first
        #expect(refer?["CSeq"] == "2 REFER")
        talk.scene.answer(refer, 202)
        let notify = talk.scene.send(
            talk.fromBob(
                "NOTIFY",
                headers: ["Event: refer;id=2", "Subscription-State: active;expires=60"])
        ).to(.alice).first
        #expect(notify?["Event"] == "refer;id=9")
        #expect(notify?["Subscription-State"] == "active;expires=60")
        #expect(talk.scene.answer(notify, 200).to(.bob).summaries == ["200 NOTIFY"])
        talk.end()
    }

    @Test("A reliable provisional answer goes to the caller with an RSeq of its own, and its PRACK back")
    func prack() {
        let scene = CallScene()
        let call = scene.call { $0.headers.append("Supported: 100rel") }
        #expect(call.leg?["Supported"] == "100rel")
        let headers = ["Require: 100rel", "RSeq: 4711"]
        let early = scene.answer(call.leg, 183, headers: headers, body: CallScene.answer).to(.alice).first
        #expect(early?["RSeq"] == "1" && early?["Require"] == "100rel" && early?.body == CallScene.answer)
        #expect(scene.answer(call.leg, 183, headers: headers, body: CallScene.answer).to(.alice).first?["RSeq"] == "1")
        let prack = scene.send(call.request("PRACK", after: early).with { $0.headers.append("RAck: 1 1 INVITE") })
        #expect(prack.to(.bob).first?["RAck"] == "4711 1 INVITE")
        #expect(scene.answer(prack.to(.bob).first, 200).to(.alice).summaries == ["200 PRACK"])
        let wrong = scene.send(
            call.request("PRACK", sequence: 3, after: early).with { $0.headers.append("RAck: 8 1 INVITE") })
        #expect(wrong.summaries == ["481 PRACK"])
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        #expect(ok?.toTag == early?.toTag)
        call.acknowledge(ok)
        let bye = scene.send(call.request("BYE", sequence: 4, after: ok))
        scene.answer(bye.to(.bob).first, 200)
        scene.expectNothingLeft()
    }

    @Test("A request that is not newer than the last one gets 500, one in no dialog 481")
    func order() {
        let talk = Talk()
        talk.scene.answer(talk.scene.send(talk.fromAlice("INFO", sequence: 5)).to(.bob).first, 200)
        #expect(talk.scene.send(talk.fromAlice("INFO", sequence: 4)).summaries == ["500 INFO"])
        #expect(
            talk.scene.send(talk.fromAlice("INFO", sequence: 6).with { $0.toTag = "guess" }).responses(481).count == 1)
        talk.end()
    }

    @Test("A side that does not know the call any more ends it for both (RFC 5057)")
    func unknownDialog() {
        let talk = Talk()
        let info = talk.scene.send(talk.fromAlice("INFO")).to(.bob).first
        let sent = talk.scene.answer(info, 481)
        #expect(sent.to(.alice).summaries.contains("481 INFO"))
        #expect(sent.to(.alice).summaries.contains("BYE"))
        talk.scene.answer(sent.to(.alice).requests("BYE").first, 200)
        talk.scene.expectNothingLeft()
    }

    @Test("A session that nobody refreshes is ended for both, in time (RFC 4028)")
    func session() {
        let talk = Talk(
            { $0.headers += ["Supported: timer", "Session-Expires: 90"] },
            answerHeaders: ["Require: timer", "Session-Expires: 90;refresher=uac"])
        #expect(talk.leg?["Session-Expires"] == "90")
        #expect(talk.ok?["Session-Expires"] == "90;refresher=uac")
        _ = talk.scene.network.takeRecords()
        #expect(talk.scene.wait(milliseconds: 50_000, step: 500).isEmpty)
        let update = talk.scene.send(talk.fromAlice("UPDATE", headers: ["Session-Expires: 90;refresher=uac"]))
        talk.scene.answer(update.to(.bob).first, 200, headers: ["Session-Expires: 90;refresher=uac"])
        #expect(talk.scene.wait(milliseconds: 59_000, step: 500).isEmpty)
        let end = talk.scene.wait(milliseconds: 1_500, step: 500)
        #expect(end.to(.alice).requests("BYE").count >= 1)
        #expect(end.to(.bob).requests("BYE").count >= 1)
        for bye in end.requests("BYE") { talk.scene.answer(bye, 200) }
        let isClosed = talk.scene.network.takeRecords().contains {
            if case .callClosed(_, _, .sessionExpired) = $0 { true } else { false }
        }
        #expect(isClosed)
        talk.scene.expectNothingLeft()
    }

    @Test("Who asks for a session timer gets one, though the other side knows none")
    func sessionOfOneSide() {
        let talk = Talk({ $0.headers += ["Supported: timer", "Session-Expires: 120"] })
        #expect(talk.ok?["Session-Expires"] == "120;refresher=uac")
        #expect(talk.ok?["Require"] == "timer")
        let update = talk.scene.send(
            talk.fromAlice("UPDATE", headers: ["Supported: timer", "Session-Expires: 120;refresher=uac"]))
        let answer = talk.scene.answer(update.to(.bob).first, 200)
        #expect(answer.to(.alice).first?["Session-Expires"] == "120;refresher=uac")
        #expect(talk.scene.wait(milliseconds: 87_000, step: 500).isEmpty)
        let end = talk.scene.wait(milliseconds: 2_000, step: 500).requests("BYE")
        #expect(!end.to(.alice).isEmpty && !end.to(.bob).isEmpty)
        talk.scene.expectNothingLeft()
    }

    @Test("An interval below 90 seconds gets 422 with Min-SE (RFC 4028 section 9)")
    func shortSession() {
        let scene = CallScene()
        let call = scene.call { $0.headers += ["Supported: timer", "Session-Expires: 30"] }
        #expect(call.sent.summaries == ["422 INVITE"])
        #expect(call.sent.first?["Min-SE"] == "90")
        call.acknowledgeRefusal(call.sent.first)
        scene.expectNothingLeft()
        let talk = Talk()
        let short = ["Supported: timer", "Session-Expires: 30"]
        let update = talk.scene.send(talk.fromAlice("UPDATE", headers: short))
        #expect(update.summaries == ["422 UPDATE"] && update.first?["Min-SE"] == "90")
        // One who would not understand 422 does not get it.
        #expect(talk.scene.send(talk.fromAlice("UPDATE", sequence: 3, headers: [short[1]])).to(.bob).count == 1)
        talk.end()
    }

    @Test("A call that has just ended takes nothing any more")
    func ended() {
        let talk = Talk()
        let bye = talk.scene.send(talk.fromAlice("BYE"))
        talk.scene.answer(bye.to(.bob).first, 200)
        #expect(talk.scene.send(talk.fromAlice("INFO", sequence: 3)).summaries == ["481 INFO"])
        #expect(talk.scene.send(talk.fromBob("INFO")).summaries == ["481 INFO"])
        talk.scene.expectNothingLeft()
    }

    @Test("A call ends while a re-INVITE is under way: nothing hangs")
    func endsWithin() {
        let talk = Talk()
        let reinvite = talk.scene.send(talk.fromBob("INVITE", body: "hold")).to(.alice).first
        let bye = talk.scene.send(talk.fromAlice("BYE", sequence: 2))
        #expect(bye.to(.alice).summaries.contains("200 BYE"))
        #expect(bye.to(.bob).summaries.contains("487 INVITE"))
        talk.scene.answer(bye.to(.bob).requests("BYE").first, 200)
        #expect(talk.scene.answer(reinvite, 200).to(.alice).summaries == ["ACK"])
        talk.scene.expectNothingLeft()
    }
}
