import CallControl
import Observability
import Primitives
import Testing

@Suite("The first document of a call, and its fallback")
struct CallProgramFetchTests {
    @Test func theApplicationIsAskedWithTheParametersInTheirOrder() {
        var facts = VirtualCall.facts
        facts.callerName = "Alice \"A\" Ä"
        facts.forwardedFrom = "carol"
        facts.headers = [.init("X-Tenant", "7"), .init("Diversion", "<sip:carol@a>")]
        var call = VirtualCall(facts: facts)
        call.take(.began)
        #expect(call.asked?.address == VirtualCall.voice)
        #expect(call.asked?.secret == "secret")
        #expect(
            call.asked?.lines == [
                "CallSid=" + facts.number.sid(prefix: "CA"), "AccountSid=AC1", "From=alice", "To=+15550100",
                "CallStatus=ringing", "ApiVersion=2012-04-24", "Direction=inbound", "CallerName=Alice \"A\" Ä",
                "ForwardedFrom=carol", "CallTimestamp=2013-11-04T16:33:39.000Z", "SipHeader_X-Tenant=7",
                "SipHeader_Diversion=<sip:carol@a>",
            ])
    }

    @Test func whatIsNotKnownIsTheWordNull() {
        var call = VirtualCall()
        call.take(.began)
        #expect(call.asked?["CallerName"] == "null")
        #expect(call.asked?["ForwardedFrom"] == "null")
    }

    @Test(arguments: [
        (WebhookFailure.Kind.status(404), UInt16(404), Reason.applicationNotFound),
        (.status(500), 500, .applicationUnreachable),
        (.timeout, 504, .applicationTooSlow), (.name, 500, .applicationUnreachable),
        (.connection, 500, .applicationUnreachable), (.certificate, 500, .applicationUnreachable),
        (.document, 500, .applicationUnreachable), (.contentType, 500, .applicationUnreachable),
        (.tooLarge, 500, .applicationUnreachable), (.redirects, 500, .applicationUnreachable),
        (.refused, 500, .applicationUnreachable),
    ])
    func withoutFallbackTheCallerIsToldAtOnce(_ kind: WebhookFailure.Kind, _ status: UInt16, _ reason: Reason) {
        var call = VirtualCall()
        call.take(.began)
        call.fail(kind)
        #expect(call.actions.deeds == [.reject(status, reason)])
        #expect(call.actions.notes.count == 1)
        #expect(call.program.isOver)
        #expect(call.timers.isEmpty)
    }

    @Test(arguments: [WebhookFailure.Kind.status(404), .status(503), .timeout, .name, .document, .refused])
    func anyFailureAsksTheFallbackWithTheSameParameters(_ kind: WebhookFailure.Kind) {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.take(.began)
        let first = call.asked
        call.fail(kind)
        #expect(call.actions.fetches == ["GET http://app.example/fallback"])
        #expect(call.asked?.parameters == first?.parameters)
        #expect(call.asked?.id != first?.id)
        call.answer("<Reject/>")
        #expect(call.actions.deeds == [.reject(603, .applicationRejected)])
    }

    @Test func theFallbackHasNoFallback() {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.take(.began)
        call.fail(.status(500))
        call.fail(.status(404))
        #expect(call.actions.deeds == [.reject(500, .applicationUnreachable)])
        #expect(call.program.isOver)
    }

    @Test func oneDeadlineHoldsForBothAndTheFirstTakesHalf() {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.take(.began)
        let start = call.now.milliseconds
        let first = call.asked
        call.expire(.deadline)
        #expect(call.now.milliseconds - start == 3_000)
        #expect(call.actions.fetches == ["GET http://app.example/fallback"])
        // The answer that was given up changes nothing.
        call.ignore(.fetched(first?.id ?? 0, .document(RCMLDocument(url: "", verbs: [.hangUp]), headers: [])))
        call.expire(.deadline)
        #expect(call.now.milliseconds - start == 6_000)
        #expect(call.actions.deeds == [.reject(504, .applicationTooSlow)])
        #expect(call.program.isOver)
    }

    @Test func aFirstURLThatFailsSoonLeavesTheRestToTheFallback() {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.take(.began)
        let start = call.now.milliseconds
        call.wait(1_000)
        call.fail(.connection)
        call.expire(.deadline)
        #expect(call.now.milliseconds - start == 6_000)
    }

    @Test func aClockThatWasSetChangesNoDeadline() {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.take(.began)
        call.wait(-86_400_000)
        call.fail(.connection)
        #expect(call.timers[.deadline] == call.now.milliseconds + 6_000)
    }

    @Test func withoutFallbackTheFirstHasTheWholeDeadline() {
        var call = VirtualCall()
        call.take(.began)
        let start = call.now.milliseconds
        call.expire(.deadline)
        #expect(call.now.milliseconds - start == 6_000)
        #expect(call.actions.deeds == [.reject(504, .applicationTooSlow)])
    }

    @Test func anAnswerStopsTheDeadline() {
        var call = VirtualCall()
        call.begin("<Pause length='5'/>")
        #expect(call.timers.keys.contains(.pause))
        #expect(!call.timers.keys.contains(.deadline))
    }

    @Test func laterFailuresNeverAskTheFallback() {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.begin("<Redirect>/next</Redirect>")
        #expect(call.asked?.address == WebAddress("http://app.example/next"))
        call.fail(.status(404))
        #expect(call.actions.deeds == [.reject(500, .applicationUnreachable)])
    }

    @Test func anEndlessSlowRedirectEndsWithTheDeadline() {
        var call = VirtualCall()
        call.take(.began)
        let start = call.now.milliseconds
        for _ in 0..<2 {
            call.wait(2_500)
            call.answer("<Redirect>http://u:secret@app.example/voice?a=b</Redirect>")
        }
        call.expire(.deadline)
        #expect(call.now.milliseconds - start == 6_000)
        #expect(call.actions.deeds == [.reject(504, .applicationTooSlow)])
        #expect(call.actions.notes.map(\.url) == ["http://app.example/voice"])
    }

    @Test func whatIsFetchedAfterAPauseHasItsOwnDeadline() {
        var call = VirtualCall()
        call.take(.began)
        call.wait(5_000)
        call.answer("<Pause length='1'/><Redirect>/next</Redirect>")
        call.expire(.pause)
        #expect(call.timers[.deadline] == call.now.milliseconds + 6_000)
    }

    @Test func aPauseWithoutLengthGivesNoTime() {
        var call = VirtualCall()
        call.take(.began)
        call.wait(5_000)
        call.answer("<Pause length='0'/><Redirect>/next</Redirect>")
        #expect(call.timers[.deadline] == call.now.milliseconds + 1_000)
    }

    @Test func aLoopOfRedirectsEnds() {
        var settings = CallProgram.Settings()
        settings.documents = 5
        var call = VirtualCall(settings: settings)
        call.take(.began)
        for _ in 0..<5 { call.answer("<Redirect>/voice</Redirect>") }
        #expect(call.program.isOver)
        #expect(call.actions.deeds == [.reject(500, .applicationUnreachable)])
        #expect(call.actions.notes.map(\.code) == [CallNotification.Code.tooManyDocuments])
    }

    @Test func anApplicationWithoutURLIsAnErrorOfItsOwn() {
        var call = VirtualCall(Application())
        call.take(.began)
        #expect(call.actions.deeds == [.reject(500, .applicationUnreachable)])
        #expect(call.actions.notes.map(\.code) == [CallNotification.Code.badURL])
    }

    @Test func remarksOfADocumentAreKeptWithTheCall() {
        var call = VirtualCall()
        call.begin("<Dail/><Hangup/>")
        #expect(call.actions.notes.map(\.code) == [CallNotification.Code.unknownWord])
        #expect(call.actions.notes.first?.line == 1)
    }
}
