import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// Calls that the API starts.
@Suite struct OutgoingCallTests {
    static let number = RecordNumber(at: UnixTime(seconds: 1_700_000_000), counter: 7)

    static func call(to party: Dial.Party = Dial.Party(.client, "bob")) -> OutgoingCall {
        let record = CallRecord(
            number: number, accountID: 1, from: Array("+15551234".utf8), to: Array(party.name.utf8),
            direction: .outboundAPI, startedAt: UnixTime(seconds: 1_700_000_000), callID: [])
        var application = Application()
        application.voice = WebAddress("http://app/outgoing")
        application.statusCallback = WebAddress("http://app/status")
        var call = OutgoingCall(record: record, party: party, application: application)
        call.statusEvents = Set(LegState.allCases)
        return call
    }

    static func scene(_ verbs: [Verb] = [.dial(.client("carol"))]) -> CallScene {
        let scene = CallScene([.bob, .carol])
        scene.documents["http://app/outgoing"] = verbs
        return scene
    }

    @Test("The party is called with a session on hold; when it has answered, its application is asked and connects it")
    func connects() {
        let scene = OutgoingCallTests.scene()
        let (reason, sent) = scene.start(OutgoingCallTests.call())
        #expect(reason == nil)
        let invite = sent.first
        #expect(sent.summaries == ["INVITE"])
        #expect(invite?.flow == Device.bob.flow)
        #expect(invite?["From"].contains("<sip:+15551234@example.com>") == true)
        #expect(invite?.body.contains("a=inactive") == true)
        #expect(invite?.body.contains("c=IN IP4 0.0.0.0") == true)
        #expect(scene.asked.isEmpty)
        scene.answer(invite, 180)
        let answered = scene.answer(invite, 200, body: CallScene.answer)
        #expect(answered.to(.bob).summaries == ["ACK"])
        #expect(CallScene.value("Direction", scene.asked.first) == "outbound-api")
        let leg = answered.to(.carol).first
        #expect(leg?.method == "INVITE")
        #expect(leg?.body == "")
        // Repeated, as its ACK was lost.
        #expect(scene.answer(invite, 200, body: CallScene.answer).summaries == ["ACK"])
        let session = scene.answer(leg, 200, tag: "c1", body: "v=0 carol").to(.bob).first
        #expect(session?.method == "INVITE")
        #expect(session?.body == "v=0 carol")
        #expect(session?.toTag == "to1")
        let connected = scene.answer(session, 200, tag: nil, body: "v=0 bob")
        #expect(connected.to(.carol).first?.body == "v=0 bob")
        let bye = Device.bob.request("BYE", to: session?.contactURI ?? "").with {
            $0.fromTag = "to1"
            $0.toTag = invite?.fromTag
            $0.callID = invite?["Call-ID"] ?? ""
        }
        let over = scene.send(bye)
        #expect(over.to(.bob).summaries == ["200 BYE"])
        #expect(over.to(.carol).summaries == ["BYE"])
        scene.answer(over.to(.carol).first, 200)
        scene.expectNothingLeft()
        let progress = scene.told.filter { $0.address.url == "http://app/status" }
        #expect(
            progress.compactMap { CallScene.value("CallStatus", $0) }
                == ["initiated", "ringing", "answered", "completed"])
        #expect(progress.compactMap { CallScene.value("SequenceNumber", $0) } == ["0", "1", "2", "3"])
    }

    @Test("A caller that is changing the session itself is asked once more")
    func glare() {
        let scene = OutgoingCallTests.scene()
        let invite = scene.start(OutgoingCallTests.call()).sent.first
        let leg = scene.answer(invite, 200, body: CallScene.answer).to(.carol).first
        let session = scene.answer(leg, 200, tag: "c1", body: "v=0 carol").to(.bob).first
        #expect(scene.answer(session, 491, tag: nil).summaries == ["ACK"])
        let again = scene.wait(milliseconds: 4_100).to(.bob).requests("INVITE").first
        #expect(again?.body == "v=0 carol")
        #expect(again?["CSeq"] != session?["CSeq"])
        let connected = scene.answer(again, 200, tag: nil, body: "v=0 bob")
        #expect(connected.to(.carol).requests("ACK").first?.body == "v=0 bob")
        let (_, sent) = scene.order(OutgoingCallTests.number, .complete)
        #expect(sent.to(.bob).summaries == ["BYE"])
        #expect(sent.to(.carol).summaries == ["BYE"])
        for bye in sent { scene.answer(bye, 200) }
        scene.expectNothingLeft()
    }

    @Test("A party that is busy, or does not answer, ends the call; its application is not asked", arguments: [486, 0])
    func notReached(status: Int) {
        let scene = OutgoingCallTests.scene()
        var call = OutgoingCallTests.call()
        call.timeout = 10
        let invite = scene.start(call).sent.first
        if status > 0 {
            #expect(scene.answer(invite, status).summaries == ["ACK"])
        } else {
            scene.answer(invite, 180)
            let cancelled = scene.wait(milliseconds: 10_100)
            #expect(cancelled.summaries == ["CANCEL"])
            scene.answer(cancelled.first, 200, tag: nil)
            scene.answer(invite, 487)
        }
        scene.expectNothingLeft()
        #expect(scene.asked.isEmpty)
        let ends = scene.network.takeRecords().compactMap { change -> UInt16? in
            if case .callEnded(_, _, let status, _) = change { status } else { nil }
        }
        #expect(ends == [status > 0 ? UInt16(status) : 408])
        #expect(scene.toldValues("CallStatus").last == "completed")
    }

    @Test("An order ends a call whose party has not answered; a 200 that crosses the CANCEL gets ACK and BYE")
    func cancels() {
        let scene = OutgoingCallTests.scene()
        let invite = scene.start(OutgoingCallTests.call()).sent.first
        scene.answer(invite, 180)
        let (_, sent) = scene.order(OutgoingCallTests.number, .cancel)
        #expect(sent.summaries == ["CANCEL"])
        scene.answer(sent.first, 200, tag: nil)
        let crossed = scene.answer(invite, 200, body: CallScene.answer)
        #expect(crossed.summaries == ["ACK", "BYE"])
        #expect(scene.answer(invite, 200, body: CallScene.answer).summaries == ["ACK"])
        scene.answer(crossed.last, 200)
        scene.expectNothingLeft()
        #expect(scene.asked.isEmpty)
    }

    @Test("A party that has no device, an account that is suspended, and a server that drains start nothing")
    func refusals() {
        let scene = OutgoingCallTests.scene()
        #expect(scene.start(OutgoingCallTests.call(to: .init(.client, "alice"))).reason == .calleeNotRegistered)
        #expect(scene.start(OutgoingCallTests.call(to: .init(.client, "nobody"))).reason == .calleeUnknown)
        #expect(scene.start(OutgoingCallTests.call(to: .init(.number, "+15"))).reason == .noGateway)
        scene.setAccount(isActive: false)
        #expect(scene.start(OutgoingCallTests.call()).reason == .accountInactive)
        scene.network.server.beginDraining()
        #expect(scene.start(OutgoingCallTests.call()).reason == .serverStopping)
        #expect(scene.network.takeRecords().isEmpty)
        scene.expectNothingLeft()
    }
}
