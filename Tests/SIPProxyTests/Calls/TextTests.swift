import CallControl
import Observability
import Primitives
import Testing

@testable import SIPProxy

/// Texts to applications, from them, and to numbers outside.
@Suite struct TextTests {
    private static let gateway = Device("gateway", "203.0.113.9")

    private func scene(_ change: @escaping (inout ServerSettings) -> Void = { _ in }) -> CallScene {
        let scene = CallScene([.alice, .bob]) { settings in
            var gateway = Gateway(name: Array("trunk".utf8), uri: Array("sip:203.0.113.9".utf8))
            gateway.user = Array("office".utf8)
            gateway.password = Array("trunk-secret".utf8)
            gateway.rules = [Gateway.Rule(prefix: Array("+".utf8))]
            gateway.inbound = [IPNetwork(Self.gateway.flow.remote.address)]
            settings.gateways = [gateway]
            change(&settings)
        }
        scene.network.directory.setNumber(
            Array("+49301".utf8),
            {
                var application = Application()
                application.sms = WebAddress("http://app/sms")
                return ApplicationChoice(accountID: 1, own: application)
            }())
        return scene
    }

    private func text(
        _ scene: CallScene, from device: Device = .bob, to: String = "+49301", _ body: String = "hello",
        type: String = "text/plain"
    ) -> [Sent] {
        scene.send(
            scene.network.signed(
                device.request("MESSAGE", to: to, branch: "z9hG4bK-text-\(scene.nextRequest())").with {
                    $0.callID = "text-\($0.branch)"
                    $0.headers.append("Content-Type: \(type)")
                    $0.body = body
                }))
    }

    private func ends(_ records: [RecordChange]) -> [UInt16] {
        records.compactMap { if case .messageEnded(_, _, let status, _) = $0 { status } else { nil } }
    }

