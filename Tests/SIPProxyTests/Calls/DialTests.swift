import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// `<Dial>`: a caller with an application reaches a client through this server.
@Suite struct DialTests {
    @Test("The caller gets 100 at once, the callee a call of the server's own with the caller's offer")
    func dials() {
        let scene = CallScene()
        let call = scene.call { $0.headers.append("X-Ticket: 42") }
        #expect(call.sent.to(.alice).summaries == ["100 INVITE"])
        #expect(scene.asked.count == 1)
        #expect(CallScene.value("From", scene.asked.first) == "alice")
        #expect(CallScene.value("To", scene.asked.first) == "anybody")
        #expect(CallScene.value("CallStatus", scene.asked.first) == "ringing")
        #expect(CallScene.value("Direction", scene.asked.first) == "inbound")
        #expect(CallScene.value("SipHeader_X-Ticket", scene.asked.first) == "42")
        let leg = call.leg
        #expect(leg?.flow == Device.bob.flow)
        #expect(leg?.requestURI == Device.bob.contact)
        #expect(leg?.body == CallScene.offer)
        #expect(leg?["From"].contains("<sip:alice@example.com>") == true)
        #expect(leg?["X-Ticket"] == "42")
        #expect(leg?["X-RestComm-AccountSid"] == "AC01")
        #expect(leg?["X-RestComm-CallSid"].hasPrefix("CA") == true)
        scene.answer(leg, 486)
        scene.expectNothingLeft()
    }

    @Test("Neither side learns the other's addresses, Call-ID, tags and route")
    func hidesTopology() {
        let scene = CallScene()
        let call = scene.call {
            $0.headers += ["Record-Route: <sip:edge.alice.test;lr>", "User-Agent: AlicePhone", "Server: x"]
        }
        let ringing = scene.answer(call.leg, 180, headers: ["Record-Route: <sip:edge.bob.test;lr>"])
        let answered = scene.answer(
            call.leg, 200, headers: ["Record-Route: <sip:edge.bob.test;lr>"], body: CallScene.answer)
        let toBob = (call.sent + ringing + answered).to(.bob)
        #expect(!toBob.isEmpty)
        for message in toBob {
            for secret in ["198.51.100.1:", "from1", "caller-call-1", "edge.alice.test", "z9hG4bK-invite"] {
                #expect(!message.text.contains(secret), "\(message.text)")
            }
        }
        let toAlice = (ringing + answered).to(.alice)
        #expect(toAlice.summaries == ["180 INVITE", "200 INVITE"])
        for message in toAlice {
            for secret in ["198.51.100.2:", "to1", call.leg?["Call-ID"] ?? "-", "edge.bob.test"] {
                #expect(!message.text.contains(secret), "\(message.text)")
            }
            #expect(message["Record-Route"] == "<sip:edge.alice.test;lr>")
            #expect(message.contactURI.hasSuffix("@192.0.2.1:5060"))
        }
    }

    @Test("180, 200 and the answer pass to the caller in one dialog; the callee's 200 gets its ACK at once")
    func connects() {
        let scene = CallScene()
        let call = scene.call()
        let ringing = scene.answer(call.leg, 180)
        #expect(ringing.summaries == ["180 INVITE"])
        #expect(scene.answer(call.leg, 180).isEmpty)
        let answered = scene.answer(call.leg, 200, body: CallScene.answer)
        #expect(answered.to(.bob).summaries == ["ACK"])
        let ok = answered.to(.alice).first
        #expect(ok?.status == 200)
        #expect(ok?.body == CallScene.answer)
        #expect(ok?["Content-Type"] == "application/sdp")
        #expect(ok?.toTag == ringing.first?.toTag)
        #expect(call.acknowledge(ok).isEmpty)
        #expect(scene.wait(milliseconds: 60_000, step: 500).isEmpty)
        let hungUp = scene.send(call.request("BYE", after: ok))
        #expect(hungUp.to(.alice).summaries == ["200 BYE"])
        #expect(hungUp.to(.bob).summaries == ["BYE"])
        scene.answer(hungUp.to(.bob).first, 200)
        scene.expectNothingLeft()
    }

