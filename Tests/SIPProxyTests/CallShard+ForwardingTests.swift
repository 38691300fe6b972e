import Primitives
import Testing

@testable import SIPProxy

@Suite("Request forwarding (RFC 3261 16.6)")
struct ForwardingTests {
    let network = TestNetwork(.alice, .bob, .carol)

    private func forwarded(_ change: (inout Request) -> Void = { _ in }) -> Sent? { Call(network, change).first }

    @Test("16.6 step 1: what we do not know goes on as it came, the body byte for byte")
    func copy() {
        let body = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n\r\n\u{0}\u{7f}\u{e9} the end"
        let invite = forwarded {
            $0.headers = ["X-Unknown:  as  it came ", "s: short", "Supported: timer,\r\n 100rel"]
            $0.body = body
        }
        #expect(
            invite?.text.contains("X-Unknown:  as  it came \r\ns: short\r\nSupported: timer,\r\n 100rel\r\n") == true)
        #expect(invite?.bytes.suffix(body.utf8.count) == ArraySlice(body.utf8))
        network.expectNothingLeft()
    }

    @Test("16.6 step 2: the Request-URI is the contact as it was registered")
    func requestURI() {
        network.register(.bobsDesk, contact: "sip:bob@10.0.0.7:5062;ob;x=y")
        let call = Call(network)
        #expect(call.at(.bobsDesk)?.requestURI == "sip:bob@10.0.0.7:5062;ob;x=y")
        #expect(call.at(.bob)?.requestURI == Device.bob.contact)
        network.expectNothingLeft()
    }

    @Test("16.6 step 3: Max-Forwards is one less, and 70 where there was none")
    func maxForwards() {
        #expect(forwarded { $0.maxForwards = "7" }?.values("Max-Forwards") == ["6"])
        #expect(
            forwarded {
                $0.maxForwards = nil
                $0.callID = "2"
                $0.branch = "z9hG4bK2"
            }?.values("Max-Forwards") == ["70"])
        network.expectNothingLeft()
    }

    @Test("16.6 step 4: Record-Route names the listener, once when both parties use the same one")
    func recordRoute() {
        let values = forwarded()?.values("Record-Route") ?? []
        #expect(values.count == 1)
        #expect(values.first?.hasPrefix("<sip:rc") == true)
        #expect(values.first?.hasSuffix("@192.0.2.1:5060;lr>") == true)
        network.expectNothingLeft()
    }

    @Test("16.6 step 4 and RFC 5658: two Record-Routes where the transports differ, the callee's on top")
    func doubleRecordRoute() {
        let values = Call(network, to: "carol").first?.values("Record-Route") ?? []
        #expect(values.count == 2)
        #expect(values.first?.hasSuffix("@192.0.2.1:5060;transport=tcp;lr>") == true)
        #expect(values.last?.hasSuffix("@192.0.2.1:5060;lr>") == true)
        network.expectNothingLeft()
    }

    @Test("16.6 step 4: Record-Route stands above those of earlier proxies")
    func recordRouteOrder() {
        let values = forwarded { $0.headers = ["Record-Route: <sip:192.0.2.99;lr>"] }?.values("Record-Route") ?? []
        #expect(values.count == 2)
        #expect(values.last == "<sip:192.0.2.99;lr>")
        network.expectNothingLeft()
    }

    @Test(
        "16.6 step 4: only a request that can begin a dialog records the route",
        arguments: [("SUBSCRIBE", 1), ("REFER", 1), ("MESSAGE", 0), ("OPTIONS", 0), ("PUBLISH", 0), ("FOO", 0)])
    func recordRouteMethods(_ method: String, _ count: Int) {
        let sent = network.sendSigned(Device.alice.request(method, to: "bob"))
        #expect(sent.summaries == [method])
        #expect(sent.first?.values("Record-Route").count == count)
        network.expectNothingLeft()
    }

    @Test("16.6 step 6 and RFC 3327 5.3: Path becomes Route, and the request goes to its first address")
    func path() {
        network.register(
            .bobsDesk, headers: ["Path: <sip:203.0.113.5:5062;lr>, <sip:203.0.113.6;lr>", "Supported: path"])
        let call = Call(network)
        let desk = call.forwarded.first { $0.flow.remote == Device.socket("203.0.113.5", 5062) }
        #expect(desk?["Route"] == "<sip:203.0.113.5:5062;lr>, <sip:203.0.113.6;lr>")
        #expect(desk?.requestURI == Device.bobsDesk.contact)
        network.expectNothingLeft()
    }

    @Test("16.6 step 8: our Via is on top with rport and a branch of its own for each target")
    func via() {
        network.register(.bobsDesk)
        let call = Call(network)
        #expect(call.forwarded.allSatisfy { $0["Via"].hasPrefix("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK") })
        #expect(Set(call.forwarded.map(\.branch)).count == 2)
        #expect(call.forwarded.allSatisfy { $0.values("Via").count == 2 })
        network.expectNothingLeft()
    }

    @Test("16.6 step 8: Via names the transport and the listener that the request leaves by")
    func viaOfOtherTransports() {
        let six = Device("dave", "2001:db8::7", listener: 3)
        network.register(six)
        #expect(Call(network, to: "carol").first?["Via"].hasPrefix("SIP/2.0/TCP 192.0.2.1:5060;") == true)
        let call = Call(network, to: "dave") {
            $0.callID = "2"
            $0.branch = "z9hG4bK2"
        }
        #expect(call.first?["Via"].hasPrefix("SIP/2.0/UDP [2001:db8::1]:5060;") == true)
        #expect(call.first?.flow == six.flow)
        network.expectNothingLeft()
    }

    @Test("18.2.1 and RFC 3581: received and rport are put into the sender's Via, and what it wrote there is replaced")
    func received() {
        let patched = forwarded { $0.viaParameters = ";received=10.9.9.9;rport=1;x" }?.values("Via").last
        #expect(patched == "SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK-INVITE-1;rport=5060;x;received=198.51.100.1")
        network.expectNothingLeft()
    }

    @Test("16.6 step 9: Content-Length is added where it is missing")
    func contentLength() {
        let invite = forwarded {
            $0.hasContentLength = false
            $0.body = "v=0\r\n"
        }
        #expect(invite?.values("Content-Length") == ["5"])
        #expect(invite?.body == "v=0\r\n")
        network.expectNothingLeft()
    }

    @Test("22.3: credentials of our realm go no further, those for others do")
    func credentials() {
        let other =
            "Proxy-Authorization: Digest username=\"x\", realm=\"other.example\", nonce=\"n\", uri=\"sip:bob@example.com\", response=\"\(String(repeating: "0", count: 32))\""
        let invite = forwarded {
            $0.headers = [
                other,
                "Authorization: Digest username=\"alice\", realm=\"bob\", nonce=\"n\", uri=\"u\", response=\"r\"",
            ]
        }
        #expect(invite?.values("Proxy-Authorization") == [String(other.dropFirst(21))])
        #expect(invite?.values("Authorization").count == 1)
        network.expectNothingLeft()
    }

    @Test("16.6: what follows Content-Length in a datagram is left out (18.3)")
    func trailing() {
        let request = network.signed(Device.alice.request("MESSAGE", to: "bob").with { $0.body = "hello" })
        let sent = network.send(request.text + "garbage", from: Device.alice.flow)
        #expect(sent.first?.body == "hello")
        network.expectNothingLeft()
    }
}

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
