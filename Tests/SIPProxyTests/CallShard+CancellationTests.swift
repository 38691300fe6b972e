import Primitives
import Testing

@testable import SIPProxy

@Suite("CANCEL processing (RFC 3261 9.2 and 16.10)")
struct CancellationTests {
    let network = TestNetwork(.alice, .bob)

    @Test("16.10: CANCEL is answered 200 hop by hop, and goes to the branch that has a provisional response")
    func ringing() {
        let call = Call(network)
        network.answer(call.first, 180)
        let sent = network.send(call.invite.cancel)
        #expect(sent.summaries == ["200 CANCEL", "CANCEL"])
        #expect(sent.first?.flow == Device.alice.flow)
        let cancel = sent.last
        #expect(cancel?.flow == Device.bob.flow)
        #expect(cancel?.requestURI == call.first?.requestURI)
        #expect(cancel?.values("Via") == [call.first?["Via"] ?? ""])
        #expect(cancel?["CSeq"] == "1 CANCEL")
        #expect(cancel?["To"] == "<sip:bob@example.com>")
        #expect(network.answer(cancel, 200).isEmpty)
        let end = network.answer(call.first, 487)
        #expect(end.summaries == ["ACK", "487 INVITE"])
        #expect(end.last?.toTag == "to1")
        if let last = end.last { #expect(network.send(call.invite.acknowledgement(of: last)).isEmpty) }
        network.expectNothingLeft()
    }

    @Test("9.1: before any provisional response the CANCEL is held back until one comes")
    func heldBack() {
        let call = Call(network)
        #expect(network.send(call.invite.cancel).summaries == ["200 CANCEL"])
        #expect(network.wait(milliseconds: 600).summaries == ["INVITE"])
        #expect(network.answer(call.first, 100, tag: nil).summaries == ["CANCEL"])
        #expect(network.answer(call.first, 180).summaries == ["180 INVITE"])
        #expect(network.answer(call.first, 487).summaries == ["ACK", "487 INVITE"])
        network.expectNothingLeft()
    }

    @Test("9.1: a callee that never answers at all is given up by Timer B, and the caller gets 487")
    func silentCallee() {
        let call = Call(network)
        network.send(call.invite.cancel)
        let end = network.wait(milliseconds: 33_000).filter { !$0.isRequest }
        #expect(end.first?.summary == "487 INVITE")
        #expect(end.first?["Via"] == "\(call.invite.via)=5060;received=198.51.100.1")
        network.expectNothingLeft()
    }

    @Test("9.1: a callee that rings and ignores the CANCEL is given up after 64*T1, and the caller gets a whole 487")
    func ignoredCancel() {
        let call = Call(network)
        network.answer(call.first, 180)
        network.send(call.invite.cancel)
        network.wait(milliseconds: 31_000)
        // Neither a further ringing nor a repeated CANCEL prolongs it.
        network.answer(call.first, 180)
        network.send(call.invite.cancel)
        let end = network.wait(milliseconds: 2_000).filter { !$0.isRequest }
        #expect(end.first?.summary == "487 INVITE")
        #expect(end.first?["Via"] == "\(call.invite.via)=5060;received=198.51.100.1")
        #expect(end.first?["Call-ID"] == "call-1")
        #expect(end.first?["From"] == "<sip:alice@example.com>;tag=from1")
        #expect(end.first?.toTag?.isEmpty == false)
        network.expectNothingLeft()
    }

    @Test("9.2: CANCEL after the final response has no effect but its 200")
    func afterFinal() {
        let call = Call(network)
        network.answer(call.first, 200)
        #expect(network.send(call.invite.cancel).summaries == ["200 CANCEL"])
        let other = Call(network) {
            $0.callID = "2"
            $0.branch = "z9hG4bK2"
        }
        network.answer(other.first, 486)
        #expect(network.send(other.invite.cancel).summaries == ["200 CANCEL"])
        network.expectNothingLeft()
    }

    @Test("16.10: a 2xx that crosses the CANCEL is forwarded")
    func crossing() {
        let call = Call(network)
        network.answer(call.first, 180)
        network.send(call.invite.cancel)
        #expect(network.answer(call.first, 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }

    @Test("9.2: a repeated CANCEL gets the same answer and cancels nothing again")
    func repeated() {
        let call = Call(network)
        network.answer(call.first, 180)
        let first = network.send(call.invite.cancel)
        let second = network.send(call.invite.cancel)
        #expect(second.summaries == ["200 CANCEL"])
        #expect(second.first?.bytes == first.first?.bytes)
        network.expectNothingLeft()
    }

    @Test("16.10: a CANCEL without transaction is answered 481, also one for a request other than INVITE")
    func unknown() {
        #expect(network.send(Device.alice.request("INVITE", to: "bob").cancel).summaries == ["481 CANCEL"])
        network.expectStateless()
        let message = Device.alice.request("MESSAGE", to: "bob")
        network.sendSigned(message)
        #expect(network.send(message.cancel).summaries == ["481 CANCEL"])
        network.expectNothingLeft()
    }

    @Test("RFC 3326: the Reason of the caller's CANCEL is passed on")
    func reason() {
        let call = Call(network)
        network.answer(call.first, 180)
        let cancel = call.invite.cancel.with { $0.headers = ["Reason: SIP;cause=600;text=\"Busy Everywhere\""] }
        #expect(network.send(cancel).last?["Reason"] == "SIP;cause=600;text=\"Busy Everywhere\"")
        network.expectNothingLeft()
    }

    @Test("16.10: CANCEL ends all branches, and no waiting target is tried")
    func forked() {
        network.register(.bobsDesk)
        network.register(.bobsLaptop, q: "0.1")
        let call = Call(network)
        network.answer(call.at(.bob), 180)
        #expect(network.send(call.invite.cancel).summaries == ["200 CANCEL", "CANCEL"])
        #expect(network.answer(call.at(.bob), 487).summaries == ["ACK"])
        #expect(network.answer(call.at(.bobsDesk), 486).summaries == ["ACK", "487 INVITE"])
        network.expectNothingLeft()
    }

    @Test("16.7 step 6: a 6xx that crosses the CANCEL is what the caller gets, any other failure becomes 487")
    func failureAfterCancel() {
        for (number, (status, told)) in [(603, 603), (486, 487), (500, 487), (404, 487)].enumerated() {
            let call = Call(network) {
                $0.callID = "\(number)"
                $0.branch = "z9hG4bK\(number)"
            }
            network.answer(call.first, 180)
            network.send(call.invite.cancel)
            #expect(network.answer(call.first, status).summaries == ["ACK", "\(told) INVITE"])
        }
        network.expectNothingLeft()
    }

    @Test("9.1: CANCEL keeps the Route of its INVITE")
    func route() {
        network.register(.bobsDesk, headers: ["Path: <sip:203.0.113.5:5062;lr>", "Supported: path"])
        let call = Call(network)
        guard let desk = call.forwarded.first(where: { !$0["Route"].isEmpty }) else { return }
        network.answer(desk, 180)
        let cancel = network.send(call.invite.cancel).requests("CANCEL").first
        #expect(cancel?["Route"] == "<sip:203.0.113.5:5062;lr>")
        #expect(cancel?.flow == desk.flow)
        network.expectNothingLeft()
    }

    @Test("17.1.2: CANCEL is repeated by Timer E until it is answered, and not at all over TCP")
    func retransmission() {
        let call = Call(network)
        network.answer(call.first, 180)
        let cancel = network.send(call.invite.cancel).last
        #expect(network.wait(milliseconds: 1_600).summaries == ["CANCEL", "CANCEL"])
        network.answer(cancel, 200)
        #expect(network.wait(milliseconds: 5_000).isEmpty)
        network.expectNothingLeft()
        network.register(.carol)
        let stream = Call(network, to: "carol") { $0.callID = "2" }
        network.answer(stream.first, 180)
        #expect(network.send(stream.invite.cancel).requests("CANCEL").first?.flow == Device.carol.flow)
        #expect(network.wait(milliseconds: 20_000).isEmpty)
        network.expectNothingLeft()
    }

    @Test("17.2.3: the INVITE of an old client is cancelled by the rules of RFC 2543")
    func oldBranch() {
        let call = Call(network) { $0.branch = "1" }
        network.answer(call.first, 180)
        #expect(network.send(call.invite.cancel).summaries == ["200 CANCEL", "CANCEL"])
        #expect(network.send(call.invite).summaries == ["180 INVITE"])
        let end = network.answer(call.first, 487).last
        if let end { #expect(network.send(call.invite.acknowledgement(of: end)).isEmpty) }
        #expect(network.wait(milliseconds: 3_000).requests("INVITE").isEmpty)
        network.expectNothingLeft()
    }
}

@Suite("Timer C (RFC 3261 16.6 step 11 and 16.8)")
struct TimerCTests {
    let network = TestNetwork(.alice, .bob)

    @Test("16.8: a call that rings for longer than Timer C is cancelled, and its 487 becomes 408 for the caller")
    func ringingTooLong() {
        let call = Call(network)
        network.answer(call.first, 180)
        #expect(network.wait(milliseconds: 180_500, step: 500).isEmpty)
        let cancel = network.wait(milliseconds: 1_000)
        #expect(cancel.requests("CANCEL").first?["Reason"].hasPrefix("SIP;cause=408") == true)
        let end = network.answer(call.first, 487)
        #expect(end.summaries == ["ACK", "408 INVITE"])
        #expect(end.last?["Warning"].contains("R-1407") == true)
        network.expectNothingLeft()
    }

    @Test("16.7 step 2: each provisional response but 100 starts Timer C anew")
    func restarted() {
        let call = Call(network)
        network.answer(call.first, 180)
        network.wait(milliseconds: 170_000, step: 1000)
        network.answer(call.first, 183)
        #expect(network.wait(milliseconds: 170_000, step: 1000).isEmpty)
        network.answer(call.first, 100)
        #expect(network.wait(milliseconds: 12_000, step: 1000).summaries.first == "CANCEL")
        network.expectNothingLeft()
    }

    @Test("16.8: a callee that rings on after Timer C and our CANCEL is given up, and the caller gets a whole 408")
    func ringingOn() {
        let call = Call(network)
        network.answer(call.first, 180)
        network.wait(milliseconds: 182_000, step: 1000)
        for _ in 0..<3 {
            network.answer(call.first, 180)
            network.wait(milliseconds: 10_000, step: 500)
        }
        let end = network.wait(milliseconds: 5_000, step: 500).to(.alice)
        #expect(end.first?.summary == "408 INVITE")
        #expect(end.first?["Call-ID"] == "call-1")
        #expect(end.first?.values("Via").count == 1)
        network.expectNothingLeft()
    }

    @Test("16.8: the end of Timer C after one branch has succeeded only clears the others away")
    func afterSuccess() {
        network.register(.bobsDesk)
        let call = Call(network)
        network.answer(call.at(.bob), 180)
        network.answer(call.at(.bobsDesk), 180)
        network.answer(call.at(.bob), 200, tag: "a")
        // The desk rings on for ever.
        for _ in 0..<4 {
            network.wait(milliseconds: 10_000, step: 500)
            #expect(network.answer(call.at(.bobsDesk), 180).isEmpty)
        }
        #expect(network.isIdle, "\(network.server.tableSizes)")
    }
}
