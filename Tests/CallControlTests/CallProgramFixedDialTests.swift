import CallControl
import Observability
import Primitives
import Testing

@Suite("A fixed Dial")
struct CallProgramFixedDialTests {
    private func dial(_ parties: Dial.Party...) -> Dial {
        var dial = Dial(parties)
        dial.action = WebAddress("http://app.example/never")
        return dial
    }

    @Test func itTellsNobodyAndHasOneRecord() {
        var party = Dial.Party(.number, "100")
        party.statusCallback = WebAddress("http://app.example/never")
        party.screening = party.statusCallback
        var call = VirtualCall(dial: dial(party))
        call.take(.began)
        guard case .dial(_, first: 0, let records)? = call.actions.deeds.first else {
            Issue.record("\(call.actions)")
            return
        }
        #expect(records == [RecordNumber(0)])
        #expect(call.actions.told.isEmpty)
        call.take(.legAnswered(0))
        #expect(call.actions.deeds == [.connect(0)])
        #expect(call.actions.told.isEmpty)
        call.take(.legHungUp(0))
        #expect(call.actions.deeds == [.hangUp])
        #expect(call.actions.told.isEmpty)
        #expect(call.program.isOver)
    }

    @Test func itsLegsFailureIsTheCallers() {
        var call = VirtualCall(dial: dial(Dial.Party(.number, "100")))
        call.take(.began)
        call.take(.legFailed(0, status: 403, .gatewayRefused))
        #expect(call.actions.deeds == [.reject(403, .gatewayRefused)])
        #expect(call.program.isOver)
    }

    @Test func aRedirectMakesItACallOfAnApplication() {
        var call = VirtualCall(dial: dial(Dial.Party(.number, "100")))
        call.take(.began)
        call.take(.ordered(.redirect(WebAddress("http://app.example/next"))))
        #expect(call.actions.deeds.first == .endLegs([0]))
        call.answer("<Dial><Client statusCallback='/leg'>bob</Client></Dial>")
        #expect(call.actions.told.count == 1)
        guard case .dial(_, first: 1, let records)? = call.actions.deeds.first else {
            Issue.record("\(call.actions)")
            return
        }
        #expect(records != [RecordNumber(0)])
    }

    @Test func itRingsNoLongerThanItsTimeout() {
        var call = VirtualCall(dial: dial(Dial.Party(.number, "100")))
        call.take(.began)
        call.expire(.ringing)
        #expect(call.actions.deeds == [.endLegs([0]), .reject(408, .noAnswer)])
        #expect(call.program.isOver)
    }
}
