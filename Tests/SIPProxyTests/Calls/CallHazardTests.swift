import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// Cases in which one dialog of a call could harm another, or a peer be left behind.
@Suite struct CallHazardTests {
    private static let challenge =
        "Proxy-Authenticate: Digest realm=\"trunk\", nonce=\"abc\", algorithm=MD5, qop=\"auth\""

    @Test("A PRACK that the losing callee refuses ends nothing in the call with the other one")
    func losingDialog() {
        let scene = CallScene([.alice, .bob, .carol], [.dial(.client("bob", "carol"))])
        let call = scene.call { $0.headers.append("Supported: 100rel") }
        let reliable = ["Require: 100rel", "RSeq: 1"]
        let first = scene.answer(call.leg(at: .bob), 183, headers: reliable).to(.alice).first
        let second = scene.answer(call.leg(at: .carol), 183, tag: "to2", headers: reliable).to(.alice).first
        // RFC 3262 section 3: a row of numbers for each dialog.
        let next = scene.answer(call.leg(at: .bob), 180, headers: ["Require: 100rel", "RSeq: 2"]).to(.alice).first
        #expect(first?["RSeq"] == "1" && next?["RSeq"] == "2" && second?["RSeq"] != "2")
        let acknowledged = second?["RSeq"] ?? ""
        let prack = scene.send(
            call.request("PRACK", after: second).with { $0.headers.append("RAck: \(acknowledged) 1 INVITE") }
        ).to(.carol).first
        #expect(prack?.method == "PRACK")
        let answered = scene.answer(call.leg(at: .bob), 200, body: CallScene.answer)
        let ok = answered.to(.alice).first
        #expect(ok?.status == 200)
        call.acknowledge(ok)
        let refused = scene.answer(prack, 481, tag: "to2")
        #expect(refused.requests("BYE").isEmpty)
        scene.answer(answered.to(.carol).requests("CANCEL").first, 200)
        scene.answer(call.leg(at: .carol), 487, tag: "to2")
        let talk = scene.send(call.request("INFO", sequence: 3, after: ok)).to(.bob).first
        #expect(talk?.method == "INFO")
        scene.answer(talk, 200)
        let bye = scene.send(call.request("BYE", sequence: 4, after: ok))
        scene.answer(bye.to(.bob).first, 200)
        scene.expectNothingLeft()
    }

    @Test("A callee that no longer answers is hung up with the caller (RFC 3261 12.2.1.2)")
    func deadCallee() {
        let scene = CallScene()
        let call = scene.call()
        let ok = scene.answer(call.leg, 200, body: CallScene.answer).to(.alice).first
        call.acknowledge(ok)
        scene.send(call.request("INFO", after: ok))
        let sent = scene.wait(milliseconds: 33_000, step: 500)
        #expect(sent.to(.bob).requests("BYE").count >= 1)
        #expect(sent.to(.alice).requests("BYE").count >= 1)
        for device in [Device.alice, .bob] { scene.answer(sent.to(device).requests("BYE").first, 200) }
        scene.expectNothingLeft()
    }

    @Test("A BYE that the gateway challenges is sent once more, with credentials for a BYE")
    func challengedBye() {
        let scene = CallScene([.bob]) { $0.gateways = [CallRoutingTests.gateway()] }
        let call = scene.call(from: .bob, to: "+4930123456")
        let second = scene.answer(call.leg, 407, headers: [Self.challenge]).last
        let ok = scene.answer(second, 200, body: CallScene.answer).to(.bob).first
        call.acknowledge(ok)
        let bye = scene.send(call.request("BYE", after: ok)).requests("BYE").first
        let again = scene.answer(bye, 407, headers: [Self.challenge]).requests("BYE").first
        #expect(again?["Proxy-Authorization"].contains("username=\"trunk-user\"") == true)
        #expect(again?["CSeq"] == "4 BYE")
        #expect(scene.answer(again, 407, headers: [Self.challenge]).requests("BYE").isEmpty)
        scene.expectNothingLeft()
    }

    @Test("An INVITE that comes by a second way makes no second call (RFC 3261 8.2.2.2)")
    func merged() {
        let scene = CallScene()
        let call = scene.call()
        let again = call.invite.with { $0.branch = "z9hG4bK-other-way" }.signed(nonce: scene.network.nonce(), count: 2)
        let sent = scene.send(again)
        #expect(sent.to(.bob).isEmpty)
        #expect(sent.to(.alice).summaries == ["482 INVITE"])
        scene.answer(call.leg, 486)
        scene.expectNothingLeft()
    }

    @Test("A 183 with a session follows one without")
    func earlyMedia() {
        let scene = CallScene()
        let call = scene.call()
        #expect(scene.answer(call.leg, 183).to(.alice).summaries == ["183 INVITE"])
        #expect(scene.answer(call.leg, 183, body: CallScene.answer).to(.alice).first?.body == CallScene.answer)
        #expect(scene.answer(call.leg, 183, body: CallScene.answer).to(.alice).isEmpty)
        scene.answer(call.leg, 486)
        scene.expectNothingLeft()
    }

    @Test("Headers that only this server may set are not taken from the caller")
    func ownHeaders() {
        let scene = CallScene()
        let call = scene.call { $0.headers += ["X-RestComm-AccountSid: ACforged", "X-Other: kept"] }
        #expect(call.leg?["X-RestComm-AccountSid"] == "AC01" && call.leg?["X-Other"] == "kept")
        #expect(call.leg?.text.contains("ACforged") == false)
        scene.answer(call.leg, 486)
        scene.expectNothingLeft()
    }
}
