import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// How calls of applications end: CANCEL, BYE, silence, and the races between them.
@Suite struct CallEndingTests {
    @Test("CANCEL while the application is asked: 487, and its document comes to nothing")
    func cancelsWhileAsked() {
        let scene = CallScene()
        scene.isAnswering = false
        let call = scene.call()
        let sent = call.cancel()
        #expect(sent.to(.alice).summaries == ["200 CANCEL", "487 INVITE"])
        call.acknowledgeRefusal(sent.last)
        #expect(scene.answerAll().isEmpty)
        scene.expectNothingLeft()
    }

    @Test("CANCEL before the callee has said anything: its INVITE is cancelled once it has")
    func cancelsBeforeRinging() {
        let scene = CallScene()
        let call = scene.call()
        let sent = call.cancel()
        #expect(sent.summaries == ["200 CANCEL", "487 INVITE"])
        call.acknowledgeRefusal(sent.last)
        let cancelled = scene.answer(call.leg, 180)
        #expect(cancelled.summaries == ["CANCEL"])
        scene.answer(cancelled.first, 200, tag: nil)
        #expect(scene.answer(call.leg, 487).summaries == ["ACK"])
        scene.expectNothingLeft()
    }

    @Test("CANCEL while it rings ends all legs; the application is told that the call was cancelled")
    func cancelsWhileRinging() {
        let scene = CallScene([.alice, .bob, .carol], [.dial(.client("bob", "carol"))])
        let call = scene.call()
        scene.answer(call.leg(at: .bob), 180)
        scene.answer(call.leg(at: .carol), 180, tag: "c1")
        let sent = call.cancel()
        #expect(sent.to(.alice).summaries == ["200 CANCEL", "487 INVITE"])
        #expect(sent.to(.bob).summaries == ["CANCEL"])
        #expect(sent.to(.carol).summaries == ["CANCEL"])
        for cancel in sent.requests("CANCEL") { scene.answer(cancel, 200, tag: nil) }
        scene.answer(call.leg(at: .bob), 487)
        scene.answer(call.leg(at: .carol), 487, tag: "c1")
        call.acknowledgeRefusal(sent.responses(487).first)
        scene.expectNothingLeft()
        let ends = scene.network.takeRecords().compactMap { change -> UInt16? in
            if case .callEnded(_, _, let status, _) = change { status } else { nil }
        }
        #expect(ends == [487, 487, 487])
    }

    @Test("A 200 that crosses the CANCEL gets ACK and BYE")
    func answerCrossesCancel() {
        let scene = CallScene()
        let call = scene.call()
        scene.answer(call.leg, 180)
        let sent = call.cancel()
        call.acknowledgeRefusal(sent.responses(487).first)
        scene.answer(sent.requests("CANCEL").first, 200, tag: nil)
        let crossed = scene.answer(call.leg, 200, body: CallScene.answer)
        #expect(crossed.summaries == ["ACK", "BYE"])
        #expect(crossed.allSatisfy { $0.flow == Device.bob.flow })
        let again = scene.answer(call.leg, 200, body: CallScene.answer)
        #expect(again.summaries == ["ACK"])
        scene.answer(crossed.last, 200)
        scene.expectNothingLeft()
    }

    @Test("A CANCEL that comes after the answer changes nothing")
    func cancelsTooLate() {
        let scene = CallScene()
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        #expect(call.cancel().summaries == ["200 CANCEL"])
        #expect(call.acknowledge(ok).isEmpty)
        let over = scene.send(call.request("BYE", after: ok))
        #expect(over.to(.bob).summaries == ["BYE"])
        scene.answer(over.to(.bob).first, 200)
        scene.expectNothingLeft()
    }

    @Test("Our 200 is repeated until its ACK comes, on a connection as well")
    func repeatsAnswer() {
        let scene = CallScene()
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        let repeated = scene.wait(milliseconds: 3_600)
        // T1, 2*T1, 4*T1.
        #expect(repeated.map(\.bytes) == [ok?.bytes, ok?.bytes, ok?.bytes].compactMap { $0 })
        call.acknowledge(ok)
        #expect(scene.wait(milliseconds: 40_000, step: 500).isEmpty)
        let over = scene.send(call.request("BYE", after: ok))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
    }

    @Test("A caller who never acknowledges is hung up, and the callee too (RFC 3261 13.3.1.4)")
    func neverAcknowledged() {
        let scene = CallScene()
        let call = scene.call()
        scene.answer(call.leg, 200, body: CallScene.answer)
        let sent = scene.wait(milliseconds: 33_000)
        #expect(sent.to(.alice).requests("BYE").count >= 1)
        #expect(sent.to(.bob).requests("BYE").count >= 1)
        for device in [Device.alice, .bob] { scene.answer(sent.to(device).requests("BYE").first, 200) }
        scene.expectNothingLeft()
        let closed = scene.network.takeRecords().contains {
            if case .callClosed(_, _, .acknowledgementMissing) = $0 { true } else { false }
        }
        #expect(closed)
    }

