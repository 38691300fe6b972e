import Primitives
import Testing

@testable import SIPProxy

@Suite("Transport errors (RFC 3261 16.9)")
struct TransportFailureTests {
    let network = TestNetwork(.alice, .bob)

    @Test("16.9: an INVITE that cannot be sent is as one answered 503, which the caller gets as 500 (16.7 step 6)")
    func sendFailed() {
        let call = Call(network)
        let sent = network.fail(call.first)
        #expect(sent.summaries == ["500 INVITE"])
        #expect(sent.first?["Warning"].contains("R-1402") == true)
        #expect(sent.first?.values("Via").count == 1)
        #expect(network.fail(call.first).isEmpty)
        network.expectNothingLeft()
    }

    @Test("16.9: the next target is tried after one that cannot be reached")
    func nextTarget() {
        network.register(.bobsDesk, q: "0.1")
        let call = Call(network)
        let next = network.fail(call.first)
        #expect(next.summaries == ["INVITE"])
        #expect(next.first?.flow == Device.bobsDesk.flow)
        #expect(network.answer(next.first, 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }

    @Test("16.9: one branch that fails leaves the others alone")
    func oneOfTwo() {
        network.register(.bobsDesk)
        let call = Call(network)
        #expect(network.fail(call.at(.bob)).isEmpty)
        #expect(network.answer(call.at(.bobsDesk), 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }

    @Test("18.4: a datagram of ours that comes back as unreachable fails its branch, also when only its head is there")
    func unreachable() {
        let call = Call(network)
        #expect(network.bounce(call.first, length: 350).summaries == ["500 INVITE"])
        let message = network.sendSigned(Device.alice.request("MESSAGE", to: "bob").with { $0.callID = "2" })
        #expect(network.bounce(message.first).summaries == ["500 MESSAGE"])
        for length in 0..<300 { network.bounce(message.first, length: length) }
        network.expectNothingLeft()
    }

    @Test("18.4: what comes back later than a response changes nothing, nor does a CANCEL or an ACK")
    func late() {
        let call = Call(network)
        network.answer(call.first, 180)
        #expect(network.bounce(call.first).isEmpty)
        let cancel = network.send(call.invite.cancel).requests("CANCEL").first
        #expect(network.bounce(cancel).isEmpty)
        let end = network.answer(call.first, 487)
        #expect(end.summaries == ["ACK", "487 INVITE"])
        #expect(network.bounce(end.first).isEmpty)
        network.expectNothingLeft()
    }

    @Test("16.9: a request in a dialog that cannot be sent is answered 430 (RFC 5626 5.3)")
    func inDialog() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let bye = network.send(call.fromCaller("BYE", after: ok))
        #expect(network.fail(bye.first).summaries == ["430 BYE"])
        network.expectNothingLeft()
    }

    @Test("An origin that was never given, or is long gone, is ignored")
    func wrongOrigin() {
        let call = Call(network)
        for origin in [0, 1, UInt64.max, (call.first?.origin ?? 0) ^ 1, (call.first?.origin ?? 0) ^ 1 << 60] {
            #expect(network.fail(Sent(flow: Device.bob.flow, bytes: [], origin: origin)).isEmpty)
        }
        #expect(network.answer(call.first, 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }
}