    @Test("Early media passes: 183 with its session, in a dialog of its own for each device")
    func earlyMedia() {
        let scene = CallScene([.alice, .bob, .bobsDesk])
        let call = scene.call()
        #expect(call.legs.count == 2)
        let first = scene.answer(call.leg(at: .bob), 183, tag: "b1", body: CallScene.answer).to(.alice)
        let second = scene.answer(call.leg(at: .bobsDesk), 183, tag: "b2", body: CallScene.answer).to(.alice)
        #expect(first.summaries == ["183 INVITE"])
        #expect(first.first?.body == CallScene.answer)
        #expect(second.summaries == ["183 INVITE"])
        #expect(first.first?.toTag != second.first?.toTag)
        let answered = scene.answer(call.leg(at: .bobsDesk), 200, tag: "b2", body: CallScene.answer)
        #expect(answered.to(.alice).first?.toTag == second.first?.toTag)
        #expect(answered.to(.bob).summaries == ["CANCEL"])
        scene.answer(answered.to(.bob).first, 200, tag: nil)
        scene.answer(call.leg(at: .bob), 487, tag: "b1")
        call.acknowledge(answered.to(.alice).first)
        let over = scene.send(call.request("BYE", after: answered.to(.alice).first))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
    }

    @Test(
        "The caller is refused as the callee has refused, when the document says no more", arguments: [486, 603, 404])
    func refusal(status: Int) {
        let scene = CallScene()
        let call = scene.call()
        let sent = scene.answer(call.leg, status, headers: ["Reason: Q.850;cause=17"])
        #expect(sent.to(.bob).summaries == ["ACK"])
        let refusal = sent.to(.alice).first
        #expect(refusal?.status == status)
        #expect(refusal?.toTag != "to1")
        #expect(call.acknowledgeRefusal(refusal).isEmpty)
        scene.expectNothingLeft()
    }

    @Test("Several nouns ring at the same time; the first that answers is connected, the others are cancelled")
    func forks() {
        let scene = CallScene([.alice, .bob, .carol], [.dial(.client("bob", "carol"))])
        let call = scene.call()
        #expect(call.legs.map(\.flow) == [Device.bob.flow, Device.carol.flow])
        scene.answer(call.leg(at: .bob), 180)
        scene.answer(call.leg(at: .carol), 180, tag: "c1")
        let answered = scene.answer(call.leg(at: .carol), 200, tag: "c1", body: CallScene.answer)
        #expect(answered.to(.carol).summaries == ["ACK"])
        #expect(answered.to(.bob).summaries == ["CANCEL"])
        #expect(answered.to(.bob).first?["Reason"].contains("cause=200") == true)
        #expect(answered.to(.alice).summaries == ["200 INVITE"])
        scene.answer(answered.to(.bob).first, 200, tag: nil)
        #expect(scene.answer(call.leg(at: .bob), 487).to(.alice).isEmpty)
        call.acknowledge(answered.to(.alice).first)
        let over = scene.send(call.request("BYE", of: call.leg(at: .carol), from: .carol, tag: "c1"))
        #expect(over.to(.carol).summaries == ["200 BYE"])
        #expect(over.to(.alice).summaries == ["BYE"])
        scene.answer(over.to(.alice).first, 200)
        scene.expectNothingLeft()
    }

    @Test("Of two that answer at the same time one is connected, the other gets ACK and BYE")
    func doubleAnswer() {
        let scene = CallScene([.alice, .bob, .carol], [.dial(.client("bob", "carol"))])
        let call = scene.call()
        let first = scene.answer(call.leg(at: .bob), 200, body: CallScene.answer)
        let second = scene.answer(call.leg(at: .carol), 200, tag: "c1", body: CallScene.answer)
        #expect(first.to(.alice).summaries == ["200 INVITE"])
        #expect(second.to(.alice).isEmpty)
        #expect(second.to(.carol).summaries == ["ACK", "BYE"])
        scene.answer(second.requests("BYE").first, 200)
        call.acknowledge(first.to(.alice).first)
        let over = scene.send(call.request("BYE", after: first.to(.alice).first))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
    }

