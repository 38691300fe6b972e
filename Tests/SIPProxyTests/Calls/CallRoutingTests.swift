import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// Where a call goes: own application, client, number, gateway, nowhere.
@Suite struct CallRoutingTests {
    /// A gateway at 203.0.113.9 for numbers with a `+`.
    static func gateway(inbound: [String] = []) -> Gateway {
        var gateway = Gateway(name: Array("trunk".utf8), uri: Array("sip:203.0.113.9".utf8))
        gateway.user = Array("trunk-user".utf8)
        gateway.password = Array("trunk-secret".utf8)
        gateway.rules = [Gateway.Rule(prefix: Array("+".utf8), strip: 1, prepend: Array("00".utf8))]
        gateway.inbound = inbound.compactMap { $0.withSlice { IPNetwork($0) } }
        return gateway
    }

    static let trunk = Device("+15550100", "203.0.113.9")

    @Test("A client without an application reaches a client by the proxy, as ever")
    func plain() {
        let scene = CallScene([.alice, .bob])
        let call = scene.call(from: .bob, to: "alice")
        #expect(call.leg?["Call-ID"] == "caller-call-1")
        #expect(call.leg?["Record-Route"].contains("sip:rc") == true)
        #expect(scene.asked.isEmpty)
        scene.answer(call.leg, 486)
        scene.expectNothingLeft()
    }

    @Test("A client that dials a number reaches its application, which the number's account pays for")
    func number() {
        let scene = CallScene([.bob, .carol])
        scene.setNumber("+15551234", "http://app/number")
        scene.documents["http://app/number"] = [.dial(.client("carol"))]
        for dialled in ["+15551234", "15551234"] {
            let call = scene.call(from: .bob, to: dialled)
            #expect(call.leg?.flow == Device.carol.flow)
            #expect(CallScene.value("To", scene.asked.last) == dialled)
            #expect(CallScene.value("From", scene.asked.last) == "bob")
            scene.answer(call.leg, 486)
        }
        scene.expectNothingLeft()
    }

    @Test("A number that nothing answers is told as such; a name that nobody has is not found")
    func numberWithoutApplication() {
        let scene = CallScene([.bob])
        scene.setNumber("+15551234", nil)
        let call = scene.call(from: .bob, to: "+15551234")
        #expect(call.sent.last?.status == 404)
        #expect(call.sent.last?["Warning"].contains("R-1612") == true)
        let unknown = scene.call(from: .bob, to: "nobody")
        #expect(unknown.sent.last?.status == 404)
        #expect(unknown.sent.last?["Warning"].contains("R-1302") == true)
        scene.expectNothingLeft()
    }

    @Test("A suspended account's calls are refused", arguments: [true, false])
    func inactive(isOwn: Bool) {
        let scene = CallScene([.alice, .bob])
        scene.setNumber("+15551234", "http://app/voice")
        scene.setAccount(isActive: false)
        let call = scene.call(from: isOwn ? .alice : .bob, to: "+15551234")
        #expect(call.sent.last?.status == 403)
        #expect(call.sent.last?["Warning"].contains("R-1607") == true)
        #expect(scene.asked.isEmpty)
        scene.expectNothingLeft()
    }

    @Test("The application of a disabled client is not asked")
    func disabledCaller() {
        let scene = CallScene([.alice, .bob])
        "alice".withSlice { _ = scene.network.location.setEnabled(false, $0) }
        let call = scene.call()
        #expect(call.sent.last.map { $0.status >= 400 } == true)
        #expect(call.legs.isEmpty)
        #expect(scene.asked.isEmpty)
        scene.expectNothingLeft()
    }

    @Test("A number outside goes to the gateway as its rule says, which is shown no credentials of ours unasked")
    func gatewayCall() {
        let scene = CallScene([.bob]) { $0.gateways = [CallRoutingTests.gateway()] }
        let call = scene.call(from: .bob, to: "+4930123456")
        let leg = call.leg
        #expect(leg?.requestURI == "sip:004930123456@203.0.113.9")
        #expect(leg?.flow.remote == Device.socket("203.0.113.9", 5060))
        #expect(leg?["Proxy-Authorization"] == "")
        #expect(leg?["X-RestComm-CallSid"] == "")
        #expect(scene.asked.isEmpty)
        let challenged = scene.answer(
            leg, 407,
            headers: ["Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"abc\", algorithm=MD5, qop=\"auth\""])
        #expect(challenged.summaries == ["ACK", "INVITE"])
        let second = challenged.last
        #expect(second?["Proxy-Authorization"].contains("username=\"trunk-user\"") == true)
        #expect(second?["CSeq"] == "2 INVITE")
        scene.answer(second, 183, body: CallScene.answer)
        let answered = scene.answer(second, 200, body: CallScene.answer)
        #expect(answered.requests("ACK").first?["CSeq"] == "2 ACK")
        let ok = answered.to(.bob).first
        #expect(ok?.status == 200)
        call.acknowledge(ok)
        let over = scene.send(call.request("BYE", after: ok))
        #expect(over.requests("BYE").first?.flow.remote == Device.socket("203.0.113.9", 5060))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
        let begun = scene.network.takeRecords().compactMap { change -> CallRecord? in
            if case .applicationCallStarted(let record) = change { record } else { nil }
        }
        #expect(begun.count == 1)
        #expect(begun.first?.clientID == 2)
    }

