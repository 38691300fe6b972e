import CallControl
import Observability
import Primitives
import Testing

@Suite("Dial: legs, who wins, and what the action is told")
struct CallProgramDialTests {
    /// The parameters of an action that are about the Dial.
    private func dial(_ request: WebhookRequest?) -> [String] {
        request?.lines.filter { $0.hasPrefix("Dial") && !$0.hasPrefix("DialCallSid") } ?? []
    }

    @Test func aLegAnswersAndIsConnectedAndHangsUp() {
        var call = VirtualCall()
        call.begin("<Dial timeout='20' timeLimit='100' action='/after'><Client>bob</Client></Dial>")
        let start = call.now.milliseconds
        guard case .dial(let dialled, first: 0, let records)? = call.actions.deeds.first else {
            Issue.record("\(call.actions)")
            return
        }
        #expect(dialled.parties == [Dial.Party(.client, "bob")])
        #expect(call.timers[.ringing] == start + 20_000)
        call.take(.legRings(0))
        #expect(call.actions.isEmpty)
        call.wait(3_500)
        call.take(.legAnswered(0))
        #expect(call.actions.deeds == [.connect(0)])
        #expect(Array(call.timers.keys) == [.talk])
        #expect(call.timers[.talk] == start + 103_500)
        call.wait(7_200)
        call.take(.legHungUp(0))
        #expect(call.actions.fetches == ["POST http://app.example/after"])
        #expect(call.asked?["DialCallSid"] == records.first?.sid(prefix: "CA"))
        #expect(call.asked?["OutboundCallSid"] == records.first?.sid(prefix: "CA"))
        #expect(call.asked?["CallStatus"] == "in-progress")
        #expect(
            dial(call.asked) == ["DialRingDuration=3", "DialCallStatus=completed", "DialCallDuration=7"])
        call.answer("<Hangup/>")
        #expect(call.actions.deeds == [.hangUp])
        #expect(call.program.isOver)
        #expect(call.timers.isEmpty)
    }

    @Test(arguments: [
        (UInt16(486), Reason?.none, "busy", UInt16(486), Reason.calleeBusy), (600, nil, "busy", 600, .calleeBusy),
        (603, nil, "busy", 603, .calleeDeclined), (408, .noAnswer, "no-answer", 408, .noAnswer),
        (480, nil, "no-answer", 480, .noAnswer), (404, nil, "failed", 404, .calleeFailed),
        (503, nil, "failed", 503, .calleeFailed), (480, .calleeNotRegistered, "failed", 480, .calleeNotRegistered),
        (407, nil, "failed", 500, .calleeFailed), (302, nil, "failed", 500, .calleeFailed),
        (0, nil, "failed", 500, .calleeFailed), (999, nil, "failed", 500, .calleeFailed),
    ])
    func aLegThatFailsTellsItsStatus(
        _ status: UInt16, _ reason: Reason?, _ word: String, _ final: UInt16, _ finalReason: Reason
    ) {
        var call = VirtualCall()
        call.begin("<Dial action='/after'>100</Dial>")
        call.wait(2_000)
        call.take(.legFailed(0, status: status, reason))
        #expect(call.asked?["DialCallStatus"] == word)
        #expect(call.asked?["DialCallDuration"] == "0")
        #expect(call.asked?["CallStatus"] == "ringing")
        call.answer("")
        #expect(call.actions.deeds == [.reject(final, finalReason)])
        #expect(call.program.isOver)
    }

    @Test func anUnregisteredClientHasNoDialCallSid() {
        var call = VirtualCall()
        call.begin("<Dial action='/after'><Client>bob</Client></Dial>")
        call.take(.legFailed(0, status: 480, .calleeNotRegistered))
        #expect(call.asked?["DialCallSid"] == "null")
        #expect(
            dial(call.asked) == ["DialRingDuration=0", "DialCallStatus=failed", "DialCallDuration=0"])
    }

    @Test func withoutActionTheNextVerbRuns() {
        var call = VirtualCall()
        call.begin("<Dial>100</Dial><Dial>200</Dial>")
        call.take(.legFailed(0, status: 486, nil))
        guard case .dial(let dial, first: 1, _)? = call.actions.deeds.first else {
            Issue.record("\(call.actions)")
            return
        }
        #expect(dial.parties == [Dial.Party(.number, "200")])
        call.take(.legFailed(1, status: 404, nil))
        // The last Dial's failure is the caller's.
        #expect(call.actions.deeds == [.reject(404, .calleeFailed)])
    }

    @Test func afterATalkTheNextDialConnectsTheCallerAgain() {
        var call = VirtualCall()
        call.begin("<Dial>100</Dial><Dial>200</Dial>")
        call.take(.legAnswered(0))
        call.take(.legHungUp(0))
        call.take(.legAnswered(1))
        #expect(call.actions.deeds == [.connect(1)])
        call.take(.legHungUp(1))
        #expect(call.actions.deeds == [.hangUp])
    }

    @Test func aDialThatFailsAfterATalkHangsUp() {
        var call = VirtualCall()
        call.begin("<Dial>100</Dial><Dial>200</Dial>")
        call.take(.legAnswered(0))
        call.take(.legHungUp(0))
        call.take(.legFailed(1, status: 486, nil))
        #expect(call.actions.deeds == [.hangUp])
    }

    @Test func hangupAfterAFailedDialGivesItsStatus() {
        var call = VirtualCall()
        call.begin("<Dial>100</Dial><Hangup/>")
        call.take(.legFailed(0, status: 486, nil))
        #expect(call.actions.deeds == [.reject(486, .calleeBusy)])
    }

    @Test func ringingEndsWithItsTimeout() {
        var call = VirtualCall()
        call.begin("<Dial action='/after' timeout='5'><Number>100</Number><Number>200</Number></Dial>")
        call.take(.legRings(1))
        call.expire(.ringing)
        #expect(call.actions.deeds.first == .endLegs([0, 1]))
        #expect(
            dial(call.asked) == ["DialRingDuration=5", "DialCallStatus=no-answer", "DialCallDuration=0"])
        call.ignore(.legAnswered(1))
        call.answer("")
        #expect(call.actions.deeds == [.reject(408, .noAnswer)])
    }

    @Test func theFirstAnswerWinsAndTheOthersEndBeforeItIsConnected() {
        var call = VirtualCall()
        call.begin("<Dial><Client>a</Client><Client>b</Client><Client>c</Client></Dial>")
        call.take(.legFailed(1, status: 486, nil))
        call.take(.legAnswered(2))
        #expect(call.actions.deeds == [.endLegs([0]), .connect(2)])
        call.ignore(.legAnswered(0))
        call.ignore(.legFailed(0, status: 487, nil))
        call.ignore(.legHungUp(0))
        call.take(.legHungUp(2))
        #expect(call.actions.deeds == [.hangUp])
    }

    @Test func ofSeveralFailuresTheBestIsTold() {
        var call = VirtualCall()
        call.begin("<Dial><Client>a</Client><Client>b</Client><Client>c</Client></Dial>")
        call.take(.legFailed(0, status: 503, nil))
        call.take(.legFailed(1, status: 486, nil))
        #expect(call.actions.isEmpty)
        call.take(.legFailed(2, status: 404, nil))
        #expect(call.actions.deeds == [.reject(486, .calleeBusy)])
    }

    @Test func theTalkEndsWithItsLimitAndWithThatOfTheOperator() {
        var settings = CallProgram.Settings()
        settings.longestCall = 60
        var call = VirtualCall(settings: settings)
        call.begin("<Dial action='/after' timeLimit='100'>100</Dial>")
        call.take(.legAnswered(0))
        let start = call.now.milliseconds
        call.expire(.talk)
        #expect(call.now.milliseconds - start == 60_000)
        #expect(call.actions.deeds.first == .endLegs([0]))
        #expect(
            dial(call.asked) == ["DialRingDuration=0", "DialCallStatus=completed", "DialCallDuration=60"])
    }

    @Test func aCallerWhoLeavesEndsTheLegsAndTheActionIsTold() {
        var call = VirtualCall(VirtualCall.application(status: true))
        call.begin("<Dial action='/after'>100</Dial>")
        call.take(.legRings(0))
        call.wait(4_000)
        call.take(.callerGone)
        #expect(call.actions.deeds == [.endLegs([0])])
        #expect(call.actions.told.map(\.address.url) == ["http://app.example/after", "http://app.example/status"])
        #expect(call.actions.told.allSatisfy { $0["CallStatus"] == "canceled" })
        #expect(
            dial(call.actions.told.first) == [
                "DialRingDuration=4", "DialCallStatus=canceled", "DialCallDuration=0",
            ])
        #expect(call.program.isOver)
    }

    @Test func aCallerWhoHangsUpEndsTheTalkAndTheActionIsTold() {
        var call = VirtualCall()
        call.begin("<Dial action='/after'>100</Dial><Dial>200</Dial>")
        call.take(.legAnswered(0))
        call.wait(9_000)
        call.take(.callerGone)
        #expect(call.actions.deeds == [.endLegs([0])])
        #expect(call.actions.told.map { $0["DialCallStatus"] } == ["completed"])
        #expect(call.actions.told.map { $0["DialCallDuration"] } == ["9"])
        #expect(call.program.isOver)
        #expect(call.timers.isEmpty)
    }

    @Test func aSIPNounTellsTheResponseCode() {
        var call = VirtualCall()
        call.begin("<Dial action='/after'><Sip>sip:bob@example.net</Sip></Dial>")
        call.take(.legFailed(0, status: 486, nil))
        #expect(call.asked?["DialSipResponseCode"] == "486")
    }

    @Test func aLegTellsItsStates() {
        var call = VirtualCall()
        call.take(.began)
        var told = call.answer(
            "<Dial callerId='+1999'><Client statusCallback='/leg' statusCallbackMethod='GET'>bob</Client></Dial>"
        ).told
        let sid = call.actions.compactMap { if case .dial(_, _, let records) = $0 { records.first } else { nil } }.first
        told += call.take(.legRings(0)).told
        told += call.take(.legRings(0)).told
        told += call.take(.legAnswered(0)).told
        call.wait(12_000)
        told += call.take(.legHungUp(0)).told
        #expect(told.map { $0["CallStatus"] } == ["initiated", "ringing", "answered", "completed"])
        #expect(told.map { $0["SequenceNumber"] } == ["0", "1", "2", "3"])
        #expect(told.allSatisfy { $0.address == WebAddress("http://app.example/leg", .get) })
        #expect(
            told.last?.lines == [
                "AccountSid=AC1", "CallSid=" + (sid?.sid(prefix: "CA") ?? ""), "From=+1999", "To=bob",
                "Direction=outbound-dial", "CallerName=null", "ForwardedFrom=null",
                "ParentCallSid=" + VirtualCall.facts.number.sid(prefix: "CA"), "CallStatus=completed",
                "CallDuration=12", "DialCallStatus=completed", "Timestamp=Mon, 04 Nov 2013 16:33:51 +0000",
                "CallbackSource=call-progress-events", "SequenceNumber=3",
            ])
    }

    @Test func aLegTellsOnlyWhatIsAskedFor() {
        var call = VirtualCall()
        call.take(.began)
        var told = call.answer(
            "<Dial><Number statusCallback='/leg' statusCallbackEvent='answered, completed'>1</Number></Dial>"
        ).told
        told += call.take(.legRings(0)).told
        told += call.take(.legFailed(0, status: 486, nil)).told
        #expect(told.map { $0["CallStatus"] } == ["completed"])
        #expect(told.map { $0["DialCallStatus"] } == ["busy"])
        #expect(told.map { $0["SequenceNumber"] } == ["0"])
    }

    @Test func callersAreNotRungForEver() {
        var call = VirtualCall()
        call.begin(String(repeating: "<Dial timeout='600'>1</Dial>", count: 5))
        let start = call.now.milliseconds
        for _ in 0..<3 { call.expire(.ringing) }
        #expect(call.now.milliseconds - start == 1_800_000)
        #expect(call.program.isOver)
    }
}