    @Test("A callee that has no device fails at once, and the document goes on")
    func unregistered() {
        let scene = CallScene([.alice, .carol], [.dial(.client("bob")), .dial(.client("carol"))])
        let call = scene.call()
        #expect(call.sent.requests("INVITE").map(\.flow) == [Device.carol.flow])
        let sent = scene.answer(call.leg, 486)
        #expect(sent.to(.alice).first?.status == 486)
        call.acknowledgeRefusal(sent.to(.alice).first)
        scene.expectNothingLeft()
    }

    @Test("A callee that does not answer in time is cancelled; its action is fetched, and goes on")
    func ringsTooLong() {
        var dial = Dial.client("bob")
        dial.timeout = 5
        dial.action = WebAddress("http://app/after")
        let scene = CallScene([.alice, .bob], [.dial(dial)])
        scene.documents["http://app/after"] = [.reject(isBusy: true)]
        let call = scene.call()
        scene.answer(call.leg, 180)
        let sent = scene.wait(milliseconds: 5_100)
        #expect(sent.to(.bob).requests("CANCEL").count == 1)
        #expect(scene.asked.count == 2)
        #expect(CallScene.value("DialCallStatus", scene.asked.last) == "no-answer")
        #expect(sent.to(.alice).summaries.first == "486 INVITE")
        scene.answer(sent.requests("CANCEL").first, 200, tag: nil)
        scene.answer(call.leg, 487)
        call.acknowledgeRefusal(sent.to(.alice).first)
        scene.expectNothingLeft()
    }

    @Test("A lost 200 comes again, and gets its ACK again; the caller gets nothing new")
    func repeatedAnswer() {
        let scene = CallScene()
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let again = scene.answer(call.leg, 200, body: CallScene.answer)
        #expect(again.summaries == ["ACK"])
        #expect(again.to(.bob).count == 1)
        let over = scene.send(call.request("BYE", after: ok))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
    }

    @Test("A callee that hangs up ends the Dial; the caller hears what comes next in the document")
    func calleeHangsUp() {
        let scene = CallScene([.alice, .bob])
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let over = scene.send(call.request("BYE", of: call.leg, from: .bob))
        #expect(over.to(.bob).summaries == ["200 BYE"])
        #expect(over.to(.alice).summaries == ["BYE"])
        #expect(over.to(.alice).first?.toTag == "from1")
        scene.answer(over.to(.alice).first, 200)
        scene.expectNothingLeft()
    }

    @Test("A second Dial brings the caller who was answered the session of the new callee by a re-INVITE")
    func secondDial() {
        let scene = CallScene([.alice, .bob, .carol], [.dial(.client("bob")), .dial(.client("carol"))])
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let second = scene.send(call.request("BYE", of: call.leg, from: .bob))
        #expect(second.to(.bob).summaries == ["200 BYE"])
        let leg = second.to(.carol).first
        #expect(leg?.method == "INVITE")
        #expect(leg?.body == "")
        #expect(second.to(.alice).isEmpty)
        #expect(scene.answer(leg, 180, tag: "c1").to(.alice).isEmpty)
        // RFC 3725: the offer of her 200 goes to alice, whose answer goes in the ACK.
        let offered = scene.answer(leg, 200, tag: "c1", body: "v=0 carol")
        #expect(offered.to(.carol).isEmpty)
        let session = offered.to(.alice).first
        #expect(session?.method == "INVITE")
        #expect(session?.body == "v=0 carol")
        #expect(session?.toTag == "from1")
        #expect(session?.fromTag == ok?.toTag)
        let connected = scene.answer(session, 200, tag: nil, body: "v=0 alice")
        #expect(connected.to(.alice).summaries == ["ACK"])
        #expect(connected.to(.carol).summaries == ["ACK"])
        #expect(connected.to(.carol).first?.body == "v=0 alice")
        let over = scene.send(call.request("BYE", after: ok))
        #expect(over.to(.alice).summaries == ["200 BYE"])
        #expect(over.to(.carol).summaries == ["BYE"])
        scene.answer(over.to(.carol).first, 200)
        scene.expectNothingLeft()
    }