    @Test("A text to a number is taken with 202, and its application's answer goes to the sender's phones")
    func number() {
        let scene = scene()
        scene.documents["http://app/sms"] = [.sms(Sms("pong"))]
        _ = scene.network.takeRecords()
        let sent = text(scene)
        #expect(sent.responses(202).count == 1)
        #expect(CallScene.value("Body", scene.asked.last) == "hello")
        #expect(CallScene.value("From", scene.asked.last) == "bob")
        #expect(CallScene.value("To", scene.asked.last) == "+49301")
        let reply = sent.to(.bob).requests("MESSAGE").first
        #expect(reply?.body == "pong" && reply?.requestURI == Device.bob.contact)
        #expect(
            reply?["From"].contains("<sip:%2B49301@example.com>") == true || reply?["From"].contains("+49301@") == true)
        scene.answer(reply, 200)
        let records = scene.network.takeRecords()
        let started = records.compactMap { change -> TextRecord.Direction? in
            if case .textStarted(let record) = change { record.direction } else { nil }
        }
        #expect(started == [.inbound, .outboundReply])
        #expect(ends(records) == [202, 200])
        scene.expectNothingLeft()
    }

    @Test("A text of a client with an application is for that, unless the operator wants it otherwise")
    func ownApplication() {
        let scene = scene()
        scene.documents["http://app/voice"] = []
        #expect(text(scene, from: .alice, to: "bob").summaries == ["202 MESSAGE"])
        #expect(CallScene.value("To", scene.asked.last) == "bob")
        let direct = self.scene { $0.textsGoToApplications = false }
        let sent = text(direct, from: .alice, to: "bob")
        #expect(sent.requests("MESSAGE").to(.bob).count == 1)
        direct.answer(sent.requests("MESSAGE").first, 200)
        #expect(direct.asked.isEmpty)
        scene.expectNothingLeft()
        direct.expectNothingLeft()
    }

    @Test(
        "What is no plain text, or empty, gets 406",
        arguments: [
            ("application/json", "{}"), ("text/html", "<p>"), ("text/plain", ""), ("", "hello"),
        ])
    func unsuitable(_ type: String, _ body: String) {
        let scene = scene()
        #expect(text(scene, body, type: type).summaries == ["406 MESSAGE"])
        #expect(scene.asked.isEmpty)
        scene.expectNothingLeft()
    }

    @Test("A suspended account gets no texts")
    func suspended() {
        let scene = scene()
        scene.setAccount(isActive: false)
        #expect(text(scene).summaries == ["403 MESSAGE"])
        scene.expectNothingLeft()
    }

    @Test("A text of a client to a number outside goes by the gateway, with the answer to its challenge")
    func outside() {
        let scene = scene()
        _ = scene.network.takeRecords()
        let first = text(scene, to: "+4477").to(Self.gateway).first
        #expect(first?.requestURI == "sip:+4477@203.0.113.9" && first?.body == "hello")
        let challenge = "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"abc\", qop=\"auth\", algorithm=MD5"
        let second = scene.answer(first, 401, headers: [challenge]).to(Self.gateway).first
        #expect(second?["CSeq"] == "2 MESSAGE")
        #expect(second?["Authorization"].hasPrefix("Digest username=\"office\", realm=\"trunk\"") == true)
        #expect(second?.branch != first?.branch)
        #expect(scene.answer(second, 200).to(.bob).summaries == ["200 MESSAGE"])
        let isRecorded = scene.network.takeRecords().contains {
            if case .message(_, 2, _, _, _, _, 200, nil) = $0 { true } else { false }
        }
        #expect(isRecorded)
        scene.expectNothingLeft()
    }

    @Test("A gateway that refuses the credentials is told as such, once")
    func refusedCredentials() {
        let scene = scene()
        let first = text(scene, to: "+4477").to(Self.gateway).first
        let challenge = "WWW-Authenticate: Digest realm=\"trunk\", nonce=\"abc\", qop=\"auth\""
        let second = scene.answer(first, 401, headers: [challenge]).to(Self.gateway).first
        _ = scene.network.takeRecords()
        let sent = scene.answer(second, 401, headers: [challenge])
        #expect(sent.summaries == ["403 MESSAGE"])
        #expect(sent.first?["Warning"].contains("R-1614") == true)
        let reasons = scene.network.takeRecords().compactMap { change -> Reason? in
            if case .message(_, _, _, _, _, _, 403, let reason) = change { reason } else { nil }
        }
        #expect(reasons == [.gatewayRefused])
        scene.expectNothingLeft()
    }

    @Test("A text of the gateway reaches a number's application without a password, and no client")
    func inbound() {
        let scene = scene()
        scene.documents["http://app/sms"] = []
        func send(_ to: String) -> [Sent] {
            scene.send(
                Self.gateway.request("MESSAGE", to: to, branch: "z9hG4bK-in-\(scene.nextRequest())").with {
                    $0.fromUser = "+4470"
                    $0.headers.append("Content-Type: text/plain")
                    $0.body = "from outside"
                    $0.callID = $0.branch
                })
        }
        #expect(send("+49301").summaries == ["202 MESSAGE"])
        #expect(CallScene.value("From", scene.asked.last) == "+4470")
        #expect(send("bob").responses(404).count == 1)
        #expect(send("+9999").responses(404).count == 1)
        scene.expectNothingLeft()
    }

    @Test("A text to nobody ends failed, and the program is told")
    func nobody() {
        let scene = scene()
        var sms = Sms("hello")
        sms.to = "nobody"
        scene.documents["http://app/sms"] = [.sms(sms)]
        _ = scene.network.takeRecords()
        #expect(text(scene).summaries == ["202 MESSAGE"])
        #expect(ends(scene.network.takeRecords()) == [202, 404])
        scene.expectNothingLeft()
    }

    @Test("A text of the API to a number outside goes by the gateway")
    func api() {
        let scene = scene()
        let sent = scene.network.sendMessage(from: "office", to: "+4477")
        #expect(sent.reason == nil)
        #expect(sent.sent.first?.requestURI == "sip:+4477@203.0.113.9")
        _ = scene.network.takeRecords()
        scene.answer(sent.sent.first, 202)
        #expect(ends(scene.network.takeRecords()) == [202])
        #expect(scene.network.sendMessage(to: "nobody").reason == .calleeUnknown)
        scene.expectNothingLeft()
    }

    @Test("Only X- headers of an application go into its texts, each in one line")
    func headers() {
        #expect(written { $0.appendForeign("X-Good", "yes") } == "X-Good: yes\r\n")
        for (name, value) in [
            ("Via", "SIP/2.0/UDP evil"), ("X-A", "b\r\nVia: evil"), ("X-A\r\nVia", "b"), ("X A", "b"),
            ("X-\u{e9}", "b"),
        ] {
            #expect(written { $0.appendForeign(name, value) }.isEmpty)
        }
    }
}
