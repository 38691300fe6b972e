import Primitives
import Testing

@testable import SIPProxy

@Suite("Response processing (RFC 3261 16.7)")
struct ResponseTests {
    let network = TestNetwork(.alice, .bob)

    /// A network where bob has three devices.
    private static var forking: TestNetwork { TestNetwork(.alice, .bob, .bobsDesk, .bobsLaptop) }

    @Test("16.7 step 1: a response that belongs to no transaction is dropped, whatever is wrong with its branch")
    func unknown() {
        let call = Call(network)
        guard let invite = call.first else { return }
        let good = network.response(to: invite, 180)
        for branch in [
            "z9hG4bK", "z9hG4bK" + String(repeating: "f", count: 32), invite.branch.dropLast() + "x",
            invite.branch + "0",
        ] {
            let bad = "SIP/2.0 180 R\r\n" + good.split(separator: "\r\n").dropFirst().joined(separator: "\r\n")
            let changed = bad.split(separator: invite.branch, omittingEmptySubsequences: false).joined(
                separator: branch)
            #expect(network.send(changed + "\r\n\r\n", from: Device.bob.flow).isEmpty)
        }
        // 17.1.3: another method.
        let other = good.split(separator: "1 INVITE", omittingEmptySubsequences: false).joined(separator: "1 BYE")
        #expect(network.send(other, from: Device.bob.flow).isEmpty)
        #expect(network.send(good, from: Device.bob.flow).summaries == ["180 INVITE"])
        network.expectNothingLeft()
    }

