import CallControl
import Observability
import Primitives
import Testing

@Suite("What the API orders of a live call")
struct CallProgramOrdersTests {
    private func talking() -> VirtualCall {
        var call = VirtualCall()
        call.begin("<Dial action='/after'>1</Dial>")
        call.take(.legAnswered(0))
        return call
    }

    private func ringing() -> VirtualCall {
        var call = VirtualCall(VirtualCall.application(status: true))
        call.begin("<Dial action='/after'>1</Dial>")
        return call
    }

    @Test func cancelEndsWhatIsNotAnswered() {
        var call = ringing()
        call.take(.ordered(.cancel))
        #expect(call.actions.deeds == [.endLegs([0]), .reject(480, .endedByOrder)])
        #expect(call.actions.told.map { $0["CallStatus"] } == ["canceled"])
        #expect(call.program.isOver)
    }

    @Test func cancelLeavesATalk() {
        var call = talking()
        call.ignore(.ordered(.cancel))
        #expect(!call.program.isOver)
    }

    @Test func completeEndsEverything() {
        var call = talking()
        call.take(.ordered(.complete))
        #expect(call.actions.deeds == [.endLegs([0]), .hangUp])
        #expect(call.program.isOver)
        call = ringing()
        call.take(.ordered(.complete))
        #expect(call.actions.deeds == [.endLegs([0]), .reject(480, .endedByOrder)])
    }

    @Test func redirectDropsTheLegsAndGoesOn() {
        let next = WebAddress("http://app.example/next", .get)
        for var call in [talking(), ringing()] {
            call.take(.ordered(.redirect(next)))
            #expect(call.actions.deeds.first == .endLegs([0]))
            #expect(call.asked?.address == next)
            call.ignore(.legHungUp(0))
            call.answer("<Dial>2</Dial>")
            #expect(call.actions.contains { if case .dial(_, first: 1, _) = $0 { true } else { false } })
        }
    }

    @Test func redirectWhileADocumentIsAwaitedIgnoresThatDocument() {
        var call = VirtualCall(VirtualCall.application(fallback: true))
        call.take(.began)
        let first = call.asked
        call.take(.ordered(.redirect(WebAddress("http://app.example/next"))))
        call.ignore(
            .fetched(first?.id ?? 0, .document(RCMLDocument(url: "", verbs: [.hangUp]), headers: []))
        )
        call.answer("<Reject/>")
        #expect(call.actions.deeds == [.reject(603, .applicationRejected)])
    }

    @Test func aCallOfTheAPIIsAnsweredFromItsBeginning() {
        var facts = VirtualCall.facts
        facts.direction = .outboundAPI
        var call = VirtualCall(VirtualCall.application(status: true), facts: facts)
        call.take(.began)
        #expect(call.actions.told.isEmpty)
        #expect(call.asked?["CallStatus"] == "in-progress")
        #expect(call.asked?["Direction"] == "outbound-api")
        call.answer("<Dial>1</Dial>")
        call.take(.legAnswered(0))
        #expect(call.actions.deeds == [.connect(0)])
        call.take(.legHungUp(0))
        #expect(call.actions.deeds == [.hangUp])
        #expect(call.actions.told.isEmpty)
        var other = VirtualCall(facts: facts)
        other.take(.began)
        other.fail(.status(404))
        #expect(other.actions.deeds == [.hangUp])
    }
}
