import Primitives
import SIPRegistrar
import Testing

@testable import SIPProxy

@Suite("Request validation (RFC 3261 16.3) and who may call whom")
struct ValidationTests {
    let network = TestNetwork(.alice, .bob)

    /// The one answer to a request that is refused without state.
    private func refusal(
        _ request: Request, isSigned: Bool = true, _ location: SourceLocation = #_sourceLocation
    ) -> Sent? {
        let sent = isSigned ? network.sendSigned(request) : network.send(request)
        #expect(sent.count == 1, sourceLocation: location)
        // A refusal of an authenticated request has a transaction, any other has not.
        if isSigned { network.expectNothingLeft(location) } else { network.expectStateless(location) }
        return sent.first
    }

    private let invite = Device.alice.request("INVITE", to: "bob")

    @Test("16.3 step 1: a malformed request is answered 400 with its fault")
    func malformed() {
        let answer = refusal(invite.with { $0.maxForwards = "many" }, isSigned: false)
        #expect(answer?.startLine == "SIP/2.0 400 Malformed Max-Forwards")
        #expect(answer?["Via"] == "\(invite.via)=5060;received=198.51.100.1")
        #expect(
            network.send(
                "INVITE sip:bob@example.com SIP/3.0\r\nVia: \(invite.via)\r\nCSeq: 1 INVITE\r\n\r\n",
                from: Device.alice.flow
            ).first?.status == 505)
        #expect(network.send("nonsense\r\n\r\n", from: Device.alice.flow).isEmpty)
    }

    @Test("16.3 step 1: a body shorter than Content-Length is answered 400")
    func shortBody() { #expect(refusal(invite.with { $0.contentLength = "10" }, isSigned: false)?.status == 400) }

    @Test(
        "16.3 step 2: a scheme that we do not route is answered 416",
        arguments: ["sips:bob@example.com", "mailto:bob@example.com"])
    func scheme(_ uri: String) {
        #expect(refusal(invite.with { $0.requestURI = uri }, isSigned: false)?.status == 416)
    }

    @Test(
        "16.3 step 2: a Request-URI that cannot be read is answered 400",
        arguments: ["sip:bob@", "sip:bob@example.com?a=b", "tel:xyz"])
    func requestURI(_ uri: String) {
        #expect(refusal(invite.with { $0.requestURI = uri }, isSigned: false)?.status == 400)
    }

    @Test("16.3 step 3: Max-Forwards 0 is answered 483")
    func tooManyHops() {
        #expect(refusal(invite.with { $0.maxForwards = "0" }, isSigned: false)?.status == 483)
    }

    @Test("16.3 step 3 and 11.2: OPTIONS with Max-Forwards 0 to the server is answered with what it can")
    func options() {
        let answer = refusal(
            Device.alice.request("OPTIONS", to: "sip:example.com").with { $0.maxForwards = "0" }, isSigned: false)
        #expect(answer?.status == 200)
        #expect(answer?["Allow"].contains("INVITE") == true)
        #expect(answer?["Supported"] == "path, outbound")
    }

    @Test("8.2.2.3: OPTIONS to the server that requires an unknown extension is answered 420 with it in Unsupported")
    func optionsWithRequire() {
        let request = Device.alice.request("OPTIONS", to: "sip:example.com")
        let answer = refusal(request.with { $0.headers.append("Require: path, foo") }, isSigned: false)
        #expect(answer?.status == 420)
        #expect(answer?["Unsupported"] == "foo")
        #expect(refusal(request.with { $0.headers.append("Require: path") }, isSigned: false)?.status == 200)
    }

    @Test("A request other than OPTIONS to the server itself is answered 405 with Allow")
    func ownRequest() {
        let answer = refusal(Device.alice.request("MESSAGE", to: "sip:example.com"), isSigned: false)
        #expect(answer?.status == 405)
        #expect(answer?["Allow"].contains("MESSAGE") == true)
    }

    @Test("16.3 step 4: a request that comes back the same is answered 482, one that was changed goes on")
    func loop() {
        let call = Call(network)
        guard let via = call.first?["Via"] else { return }
        let again = call.invite.with {
            $0.lowerVias = [via]
            $0.branch = "z9hG4bK-again"
            $0.headers = []
        }
        #expect(network.sendSigned(again).summaries == ["482 INVITE"])
        // RFC 5393: a spiral is no loop; what decides the way has changed.
        let spiral = again.with { $0.requestURI = "sip:%62ob@example.com" }
        #expect(network.sendSigned(spiral).summaries == ["100 INVITE", "INVITE"])
    }

    @Test("16.3 step 5: Proxy-Require is answered 420, and Unsupported names each extension")
    func proxyRequire() {
        let answer = refusal(
            invite.with { $0.headers = ["Proxy-Require: foo, bar", "Proxy-Require: path"] }, isSigned: false)
        #expect(answer?.status == 420)
        #expect(answer?["Unsupported"] == "foo, bar, path")
    }

    @Test("RFC 5393 5.3.3.1: Max-Breadth 0 is answered 440")
    func maxBreadth() {
        #expect(refusal(invite.with { $0.headers = ["Max-Breadth: 0"] }, isSigned: false)?.status == 440)
    }

    @Test("16.3 step 6 and 22.3: a request without credentials is challenged with 407, and no state is kept (8.2.7)")
    func challenge() {
        let answer = refusal(invite, isSigned: false)
        #expect(answer?.status == 407)
        #expect(answer?["Proxy-Authenticate"].hasPrefix("Digest realm=\"example.com\"") == true)
        #expect(network.send(invite).first?.toTag == answer?.toTag)
        // The ACK for it is absorbed.
        if let answer { #expect(network.send(invite.acknowledgement(of: answer)).isEmpty) }
        network.expectStateless()
    }

    @Test("A wrong password is challenged again and nothing is forwarded")
    func wrongPassword() {
        let sent = network.send(network.signed(invite, password: "wrong"))
        #expect(sent.summaries == ["407 INVITE"])
        network.expectStateless()
    }

    @Test("Nobody acts as another: a From user other than the login is answered 403")
    func identity() {
        let answer = refusal(invite.with { $0.fromUser = "carol" })
        #expect(answer?.status == 403)
        #expect(answer?["Warning"].contains("R-1112") == true)
    }

    @Test("A caller that is not registered is answered 403 with a Warning that says so")
    func callerNotRegistered() {
        let answer = refusal(Device.carol.request("INVITE", to: "bob"))
        #expect(answer?.status == 403)
        #expect(answer?["Warning"].contains("R-1301") == true)
    }

    @Test("A callee that nobody knows is answered 404, one without a device 480, a foreign one 404")
    func callees() {
        #expect(refusal(Device.alice.request("INVITE", to: "nobody"))?["Warning"].contains("R-1302") == true)
        #expect(refusal(Device.alice.request("INVITE", to: "nobody"))?.status == 404)
        #expect(refusal(Device.alice.request("INVITE", to: "carol"))?.status == 480)
        #expect(refusal(Device.alice.request("INVITE", to: "sip:bob@elsewhere.example"))?.status == 404)
        #expect(refusal(Device.alice.request("INVITE", to: "tel:+15551234"))?.status == 404)
    }

    @Test("8.2.7, 17.2.1: a refusal of an authenticated INVITE is repeated as it was, until its ACK comes")
    func refusalIsRepeated() {
        let request = Device.alice.request("INVITE", to: "carol")
        let first = network.sendSigned(request)
        #expect(first.summaries == ["480 INVITE"])
        network.wait(milliseconds: 500, step: 10)
        #expect(network.server.tableSizes.transactions == 1)
        network.expectNothingLeft()
    }

    @Test("A client that is disabled is neither called nor may it call, and looks like one without a device")
    func disabled() {
        "bob".withSlice { _ = network.location.setEnabled(false, $0) }
        #expect(refusal(invite)?.status == 480)
        #expect(refusal(Device.bob.request("INVITE", to: "alice"))?.status == 407)
    }

    @Test("16.4: a Route that leads elsewhere is refused with 403")
    func routeElsewhere() {
        let answer = refusal(invite.with { $0.headers = ["Route: <sip:192.0.2.1;lr>, <sip:203.0.113.9;lr>"] })
        #expect(answer?.status == 403)
        #expect(answer?["Warning"].contains("R-1305") == true)
    }

    @Test(
        "16.4: a Route that cannot be read is refused like one that leads elsewhere",
        arguments: ["nonsense", "<tel:+1>", "<sip:192.0.2.1;lr>,,"])
    func unreadableRoute(_ route: String) {
        #expect(refusal(invite.with { $0.headers = ["Route: \(route)"] })?.status == 403)
    }

    @Test("A request within a dialog without its route token is challenged like any other")
    func inDialogWithoutToken() {
        let bye = Device.alice.request("BYE", to: "bob").with { $0.toTag = "to1" }
        #expect(refusal(bye, isSigned: false)?.status == 407)
    }

    @Test("A listener that does not exist is no source of requests")
    func unknownListener() {
        var flow = Device.alice.flow
        flow.listener = 99
        #expect(network.send(invite.text, from: flow).isEmpty)
    }

    @Test("A message over the limits is answered 513 or 400")
    func limits() {
        let small = TestNetwork(.alice, .bob) {
            $0.messageSize = 1500
            $0.headerCount = 20
        }
        #expect(small.send(invite.with { $0.body = String(repeating: "x", count: 2000) }).first?.status == 513)
        let many = invite.with { $0.headers = (0..<30).map { "X-\($0): y" } }
        #expect(small.send(many).first?.status == 400)
        small.expectStateless()
    }
}

@Suite("Targets (RFC 3261 16.5) and forking (16.6)")
struct TargetTests {
    @Test("16.6: contacts of the same q are tried at once, a lower q when all of the higher have failed")
    func groups() {
        let network = TestNetwork(.alice)
        network.register(.bob, q: "0.5")
        network.register(.bobsDesk, q: "0.5")
        network.register(.bobsLaptop, q: "0.2")
        let call = Call(network)
        #expect(Set(call.forwarded.map(\.flow)) == [Device.bob.flow, Device.bobsDesk.flow])
        #expect(network.answer(call.at(.bob), 486).summaries == ["ACK"])
        let next = network.answer(call.at(.bobsDesk), 404)
        #expect(next.summaries == ["ACK", "INVITE"])
        #expect(next.last?.flow == Device.bobsLaptop.flow)
        #expect(next.last?.body == call.invite.body)
        #expect(next.last?["Proxy-Authorization"] == "")
        #expect(next.last?.values("Via").count == 2)
        #expect(next.last?.values("Via").last?.hasSuffix(";rport=5060;received=198.51.100.1") == true)
        let last = network.answer(next.last, 200, tag: "laptop")
        #expect(last.summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }

    @Test("At most maxForks contacts are tried, the preferred ones")
    func maxForks() {
        let network = TestNetwork(.alice) { $0.maxForks = 2 }
        network.register(.bob, q: "0.1")
        network.register(.bobsDesk)
        network.register(.bobsLaptop)
        #expect(Set(Call(network).forwarded.map(\.flow)) == [Device.bobsDesk.flow, Device.bobsLaptop.flow])
        network.expectNothingLeft()
    }

    @Test("RFC 5393 5.3.3: Max-Breadth is shared among the branches, and none is written without a fork")
    func breadth() {
        let network = TestNetwork(.alice, .bob)
        #expect(Call(network).first?.values("Max-Breadth") == [])
        network.register(.bobsDesk)
        network.register(.bobsLaptop)
        let forked = Call(network) {
            $0.branch = "z9hG4bK-2"
            $0.callID = "call-2"
        }
        #expect(forked.forwarded.map { $0["Max-Breadth"] } == ["20", "20", "20"])
        let narrow = Call(network) {
            $0.branch = "z9hG4bK-3"
            $0.callID = "call-3"
            $0.headers = ["Max-Breadth: 2"]
        }
        #expect(narrow.forwarded.map { $0.values("Max-Breadth") } == [["1"], ["1"]])
        // The third waits until both have failed.
        network.answer(narrow.forwarded[0], 480)
        #expect(network.answer(narrow.forwarded[1], 480).summaries == ["ACK", "INVITE"])
        network.expectNothingLeft()
    }

    @Test("A binding that has expired is not called")
    func expired() {
        let network = TestNetwork(.bob)
        network.wait(milliseconds: 3_000_000, step: 100_000)
        network.register(.alice)
        network.wait(milliseconds: 700_000, step: 100_000)
        #expect(network.sendSigned(Device.alice.request("INVITE", to: "bob")).summaries == ["480 INVITE"])
        network.expectNothingLeft()
    }

    @Test("The user of a Request-URI is found however it is escaped, and a telephone number by its digits")
    func users() {
        let network = TestNetwork(.alice)
        network.add("+15551234", id: 9)
        network.register(Device("+15551234", "198.51.100.9"))
        let message = Device.alice.request("MESSAGE", to: "sip:%2B15551234@example.com")
        #expect(network.sendSigned(message).summaries == ["MESSAGE"])
        let tel = message.with {
            $0.requestURI = "tel:+1-(555).1234"
            $0.branch = "z9hG4bK-tel"
        }
        #expect(network.sendSigned(tel).summaries == ["MESSAGE"])
        network.expectNothingLeft()
    }
}
