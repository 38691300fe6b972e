import CallControl
import Observability
import Primitives
import Testing

@Suite("A text that an application answers")
struct TextProgramTests {
    private struct VirtualText {
        var program: TextProgram
        var actions: [CallAction] = []
        var now = VirtualCall.facts.startedAt
        var records: UInt64 = 0

        init(_ change: (inout Application) -> Void = { $0.sms = WebAddress("http://app.example/sms") }) {
            var application = Application()
            change(&application)
            var facts = VirtualCall.facts
            facts.body = "Hello & good-bye"
            facts.headers = [.init("X-Tenant", "7")]
            program = TextProgram(application: application, facts: facts, settings: CallProgram.Settings())
        }

        @discardableResult
        mutating func take(_ event: CallEvent) -> [CallAction] {
            var counter = records
            actions = program.handle(event, at: now) {
                counter += 1
                return RecordNumber(at: UnixTime(milliseconds: 1_383_582_820_000), counter: counter)
            }
            records = counter
            return actions
        }

        mutating func ignore(_ event: CallEvent, _ location: SourceLocation = #_sourceLocation) {
            take(event)
            #expect(actions.isEmpty, "\(event)", sourceLocation: location)
        }

        mutating func answer(_ verbs: String, id: UInt32 = 1, headers: [WebhookRequest.Parameter] = []) {
            do throws(WebhookFailure) {
                let document = try RCMLDocument(
                    parsing: Array("<Response>\(verbs)</Response>".utf8), contentType: nil,
                    url: "http://app.example/sms"
                )
                take(.fetched(id, .document(document, headers: headers)))
            } catch {
                Issue.record("\(error)")
            }
        }

        var sent: [CallText] { actions.compactMap { if case .send(let text) = $0 { text } else { nil } } }
        var asked: WebhookRequest? { actions.compactMap { if case .fetch(let r) = $0 { r } else { nil } }.last }
    }

    private func failure(_ kind: WebhookFailure.Kind) -> WebhookAnswer {
        .failed(WebhookFailure(kind, CallNotification(11_206, .error, "failed")))
    }

    @Test func theApplicationIsAskedWithTheText() {
        var text = VirtualText()
        text.take(.began)
        #expect(
            text.asked?.lines == [
                "SmsSid=" + VirtualCall.facts.number.sid(prefix: "SM"), "AccountSid=AC1", "From=alice", "To=+15550100",
                "Body=Hello & good-bye", "ApiVersion=2012-04-24", "SipHeader_X-Tenant=7",
            ])
        #expect(text.actions.first == .startTimer(.deadline, milliseconds: 6_000))
    }

    @Test func withoutSMSURLTheVoiceURLIsAsked() {
        var text = VirtualText { $0.voice = WebAddress("http://app.example/voice") }
        text.take(.began)
        #expect(text.asked?.address.url == "http://app.example/voice")
        var nothing = VirtualText { _ in }
        nothing.take(.began)
        #expect(nothing.actions.notes.map(\.code) == [CallNotification.Code.badURL])
        #expect(nothing.program.isOver)
    }

    @Test func theReplyGoesToTheSenderWithTheHeadersOfTheAnswer() {
        var text = VirtualText()
        text.take(.began)
        text.answer(
            "<Sms>Hi</Sms><Message to='bob'>You</Message><Dial>1</Dial><Say>x</Say>",
            headers: [.init("X-A", "1"), .init("Via", "2"), .init("X-B", "3\r\nVia: x"), .init("X-C:", "4")])
        #expect(text.sent.map(\.to) == ["alice", "bob"])
        #expect(text.sent.map(\.from) == ["+15550100", "+15550100"])
        #expect(text.sent.allSatisfy { $0.headers == [.init("X-A", "1")] })
        #expect(
            text.actions.notes.map(\.code)
                == [CallNotification.Code.misplacedVerb, CallNotification.Code.unsupportedVerb])
        #expect(text.program.isOver)
        text.ignore(.textEnded(1, status: 200, nil))
    }

    @Test func hangupEndsAndRedirectGoesOn() {
        var text = VirtualText()
        text.take(.began)
        text.answer("<Redirect>/more</Redirect><Sms>No</Sms>")
        #expect(text.asked?.address.url == "http://app.example/more")
        text.answer("<Hangup/><Sms>No</Sms>", id: 2)
        #expect(text.sent.isEmpty)
        #expect(text.program.isOver)
    }

    @Test func aFailureAsksTheFallbackOnce() {
        var text = VirtualText {
            $0.sms = WebAddress("http://app.example/sms")
            $0.smsFallback = WebAddress("http://app.example/fallback", .get)
        }
        text.take(.began)
        #expect(text.actions.first == .startTimer(.deadline, milliseconds: 3_000))
        text.now.milliseconds += 1_000
        text.take(.fetched(1, failure(.status(500))))
        #expect(text.actions.fetches == ["GET http://app.example/fallback"])
        #expect(text.actions.contains(.startTimer(.deadline, milliseconds: 5_000)))
        text.take(.fetched(2, failure(.status(500))))
        #expect(text.actions.fetches.isEmpty)
        #expect(text.actions.last == .stopTimer(.deadline))
        #expect(text.program.isOver)
    }

    @Test func aFirstURLThatHangsLeavesTimeForTheFallback() {
        var text = VirtualText {
            $0.sms = WebAddress("http://app.example/sms")
            $0.smsFallback = WebAddress("http://app.example/fallback", .get)
        }
        text.take(.began)
        text.now.milliseconds += 3_000
        text.take(.timer(.deadline))
        #expect(text.actions.fetches == ["GET http://app.example/fallback"])
        #expect(text.actions.contains(.startTimer(.deadline, milliseconds: 3_000)))
        text.take(.timer(.deadline))
        #expect(text.program.isOver)
    }

    @Test func actionAndStatusCallbackAreTold() {
        var text = VirtualText()
        text.take(.began)
        text.answer("<Sms action='/sent' statusCallback='/done'>Hi</Sms>")
        #expect(text.asked?["SmsStatus"] == "sending")
        text.answer("", id: 2)
        #expect(!text.program.isOver)
        text.take(.textEnded(1, status: 200, nil))
        #expect(text.actions.told.map { $0["MessageStatus"] } == ["sent"])
        #expect(text.actions.told.map { $0["ErrorCode"] } == ["null"])
        #expect(text.program.isOver)
    }

    @Test func aLoopOfRedirectsEnds() {
        var text = VirtualText()
        text.take(.began)
        for id in 1...100 { text.answer("<Redirect>/sms</Redirect>", id: UInt32(id)) }
        #expect(text.actions.notes.map(\.code) == [CallNotification.Code.tooManyDocuments])
        #expect(text.program.isOver)
    }

    @Test func otherEventsChangeNothing() {
        for event in CallProgramPairsTests.events where event != .began && event != .timer(.deadline) {
            if case .fetched = event { continue }
            var text = VirtualText()
            text.ignore(event)
            text.take(.began)
            text.ignore(event)
        }
    }
}