    @Test("BYEs that cross are both answered")
    func crossingHangUps() {
        let scene = CallScene()
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let first = scene.send(call.request("BYE", after: ok))
        #expect(first.to(.alice).summaries == ["200 BYE"])
        let second = scene.send(call.request("BYE", of: call.leg, from: .bob))
        #expect(second.to(.bob).summaries == ["200 BYE"])
        scene.answer(first.to(.bob).first, 200)
        scene.expectNothingLeft()
    }

    @Test("A BYE is answered 481 when its call is gone")
    func unknownDialog() {
        let scene = CallScene()
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let over = scene.send(call.request("BYE", after: ok))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
        let late = scene.send(call.request("BYE", sequence: 9, after: ok))
        #expect(late.summaries == ["481 BYE"])
    }

    @Test("A request with a wrong tag is not one of the call")
    func strangersRequest() {
        let scene = CallScene([.alice, .bob, .carol])
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        for (from, to) in [("from1", "guessed"), ("guessed", ok?.toTag ?? "")] {
            let forged = call.request("BYE", sequence: 7, after: ok).with {
                $0.device = .carol
                $0.fromTag = from
                $0.toTag = to
            }
            let sent = scene.send(forged)
            #expect(sent.requests("BYE").isEmpty)
            #expect(!sent.contains { $0.status == 200 })
        }
        let over = scene.send(call.request("BYE", after: ok))
        #expect(over.to(.bob).summaries == ["BYE"])
        scene.answer(over.to(.bob).first, 200)
        scene.expectNothingLeft()
    }

    @Test("A peer that knows nothing of the dialog any more ends the call (RFC 5057)", arguments: [481, 408])
    func deadDialog(status: Int) {
        let scene = CallScene()
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let info = scene.send(call.request("INFO", after: ok))
        #expect(info.to(.bob).summaries == ["INFO"])
        let dead = scene.answer(info.to(.bob).first, status)
        #expect(dead.to(.alice).contains { $0.status == status })
        #expect(dead.to(.alice).requests("BYE").count == 1)
        scene.answer(dead.to(.alice).requests("BYE").first, 200)
        for bye in dead.to(.bob).requests("BYE") { scene.answer(bye, 481) }
        scene.expectNothingLeft()
    }

    @Test("The API ends a call in each of its states")
    func completes() {
        for stage in 0..<3 {
            let scene = CallScene()
            if stage == 0 { scene.isAnswering = false }
            let call = scene.call()
            guard let number = scene.network.takeRecords().number else {
                Issue.record("there is no record")
                return
            }
            var ok: Sent?
            if stage == 2 {
                ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
                call.acknowledge(ok)
                let (result, sent) = scene.order(number, .cancel)
                guard case .alreadyAnswered = result else {
                    Issue.record("an answered call was cancelled")
                    return
                }
                #expect(sent.isEmpty)
            } else if stage == 1 {
                scene.answer(call.leg, 180)
            }
            let (result, sent) = scene.order(number, .complete)
            guard case .done = result else {
                Issue.record("the order is not carried out in stage \(stage)")
                return
            }
            if stage < 2 {
                #expect(sent.to(.alice).summaries == ["480 INVITE"])
                call.acknowledgeRefusal(sent.to(.alice).first)
            } else {
                #expect(sent.to(.alice).summaries == ["BYE"])
                #expect(sent.to(.bob).summaries == ["BYE"])
            }
            if stage == 1 {
                scene.answer(sent.requests("CANCEL").first, 200, tag: nil)
                scene.answer(call.leg, 487)
            }
            for bye in sent.requests("BYE") { scene.answer(bye, 200) }
            scene.expectNothingLeft()
            let (late, _) = scene.order(number, .complete)
            guard case .unknown = late else {
                Issue.record("a call that is over takes orders")
                return
            }
        }
    }

    @Test("The API sends a live call to another document")
    func redirects() {
        let scene = CallScene([.alice, .bob, .carol])
        scene.documents["http://app/other"] = [.dial(.client("carol"))]
        let call = scene.call()
        guard let number = scene.network.takeRecords().number else {
            Issue.record("there is no record")
            return
        }
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let (_, sent) = scene.order(number, .redirect(WebAddress("http://app/other")))
        #expect(sent.to(.bob).summaries == ["BYE"])
        #expect(sent.to(.carol).summaries == ["INVITE"])
        #expect(sent.to(.alice).isEmpty)
        scene.answer(sent.to(.bob).first, 200)
        scene.answer(sent.to(.carol).first, 486, tag: "c1")
        let over = scene.send(call.request("BYE", after: ok))
        #expect(over.to(.alice).first?.status != 0)
        scene.expectNothingLeft()
    }
}

extension [RecordChange] {
    /// The number of the first call that began.
    var number: RecordNumber? {
        for case .applicationCallStarted(let record) in self { return record.number }
        return nil
    }
}