    @Test("The session of a second callee that the caller does not take ends that leg, not the server's order")
    func secondDialNotTaken() {
        let scene = CallScene([.alice, .bob, .carol], [.dial(.client("bob")), .dial(.client("carol"))])
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let leg = scene.send(call.request("BYE", of: call.leg, from: .bob)).to(.carol).first
        let session = scene.answer(leg, 200, tag: "c1", body: "v=0 carol").to(.alice).first
        let refused = scene.answer(session, 488, tag: nil)
        #expect(refused.to(.carol).summaries == ["ACK", "BYE"])
        #expect(refused.to(.alice).requests("BYE").count == 1)
        for bye in refused.requests("BYE") { scene.answer(bye, 200) }
        scene.expectNothingLeft()
    }

    @Test("An INVITE without a session gets the callee's offer; its answer in the ACK goes to the callee")
    func lateOffer() {
        let scene = CallScene()
        let call = scene.call(body: "")
        #expect(call.leg?.body == "")
        let answered = scene.answer(call.leg, 200, body: "v=0 bob")
        #expect(answered.to(.bob).isEmpty)
        let ok = answered.to(.alice).first
        #expect(ok?.body == "v=0 bob")
        let acknowledged = call.acknowledge(ok, body: "v=0 alice")
        #expect(acknowledged.summaries == ["ACK"])
        #expect(acknowledged.to(.bob).first?.body == "v=0 alice")
        #expect(acknowledged.to(.bob).first?["Content-Type"] == "application/sdp")
        // The callee's 200 that was on its way is acknowledged with the same session.
        let again = scene.answer(call.leg, 200, body: "v=0 bob")
        #expect(again.summaries == ["ACK"])
        #expect(again.first?.body == "v=0 alice")
        let over = scene.send(call.request("BYE", after: ok))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
    }

    @Test("callerId and headers of a noun reach the callee")
    func callerID() {
        var dial = Dial.client("bob")
        dial.callerID = "+15551234"
        dial.parties[0].headers = [WebhookRequest.Parameter("X-Queue", "sales")]
        let scene = CallScene([.alice, .bob], [.dial(dial)])
        let call = scene.call()
        #expect(call.leg?["From"].contains("<sip:+15551234@example.com>") == true)
        #expect(call.leg?["X-Queue"] == "sales")
        scene.answer(call.leg, 486)
        scene.expectNothingLeft()
    }

    @Test("A talk that has taken its time is ended on both sides")
    func timeLimit() {
        let scene = CallScene([.alice, .bob], [.dial(Dial.client("bob").with { $0.timeLimit = 20 })])
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let sent = scene.wait(milliseconds: 20_100)
        #expect(sent.to(.bob).requests("BYE").count == 1)
        #expect(sent.to(.alice).requests("BYE").count == 1)
        for bye in sent.requests("BYE") { scene.answer(bye, 200) }
        scene.expectNothingLeft()
    }

    @Test("Records tell of the call and of its leg, each once from beginning to end")
    func records() {
        let scene = CallScene()
        let call = scene.call()
        scene.answer(call.leg, 180)
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let over = scene.send(call.request("BYE", after: ok))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
        let changes = scene.network.takeRecords()
        let begun = changes.compactMap { change -> CallRecord? in
            if case .applicationCallStarted(let record) = change { record } else { nil }
        }
        #expect(begun.count == 2)
        let (parent, child) = (begun.first, begun.last)
        #expect(parent?.clientID == 1)
        #expect(parent?.accountID == 1)
        #expect(parent?.direction == .inbound)
        #expect(parent?.from == Array("alice".utf8))
        #expect(parent?.to == Array("anybody".utf8))
        #expect(parent?.callID == Array("caller-call-1".utf8))
        #expect(child?.parent == parent?.number)
        #expect(child?.direction == .outboundDial)
        #expect(child?.to == Array("bob".utf8))
        for number in [parent, child].compactMap({ $0?.number }) {
            #expect(changes.count { if case .callRinging(number, _) = $0 { true } else { false } } == 1)
            #expect(changes.count { if case .callAnswered(number, _, _) = $0 { true } else { false } } == 1)
            #expect(
                changes.count {
                    switch $0 {
                    case .callHungUp(number, _, _), .callClosed(number, _, _): true
                    default: false
                    }
                } == 1)
            #expect(!changes.contains { if case .callEnded(number, _, _, _) = $0 { true } else { false } })
        }
    }
}