    @Test("A gateway that does not take our credentials is asked twice and no more; the caller is not challenged")
    func gatewayRefuses() {
        let scene = CallScene([.bob]) { $0.gateways = [CallRoutingTests.gateway()] }
        let call = scene.call(from: .bob, to: "+4930123456")
        let challenge = "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"abc\", algorithm=MD5, qop=\"auth\""
        let second = scene.answer(call.leg, 407, headers: [challenge]).requests("INVITE").first
        let refused = scene.answer(second, 407, headers: [challenge])
        #expect(refused.requests("INVITE").isEmpty)
        let refusal = refused.to(.bob).first
        #expect(refusal?.status == 403)
        #expect(refusal?["Warning"].contains("R-1614") == true)
        call.acknowledgeRefusal(refusal)
        scene.expectNothingLeft()
    }

    @Test("What no gateway takes is told as such, where there are gateways")
    func noGateway() {
        let scene = CallScene([.bob]) { $0.gateways = [CallRoutingTests.gateway()] }
        let call = scene.call(from: .bob, to: "0301234")
        #expect(call.sent.last?.status == 404)
        #expect(call.sent.last?["Warning"].contains("R-1613") == true)
        scene.expectNothingLeft()
    }

    @Test("A gateway's call reaches the application of a number without a challenge")
    func inbound() {
        let scene = CallScene([.bob]) { $0.gateways = [CallRoutingTests.gateway(inbound: ["203.0.113.0/24"])] }
        scene.setNumber("+15551234", "http://app/number")
        scene.documents["http://app/number"] = [.dial(.client("bob"))]
        let invite = CallRoutingTests.trunk.request("INVITE", to: "15551234").with {
            $0.body = CallScene.offer
            $0.headers.append("Content-Type: application/sdp")
        }
        let sent = scene.send(invite)
        #expect(sent.to(CallRoutingTests.trunk).summaries == ["100 INVITE"])
        #expect(sent.to(.bob).summaries == ["INVITE"])
        #expect(CallScene.value("From", scene.asked.first) == "+15550100")
        let refused = scene.answer(sent.to(.bob).first, 486)
        #expect(refused.to(CallRoutingTests.trunk).summaries == ["486 INVITE"])
        scene.expectNothingLeft()
    }

    @Test("A gateway reaches neither clients nor other gateways, nor does a stranger reach a number")
    func inboundBounds() {
        let scene = CallScene([.bob]) { $0.gateways = [CallRoutingTests.gateway(inbound: ["203.0.113.0/24"])] }
        scene.setNumber("+15551234", "http://app/number")
        for callee in ["bob", "+4930123456"] {
            let sent = scene.send(
                CallRoutingTests.trunk.request("INVITE", to: callee, branch: "z9hG4bK-\(callee.count)"))
            #expect(sent.summaries == ["404 INVITE"])
        }
        let stranger = Device("+15550100", "203.0.114.1")
        #expect(scene.send(stranger.request("INVITE", to: "15551234")).summaries == ["407 INVITE"])
        scene.expectNothingLeft()
    }

    @Test("Each step of a decision has its sentence")
    func steps() {
        let directory = ApplicationDirectory()
        var steps: [String] = []
        let decision = RoutingDecision.decide(
            own: nil, dialled: Array("+4930".utf8), isClient: { false }, directory: directory,
            gateways: [CallRoutingTests.gateway()], note: { steps.append($0.text) })
        guard case .gateway(let number) = decision else {
            Issue.record("not to the gateway")
            return
        }
        #expect(number == Array("+4930".utf8))
        #expect(
            steps == [
                "The caller has no application of its own for calls.", "No client has this name.",
                "No number of this server is that.", "Gateway 1 of the configuration takes it.",
            ])
    }

    @Test("Nothing begins while the server drains; what runs goes on")
    func draining() {
        let scene = CallScene()
        let call = scene.call()
        scene.network.server.beginDraining()
        let late = scene.call()
        #expect(late.sent.map(\.status) == [503])
        #expect(scene.network.server.requestsUnderWay > 0)
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        let over = scene.send(call.request("BYE", after: ok))
        scene.answer(over.requests("BYE").first, 200)
        scene.expectNothingLeft()
    }

    @Test("The calls of a client to its application are in its share")
    func share() {
        let scene = CallScene { $0.maxTransactionsPerClient = 2 }
        scene.isAnswering = false
        let calls = [scene.call(), scene.call(), scene.call()]
        #expect(calls[2].sent.map(\.status) == [503])
        for call in calls.prefix(2) { call.acknowledgeRefusal(call.cancel().last) }
        scene.expectNothingLeft()
    }

    @Test("A server that is full calls nobody for an application")
    func full() {
        let scene = CallScene { $0.maxTransactions = 1 }
        scene.isAnswering = false
        let call = scene.call()
        let sent = scene.answerAll()
        #expect(sent.requests("INVITE").isEmpty)
        #expect(sent.to(.alice).first?.status == 503)
        #expect(sent.to(.alice).first?["Warning"].contains("R-1507") == true)
        call.acknowledgeRefusal(sent.to(.alice).first)
        scene.expectNothingLeft()
    }

    @Test("A document without anything that can be done, and one that cannot be had, end the call at once")
    func noDocument() {
        let scene = CallScene([.alice, .bob], [])
        let empty = scene.call()
        #expect(empty.sent.last?.status == 488)
        empty.acknowledgeRefusal(empty.sent.last)
        scene.documents = [:]
        let missing = scene.call()
        #expect(missing.sent.last?.status == 404)
        missing.acknowledgeRefusal(missing.sent.last)
        scene.isAnswering = false
        let slow = scene.call()
        #expect(slow.sent.map(\.status) == [100])
        let late = scene.wait(milliseconds: 6_100)
        #expect(late.first?.status == 504)
        scene.expectNothingLeft()
        let notes = scene.network.takeRecords().count { if case .noted = $0 { true } else { false } }
        #expect(notes == 3)
    }
}
