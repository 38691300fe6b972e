import CallControl
import Observability
import Primitives
import Testing

@Suite("Verbs other than Dial")
struct CallProgramVerbsTests {
    @Test(arguments: [
        ("<Reject/>", UInt16(603), Reason.applicationRejected), ("<Reject reason='busy'/>", 486, .applicationBusy),
        ("<Hangup/>", 603, .applicationRejected), ("", 488, .documentWithoutAction),
        ("<Say>Hi</Say><Play>/a.wav</Play>", 488, .documentWithoutAction), ("<Unknown/>", 488, .documentWithoutAction),
        ("<Say>Hi</Say><Hangup/>", 603, .applicationRejected), ("<Dial/>", 488, .documentWithoutAction),
    ])
    func aCallerWithoutAnswerGetsAFinalOne(_ verbs: String, _ status: UInt16, _ reason: Reason) {
        var call = VirtualCall()
        call.begin(verbs)
        #expect(call.actions.deeds == [.reject(status, reason)])
        #expect(call.program.isOver)
        #expect(call.timers.isEmpty)
    }

    @Test func aSkippedVerbIsNamed() {
        var call = VirtualCall()
        call.begin("<Say>Hi</Say>")
        #expect(
            call.actions.notes.map(\.code)
                == [CallNotification.Code.unsupportedVerb, CallNotification.Code.malformed])
    }

    @Test func aPauseTakesItsTime() {
        var call = VirtualCall()
        call.begin("<Pause length='3'/><Reject/>")
        let start = call.now.milliseconds
        call.expire(.pause)
        #expect(call.now.milliseconds - start == 3_000)
        #expect(call.actions.deeds == [.reject(603, .applicationRejected)])
    }

    @Test func pausesBeforeAnAnswerEndInTheEnd() {
        var call = VirtualCall()
        call.begin(String(repeating: "<Pause length='3600'/>", count: 5))
        let start = call.now.milliseconds
        call.expire(.pause)
        #expect(call.now.milliseconds - start == 1_800_000)
        #expect(call.program.isOver)
        #expect(call.actions.notes.count == 4)
    }

    @Test func redirectGoesOnWithAnotherDocument() {
        var call = VirtualCall()
        call.begin("<Redirect method='GET'>next?a=1</Redirect><Reject/>")
        #expect(call.actions.fetches == ["GET http://app.example/next?a=1"])
        #expect(call.asked?["CallStatus"] == "ringing")
        call.answer("<Redirect>other</Redirect>")
        #expect(call.actions.fetches == ["POST http://app.example/other"])
    }

    @Test func rejectAfterAnAnswerHangsUpAndIsNoted() {
        var call = VirtualCall()
        call.begin("<Dial>100</Dial><Reject/>")
        call.take(.legAnswered(0))
        call.take(.legHungUp(0))
        #expect(call.actions.deeds == [.hangUp])
        #expect(call.actions.notes.map(\.code) == [CallNotification.Code.misplacedVerb])
    }

    @Test func aTextIsSentToTheCallerFromWhatWasCalledUnlessItSaysOtherwise() {
        var call = VirtualCall()
        call.begin("<Sms>Hello</Sms><Sms to='client:bob' from='carol'>Hi</Sms><Hangup/>")
        let texts = call.actions.compactMap { if case .send(let text) = $0 { text } else { nil } }
        #expect(texts.map(\.to) == ["alice", "bob"])
        #expect(texts.map(\.from) == ["+15550100", "carol"])
        #expect(texts.map(\.body) == ["Hello", "Hi"])
        #expect(Set(texts.map(\.number)).count == 2)
        #expect(call.program.isOver)
    }

    @Test func theActionOfATextIsAskedAtOnce() {
        var call = VirtualCall()
        call.begin("<Sms action='/sent'>Hello</Sms><Reject/>")
        let text = call.actions.compactMap { if case .send(let text) = $0 { text } else { nil } }.first
        #expect(call.actions.fetches == ["POST http://app.example/sent"])
        #expect(call.asked?["SmsSid"] == text?.number.sid(prefix: "SM"))
        #expect(call.asked?["SmsStatus"] == "sending")
        #expect(call.asked?["MessageStatus"] == "sending")
        #expect(call.asked?["CallSid"] == VirtualCall.facts.number.sid(prefix: "CA"))
        call.answer("<Hangup/>")
        #expect(call.actions.deeds == [.reject(603, .applicationRejected)])
    }

    @Test func theStatusCallbackOfATextIsToldItsEndAlsoAfterTheCall() {
        var call = VirtualCall()
        call.begin("<Sms statusCallback='/done'>Hello</Sms><Hangup/>")
        #expect(call.actions.deeds.last == .reject(603, .applicationRejected))
        #expect(!call.program.isOver)
        call.ignore(.ordered(.complete))
        call.take(.textEnded(1, status: 480, .calleeNotRegistered))
        #expect(call.actions.told.map(\.address.url) == ["http://app.example/done"])
        #expect(call.actions.told.first?["MessageStatus"] == "failed")
        #expect(call.actions.told.first?["ErrorCode"] == "R-1303")
        #expect(call.actions.told.first?["Body"] == "Hello")
        #expect(call.program.isOver)
        #expect(call.timers.isEmpty)
    }

    @Test func aTextThatNeverEndsKeepsNoCall() {
        var call = VirtualCall()
        call.begin("<Sms statusCallback='/done'>Hello</Sms><Hangup/>")
        call.expire(.deadline)
        #expect(call.program.isOver)
    }

    @Test func aCallSendsNoMoreThanAHundredTexts() {
        var call = VirtualCall()
        call.begin(String(repeating: "<Sms>a</Sms>", count: 120))
        #expect(call.actions.count { if case .send = $0 { true } else { false } } == 100)
        #expect(call.actions.notes.count == 20)
    }

    @Test func theStatusCallbackIsToldOnceOfEachState() {
        var call = VirtualCall(VirtualCall.application(status: true))
        var told = call.take(.began).told
        told += call.answer("<Dial>100</Dial><Dial>200</Dial>").told
        told += call.take(.legAnswered(0)).told
        call.wait(4_000)
        told += call.take(.legHungUp(0)).told
        told += call.take(.legAnswered(1)).told
        call.wait(2_000)
        told += call.take(.callerGone).told
        #expect(told.map(\.address) == Array(repeating: VirtualCall.status, count: 3))
        #expect(told.map { $0["CallStatus"] } == ["ringing", "in-progress", "completed"])
        #expect(told.last?["CallDuration"] == "6")
        #expect(told.allSatisfy { $0.id == 0 })
    }

    @Test(arguments: [
        ("<Reject reason='busy'/>", "busy"), ("<Reject/>", "failed"), ("", "failed"),
    ])
    func theStatusCallbackIsToldHowACallEnded(_ verbs: String, _ word: String) {
        var call = VirtualCall(VirtualCall.application(status: true))
        call.begin(verbs)
        #expect(call.actions.told.map { $0["CallStatus"] } == [word])
    }
}
