import Primitives
import Testing

@testable import SIPProxy

@Suite("Route information (RFC 3261 16.4) and requests within a dialog")
struct DialogForwardingTests {
    let network = TestNetwork(.alice, .bob, .carol)

    @Test("16.4: our own Route values are removed, on one line or on several")
    func ownRoutes() {
        let request = Device.alice.request("MESSAGE", to: "bob").with {
            $0.headers = ["Route: <sip:192.0.2.1:5060;lr>,<sip:192.0.2.1:5080;lr>", "Route: <sip:example.com;lr>"]
        }
        #expect(network.sendSigned(request).first?.values("Route") == [])
        network.expectNothingLeft()
    }

    @Test("A request along the token goes to the other party without a challenge, its Request-URI unchanged")
    func inDialog() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let bye = network.send(call.fromCaller("BYE", after: ok))
        #expect(bye.summaries == ["BYE"])
        #expect(bye.first?.flow == Device.bob.flow)
        #expect(bye.first?.requestURI == "sip:callee@10.1.1.1:5060")
        #expect(bye.first?.values("Route") == [])
        #expect(bye.first?.values("Record-Route") == [])
        let back = network.send(call.fromCallee("INFO", .bob, after: call.first))
        #expect(back.summaries == ["INFO"])
        #expect(back.first?.flow == Device.alice.flow)
        #expect(network.answer(back.first, 200).summaries == ["200 INFO"])
        network.expectNothingLeft()
    }

    @Test("A route beyond ours stays, and the request still goes to the other party")
    func furtherRoutes() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let bye = network.send(
            call.fromCaller("BYE", after: ok).with { $0.headers.append("Route: <sip:203.0.113.5;lr>") })
        #expect(bye.first?.values("Route") == ["<sip:203.0.113.5;lr>"])
        #expect(bye.first?.flow == Device.bob.flow)
        network.expectNothingLeft()
    }

    @Test("Both Record-Routes of a call between UDP and TCP lead back to the right flow from both sides")
    func doubleRoute() {
        let call = Call(network, to: "carol")
        #expect(call.first?.flow == Device.carol.flow)
        let ok = network.answer(call.first, 200).first
        let bye = network.send(call.fromCaller("BYE", after: ok))
        #expect(bye.first?.flow == Device.carol.flow)
        #expect(bye.first?.values("Route") == [])
        let back = network.send(call.fromCallee("BYE", .carol, after: call.first))
        #expect(back.first?.flow == Device.alice.flow)
        #expect(back.first?.values("Route") == [])
        network.expectNothingLeft()
    }

    @Test("16.4: behind a strict router the last Route value becomes the Request-URI again")
    func strictRoute() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let route = ok?["Record-Route"].dropFirst().dropLast() ?? ""
        let bye = network.send(
            call.fromCaller("BYE", after: ok).with {
                $0.requestURI = String(route)
                $0.headers = ["Route: <sip:203.0.113.5;lr>, <sip:callee@10.1.1.1:5060>"]
            })
        #expect(bye.first?.requestURI == "sip:callee@10.1.1.1:5060")
        #expect(bye.first?.values("Route") == ["<sip:203.0.113.5;lr>"])
        #expect(bye.first?.flow == Device.bob.flow)
        network.expectNothingLeft()
    }

    @Test("What is left of a line of many routes is one line still, so that no message outgrows the table (fuzzing)")
    func manyRoutes() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let others = (0..<200).map { "<sip:203.0.113.5:\($0 + 6000);lr>" }.joined(separator: ", ")
        let bye = network.send(
            call.fromCaller("BYE", after: ok).with { $0.headers = ["\($0.headers.first ?? ""), \(others)"] })
        #expect(bye.first?.values("Route") == [others])
        network.expectNothingLeft()
    }

    @Test("16.4: a Request-URI that is our own route, with no Route to take its place, stays")
    func strictRouteWithoutTarget() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let route = String(ok?["Record-Route"].dropFirst().dropLast() ?? "")
        let bye = network.send(
            call.fromCaller("BYE", after: ok).with {
                $0.requestURI = route
                $0.headers = []
            })
        #expect(bye.first?.requestURI == route)
        #expect(bye.first?.flow == Device.bob.flow)
        network.expectNothingLeft()
    }

    @Test("A token that was changed, or belongs to another call, proves nothing")
    func forgedToken() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let bye = call.fromCaller("BYE", after: ok)
        #expect(network.send(bye.with { $0.callID = "another" }).summaries == ["407 BYE"])
        let route = bye.headers.first ?? ""
        let changed = "Route: <sip:rcB" + route.dropFirst(15)
        #expect(changed != route)
        #expect(network.send(bye.with { $0.headers = [changed] }).summaries == ["407 BYE"])
        network.expectNothingLeft()
    }

    @Test("Tags that the token does not know are answered 481")
    func otherTags() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let bye = call.fromCaller("BYE", after: ok).with { $0.fromTag = "stranger" }
        #expect(network.send(bye).summaries == ["481 BYE"])
        network.expectNothingLeft()
    }

    @Test(
        "13.2.2.4 and 16.11: the ACK for a 2xx goes along the token without state, each repetition with the same branch"
    )
    func acknowledgement() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let before = network.server.tableSizes
        let ack = network.send(call.fromCaller("ACK", after: ok))
        #expect(ack.summaries == ["ACK"])
        #expect(ack.first?.flow == Device.bob.flow)
        #expect(ack.first?["Max-Forwards"] == "69")
        #expect(network.send(call.fromCaller("ACK", after: ok)).first?.branch == ack.first?.branch)
        #expect(network.server.tableSizes == before)
        #expect(network.send(call.fromCaller("ACK", after: ok).with { $0.maxForwards = "0" }).isEmpty)
        network.expectNothingLeft()
    }

    @Test("An ACK from a stranger is absorbed")
    func strangersAcknowledgement() {
        #expect(network.send(Device.carol.request("ACK", to: "bob").with { $0.toTag = "x" }).isEmpty)
        network.expectStateless()
    }

    @Test("A re-INVITE is a call like the first, from either side")
    func reinvite() {
        let call = Call(network)
        network.answer(call.first, 200)
        let again = network.send(call.fromCallee("INVITE", .bob, after: call.first))
        #expect(again.summaries == ["100 INVITE", "INVITE"])
        #expect(again.first?.flow == Device.bob.flow)
        #expect(again.last?.flow == Device.alice.flow)
        #expect(network.answer(again.last, 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }
}