    @Test("16.7 step 3: our Via is removed, all else goes on as it came; without a further Via nothing goes on")
    func via() {
        let call = Call(network) { $0.lowerVias = ["SIP/2.0/UDP 10.7.7.7;branch=z9hG4bKbelow"] }
        guard let invite = call.first else { return }
        let sent = network.answer(invite, 183, headers: ["X-Some: thing"], body: "v=0\r\n").first
        #expect(sent?.flow == Device.alice.flow)
        #expect(sent?.startLine == "SIP/2.0 183 Whatever")
        #expect(sent?.values("Via") == Array(invite.values("Via").dropFirst()))
        #expect(sent?["X-Some"] == "thing")
        #expect(sent?.body == "v=0\r\n")
        let joined =
            "SIP/2.0 183 R\r\nVia: " + invite.values("Via").joined(separator: ", ") + "\r\n"
            + "From: \(invite["From"])\r\nTo: \(invite["To"])\r\nCall-ID: \(invite["Call-ID"])\r\nCSeq: 1 INVITE\r\n\r\n"
        #expect(
            network.send(joined, from: Device.bob.flow).first?["Via"]
                == invite.values("Via").dropFirst().joined(separator: ", "))
        var alone = invite
        alone.bytes = Array(
            invite.text.split(separator: "\r\n").filter { !$0.hasPrefix("Via") || $0.contains(invite.branch) }
                .joined(separator: "\r\n").utf8)
        #expect(network.send(network.response(to: alone, 183), from: Device.bob.flow).isEmpty)
        network.expectNothingLeft()
    }

    @Test("18.2.2: a response goes to the source with rport, and to the port of sent-by without")
    func responseAddress() {
        var natted = Device("alice", "198.51.100.1", port: 40000)
        natted.host = "10.0.0.1:5062"
        network.register(natted)
        let call = Call(network, from: natted) { $0.viaParameters = "" }
        let ringing = network.answer(call.first, 180).first
        #expect(ringing?.flow.remote == Device.socket("198.51.100.1", 5062))
        let second = Call(network, from: natted) {
            $0.branch = "z9hG4bK2"
            $0.callID = "2"
        }
        #expect(network.answer(second.first, 180).first?.flow.remote == Device.socket("198.51.100.1", 40000))
        network.expectNothingLeft()
    }

    @Test("16.7 step 5: 100 is not forwarded, other provisional responses are at once")
    func provisional() {
        let call = Call(network)
        #expect(network.answer(call.first, 100, tag: nil).isEmpty)
        #expect(network.answer(call.first, 180).summaries == ["180 INVITE"])
        #expect(network.answer(call.first, 183).summaries == ["183 INVITE"])
        // RFC 4320 section 4.1: none but 100 to a request other than INVITE.
        let message = network.sendSigned(Device.alice.request("MESSAGE", to: "bob").with { $0.callID = "2" })
        #expect(network.answer(message.first, 180).isEmpty)
        #expect(network.answer(message.first, 200).summaries == ["200 MESSAGE"])
        network.expectNothingLeft()
    }

    @Test("16.7 steps 5 and 10: the first 2xx is forwarded at once and the other branches are cancelled with a Reason")
    func firstSuccess() {
        let network = ResponseTests.forking
        let call = Call(network)
        network.answer(call.at(.bob), 180, tag: "a")
        network.answer(call.at(.bobsDesk), 180, tag: "b")
        let sent = network.answer(call.at(.bob), 200, tag: "a")
        #expect(sent.summaries == ["200 INVITE", "CANCEL"])
        let cancel = sent.last
        #expect(cancel?.flow == Device.bobsDesk.flow)
        #expect(cancel?["Reason"] == "SIP;cause=200;text=\"Call completed elsewhere\"")
        #expect(cancel?["Via"] == call.at(.bobsDesk)?["Via"])
        #expect(cancel?.requestURI == Device.bobsDesk.contact)
        // The laptop has not answered yet: its CANCEL is held back (9.1), and its ringing no longer told.
        #expect(network.answer(call.at(.bobsLaptop), 180, tag: "c").summaries == ["CANCEL"])
        #expect(network.answer(cancel, 200).isEmpty)
        #expect(network.answer(call.at(.bobsDesk), 487, tag: "b").summaries == ["ACK"])
        #expect(network.answer(call.at(.bobsLaptop), 487, tag: "c").summaries == ["ACK"])
        network.expectNothingLeft()
    }

    @Test("16.7 step 5 and RFC 6026 8.9: a 2xx of another fork is forwarded too, and so is each repetition")
    func furtherSuccess() {
        let network = ResponseTests.forking
        let call = Call(network)
        network.answer(call.at(.bob), 200, tag: "a")
        #expect(network.answer(call.at(.bobsDesk), 200, tag: "b").summaries == ["200 INVITE"])
        #expect(network.answer(call.at(.bob), 200, tag: "a").first?.toTag == "a")
        #expect(network.answer(call.at(.bobsDesk), 200, tag: "b").first?.toTag == "b")
        network.expectNothingLeft()
    }

    @Test("RFC 6026 7.1: an INVITE repeated after its 2xx is absorbed, and after Timer L a 2xx is dropped")
    func accepted() {
        let call = Call(network)
        network.answer(call.first, 200)
        #expect(network.send(call.invite).isEmpty)
        network.wait(milliseconds: 31_000)
        #expect(network.answer(call.first, 200).summaries == ["200 INVITE"])
        network.wait(milliseconds: 1_200)
        #expect(network.answer(call.first, 200).isEmpty)
        #expect(network.isIdle, "\(network.server.tableSizes)")
    }

    /// What three devices answer, and what the caller gets.
    static let choices: [([Int], Int)] = [
        ([486, 486, 486], 486), ([404, 302, 486], 302), ([486, 500, 404], 486), ([500, 603, 404], 603),
        ([480, 486, 408], 486), ([404, 401, 486], 401), ([486, 407, 404], 407), ([404, 484, 480], 484),
        ([503, 503, 503], 500), ([503, 500, 503], 500), ([503, 404, 503], 404), ([600, 603, 486], 600),
        ([408, 408, 408], 408), ([699, 404, 404], 699),
    ]

    @Test("16.7 step 6: of several final responses the best is chosen", arguments: choices)
    func bestResponse(_ statuses: [Int], _ best: Int) {
        let network = ResponseTests.forking
        let call = Call(network)
        var sent: [Sent] = []
        for (invite, status) in zip(call.forwarded, statuses) {
            network.answer(invite, 180)
            sent += network.answer(invite, status, tag: "tag\(status)")
        }
        let finals = sent.filter { $0.flow == Device.alice.flow }
        #expect(finals.count == 1)
        #expect(finals.first?.status == best)
        #expect(finals.first?.values("Via").count == 1)
        #expect(sent.requests("ACK").count == 3)
        if let last = finals.first { #expect(network.send(call.invite.acknowledgement(of: last)).isEmpty) }
        network.expectNothingLeft()
    }

    @Test("16.7 step 6: 401 and 407 of a callee come through with their challenges")
    func challenges() {
        let call = Call(network)
        let sent = network.answer(call.first, 407, headers: ["Proxy-Authenticate: Digest realm=\"b\", nonce=\"1\""])
        #expect(sent.to(.alice).first?["Proxy-Authenticate"] == "Digest realm=\"b\", nonce=\"1\"")
        network.expectNothingLeft()
    }

    @Test("16.7 step 7: the challenges of all branches are in the one 401 or 407 that goes upstream")
    func allChallenges() {
        let network = ResponseTests.forking
        let call = Call(network)
        network.answer(
            call.forwarded[0], 407, tag: "a", headers: ["Proxy-Authenticate: Digest realm=\"a\", nonce=\"1\""])
        network.answer(
            call.forwarded[1], 401, tag: "b", headers: ["WWW-Authenticate: Digest realm=\"b\", nonce=\"1\""], body: "x")
        let end = network.answer(
            call.forwarded[2], 407, tag: "c", headers: ["Proxy-Authenticate: Digest realm=\"c\", nonce=\"1\""]
        ).to(.alice).first
        #expect(end?.summary == "407 INVITE")
        #expect(end?.toTag == "a")
        #expect(
            Set(end?.values("Proxy-Authenticate").map { $0.prefix(16) } ?? []) == [
                "Digest realm=\"a\"", "Digest realm=\"c\"",
            ])
        #expect(end?.values("WWW-Authenticate").count == 1)
        #expect(end?.values("Via").count == 1)
        #expect(end?.body == "")
        network.expectNothingLeft()
    }

    @Test("16.7 step 5: 6xx cancels the other branches and tries no further target")
    func globalFailure() {
        let network = TestNetwork(.alice, .bob, .bobsDesk)
        network.register(.bobsLaptop, q: "0.1")
        let call = Call(network)
        network.answer(call.at(.bob), 180)
        let sent = network.answer(call.at(.bobsDesk), 603)
        #expect(sent.summaries == ["ACK", "CANCEL"])
        #expect(sent.last?["Reason"].hasPrefix("SIP;cause=600") == true)
        let end = network.answer(call.at(.bob), 487)
        #expect(end.summaries == ["ACK", "603 INVITE"])
        network.expectNothingLeft()
    }

    @Test("16.7 step 5: a 2xx that crosses the CANCEL after 6xx still wins")
    func successAfterGlobalFailure() {
        let network = TestNetwork(.alice, .bob, .bobsDesk)
        let call = Call(network)
        network.answer(call.at(.bob), 180)
        network.answer(call.at(.bobsDesk), 603)
        #expect(network.answer(call.at(.bob), 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }

    @Test("16.7: a request other than INVITE is forked too; its first 2xx is the answer and the second goes nowhere")
    func messageForked() {
        let network = ResponseTests.forking
        let sent = network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        #expect(sent.summaries == ["MESSAGE", "MESSAGE", "MESSAGE"])
        #expect(network.answer(sent[0], 480).isEmpty)
        #expect(network.answer(sent[1], 200).summaries == ["200 MESSAGE"])
        #expect(network.answer(sent[2], 200).isEmpty)
        network.expectNothingLeft()
    }

    @Test("16.8 and 17.1.1.2: without any response the INVITE is repeated by Timer A, and Timer B makes it a 408")
    func timerB() {
        let call = Call(network)
        let sent = network.wait(milliseconds: 33_000)
        #expect(sent.requests("INVITE").count == 6)
        #expect(sent.requests("INVITE").allSatisfy { $0.bytes == call.first?.bytes })
        #expect(sent.responses(408).first?["Warning"].contains("R-1401") == true)
        network.expectNothingLeft()
    }

    @Test("16.8: after Timer B the next target is tried")
    func nextAfterTimerB() {
        let network = TestNetwork(.alice, .bob)
        network.register(.bobsDesk, q: "0.1")
        let call = Call(network)
        #expect(call.forwarded.count == 1)
        let sent = network.wait(milliseconds: 33_000)
        #expect(sent.requests("INVITE").contains { $0.flow == Device.bobsDesk.flow })
        #expect(sent.responses(408).isEmpty)
        network.expectNothingLeft()
    }

    @Test("RFC 4320 4.2: a request other than INVITE that nobody answers is not answered 408")
    func noRequestTimeout() {
        network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        let sent = network.wait(milliseconds: 40_000)
        #expect(sent.requests("MESSAGE").count == 10)
        #expect(sent.filter { !$0.isRequest }.summaries == ["100 MESSAGE"])
        #expect(network.isIdle, "\(network.server.tableSizes)")
    }

    @Test("RFC 4320 4.1: a request other than INVITE is answered 100 after 3.5 s, not before, and its repetitions too")
    func lateTrying() {
        let request = network.signed(Device.alice.request("MESSAGE", to: "bob"))
        let sent = network.send(request)
        #expect(network.wait(milliseconds: 3_400).allSatisfy { $0.isRequest })
        let trying = network.wait(milliseconds: 200).filter { !$0.isRequest }
        #expect(trying.summaries == ["100 MESSAGE"])
        #expect(trying.first?.flow == Device.alice.flow)
        #expect(trying.first?.values("Via") == ["\(request.via)=5060;received=198.51.100.1"])
        #expect(trying.first?.toTag == nil)
        #expect(trying.first?.values("Warning").isEmpty == true)
        #expect(network.send(request).map(\.bytes) == trying.map(\.bytes))
        #expect(network.answer(sent.first, 200).summaries == ["200 MESSAGE"])
        #expect(network.wait(milliseconds: 10_000).isEmpty)
        network.expectNothingLeft()
    }

    @Test("17.1.1.3: a repeated final response is acknowledged again and not forwarded again")
    func repeatedFailure() {
        let call = Call(network)
        let first = network.answer(call.first, 486)
        #expect(first.summaries == ["ACK", "486 INVITE"])
        let ack = first.first
        #expect(ack?.flow == Device.bob.flow)
        #expect(ack?.requestURI == call.first?.requestURI)
        #expect(ack?["Via"] == call.first?["Via"])
        #expect(ack?.values("Via").count == 1)
        #expect(ack?["To"] == "<sip:bob@example.com>;tag=to1")
        #expect(ack?["CSeq"] == "1 ACK")
        #expect(network.answer(call.first, 486).summaries == ["ACK"])
        // A 2xx of a callee that has changed its mind is dropped, and does not spoil the next ACK.
        #expect(network.answer(call.first, 200).isEmpty)
        #expect(network.answer(call.first, 486).first?.bytes == ack?.bytes)
        network.expectNothingLeft()
    }
}
