import CallControl
import Observability
import Primitives
import Testing

@Suite("The document that runs on the callee before the parties are connected")
struct CallProgramScreeningTests {
    private func answered(_ verbs: String? = nil) -> VirtualCall {
        var call = VirtualCall()
        call.begin("<Dial action='/after'><Client url='/screen' method='GET'>bob</Client><Client>c</Client></Dial>")
        call.wait(2_000)
        call.take(.legAnswered(0))
        if let verbs { call.answer(verbs) }
        return call
    }

    @Test func itIsAskedWithTheLegsParameters() {
        let call = answered()
        #expect(call.actions.deeds.first == .endLegs([1]))
        #expect(call.actions.fetches == ["GET http://app.example/screen"])
        #expect(call.asked?["To"] == "bob")
        #expect(call.asked?["Direction"] == "outbound-dial")
        #expect(call.asked?["ParentCallSid"] == VirtualCall.facts.number.sid(prefix: "CA"))
        #expect(call.asked?["CallSid"] != VirtualCall.facts.number.sid(prefix: "CA"))
        #expect(Array(call.timers.keys) == [.deadline])
    }

    @Test func itsEndConnects() {
        #expect(answered("").actions.deeds == [.connect(0)])
    }

    @Test func pauseRedirectAndSmsRunThere() {
        var call = answered("<Pause length='2'/><Sms>Hello</Sms><Redirect>/more</Redirect>")
        #expect(call.timers.keys.contains(.pause))
        call.expire(.pause)
        #expect(call.actions.fetches == ["POST http://app.example/more"])
        #expect(call.actions.contains { if case .send = $0 { true } else { false } })
        call.answer("")
        #expect(call.actions.deeds == [.connect(0)])
    }

    @Test(arguments: [
        ("<Hangup/>", "busy", UInt16(603), Reason.calleeDeclined),
        ("<Reject reason='busy'/>", "busy", 486, .calleeBusy),
    ])
    func theCalleeCanRefuse(_ verbs: String, _ word: String, _ status: UInt16, _ reason: Reason) {
        var call = answered(verbs)
        #expect(call.actions.deeds.first == .endLegs([0]))
        #expect(call.asked?["DialCallStatus"] == word)
        #expect(call.asked?["DialCallDuration"] == "0")
        #expect(call.asked?["DialRingDuration"] == "2")
        call.answer("")
        #expect(call.actions.deeds == [.reject(status, reason)])
    }

    @Test func dialIsNotedThere() {
        let call = answered("<Dial>1</Dial>")
        #expect(call.actions.notes.map(\.code) == [CallNotification.Code.dialWithinDial])
        #expect(call.actions.deeds == [.connect(0)])
    }

    @Test func aDocumentThatCannotBeHadConnectsNobody() {
        var call = answered()
        call.fail(.status(500))
        #expect(call.actions.deeds.first == .endLegs([0]))
        #expect(call.asked?["DialCallStatus"] == "failed")
        call = answered()
        call.expire(.deadline)
        #expect(call.actions.deeds.first == .endLegs([0]))
        #expect(call.asked?["DialCallStatus"] == "failed")
    }

    @Test func aCalleeWhoHangsUpMeanwhileIsNotConnected() {
        for verbs in [nil, "<Pause length='5'/>"] {
            var call = answered(verbs)
            call.take(.legHungUp(0))
            #expect(call.asked?["DialCallStatus"] == "busy")
            #expect(Array(call.timers.keys) == [.deadline])
            #expect(call.actions.fetches == ["POST http://app.example/after"])
        }
    }

    @Test func aCallerWhoLeavesMeanwhileEndsTheLeg() {
        var call = answered("<Pause length='5'/>")
        call.take(.callerGone)
        #expect(call.actions.deeds == [.endLegs([0])])
        #expect(call.actions.told.map { $0["DialCallStatus"] } == ["canceled"])
        #expect(call.program.isOver)
        #expect(call.timers.isEmpty)
    }
}
