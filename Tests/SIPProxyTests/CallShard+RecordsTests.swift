import Observability
import Primitives
import Testing

@testable import SIPProxy

@Suite("The records of calls and texts")
struct RecordTests {
    let network = TestNetwork(.alice, .bob)

    /// A call with another Call-ID and branch.
    private func another(_ network: TestNetwork, _ number: Int) -> Call {
        Call(network) {
            $0.callID = "call-\(number)"
            $0.branch = "z9hG4bKcall\(number)"
        }
    }

    private static func tag(_ tag: String) -> Int64 { tag.withSlice { RouteToken.dialogHash(tag: $0) } }

    /// The number of the only call that was begun, and what else was told of it.
    private func record(_ network: TestNetwork, callee: String = "bob") -> (number: RecordNumber, rest: [RecordChange])
    {
        let records = network.takeRecords()
        guard case .callStarted(let number, let clientID, let to, let time, let callID)? = records.first else {
            Issue.record("no call was begun: \(records)")
            return (RecordNumber(0), [])
        }
        #expect(clientID == 1)
        #expect(to == Array(callee.utf8))
        #expect(time == number.time)
        #expect(callID.starts(with: Array("call-".utf8)))
        return (number, Array(records.dropFirst()))
    }

    // MARK: Calls

    @Test("An answered call is told at its INVITE, the first 18x, the first 2xx and the BYE, each once")
    func answered() {
        let call = Call(network)
        let (number, none) = record(network)
        #expect(none.isEmpty)
        #expect(number.value > 0)
        network.answer(call.first, 100, tag: nil)
        #expect(network.takeRecords().isEmpty)
        network.wait(milliseconds: 200)
        network.answer(call.first, 183)
        #expect(network.takeRecords() == [.callRinging(number: number, at: network.now.unix)])
        network.answer(call.first, 180)
        let ok = network.answer(call.first, 200).first
        #expect(
            network.takeRecords() == [.callAnswered(number: number, at: network.now.unix, tag: Self.tag("to1"))])
        network.answer(call.first, 200)
        network.send(call.fromCaller("ACK", after: ok))
        #expect(network.takeRecords().isEmpty)
        network.wait(milliseconds: 1000)
        let bye = call.fromCaller("BYE", after: ok)
        network.send(bye)
        network.send(bye)
        #expect(network.takeRecords() == [.callHungUp(number: number, at: network.now.unix, tag: Self.tag("to1"))])
        network.expectNothingLeft()
        #expect(network.takeRecords().isEmpty)
    }

    @Test("The callee's BYE names the same dialog as the caller's")
    func hungUpByCallee() {
        let call = Call(network)
        let (number, _) = record(network)
        network.answer(call.first, 200)
        _ = network.takeRecords()
        network.send(call.fromCallee("BYE", .bob, after: call.first))
        #expect(network.takeRecords() == [.callHungUp(number: number, at: network.now.unix, tag: Self.tag("to1"))])
        network.expectNothingLeft()
    }

    @Test(
        "A call that fails ends with the status that the caller got, and the reason",
        arguments: [
            (486, Reason.calleeBusy), (600, .calleeBusy), (603, .calleeDeclined), (404, .calleeFailed),
            (503, .calleeFailed), (407, .calleeFailed),
        ] as [(Int, Reason)])
    func failed(_ status: Int, _ reason: Reason) {
        let call = Call(network)
        let (number, _) = record(network)
        network.answer(call.first, status)
        let told = UInt16(status == 503 ? 500 : status)
        #expect(
            network.takeRecords() == [
                .callEnded(number: number, at: network.now.unix, status: told, reason: reason)
            ])
        network.expectNothingLeft()
        #expect(network.takeRecords().isEmpty)
    }

    @Test("A cancelled call ends with 487 as the caller's own end, a retransmitted CANCEL tells nothing more")
    func cancelled() {
        let call = Call(network)
        let (number, _) = record(network)
        network.answer(call.first, 180)
        _ = network.takeRecords()
        network.send(call.invite.cancel)
        network.send(call.invite.cancel)
        network.answer(call.first, 487)
        #expect(
            network.takeRecords() == [
                .callEnded(number: number, at: network.now.unix, status: 487, reason: .callCancelled)
            ])
        network.expectNothingLeft()
        #expect(network.takeRecords().isEmpty)
    }

    @Test("No device answers: 408; it rings until Timer C: 408 for another reason")
    func unanswered() {
        _ = Call(network)
        let (number, _) = record(network)
        network.wait(milliseconds: 33_000)
        guard case .callEnded(number, _, 408, .noAnswer)? = network.takeRecords().first else {
            Issue.record("no end")
            return
        }
        let ringing = another(network, 2)
        let (second, _) = record(network)
        network.answer(ringing.first, 180)
        network.wait(milliseconds: 250_000, step: 1000)
        let rest = network.takeRecords().dropFirst()
        guard case .callEnded(second, _, 408, .ringingTooLong)? = rest.first, rest.count == 1 else {
            Issue.record("\(rest)")
            return
        }
        network.expectNothingLeft()
    }

    @Test("A call that cannot be sent at all ends with 500")
    func unreachable() {
        let call = Call(network)
        let (number, _) = record(network)
        network.fail(call.first)
        #expect(
            network.takeRecords() == [
                .callEnded(number: number, at: network.now.unix, status: 500, reason: .contactUnreachable)
            ])
        network.expectNothingLeft()
    }

    @Test(
        "A call that is refused by a later rule begins and ends at once, and its retransmission tells nothing",
        arguments: [
            ("nobody", "nobody", Reason.calleeUnknown), ("dave", "dave", .calleeNotRegistered),
            ("sip:x@elsewhere.example", "x", .foreignDestination), ("tel:+1-201", "+1201", .calleeUnknown),
            ("sip:a%20b@example.com", "a b", .calleeUnknown),
        ])
    func refused(_ callee: String, _ to: String, _ reason: Reason) {
        let invite = network.signed(Device.alice.request("INVITE", to: callee).with { $0.callID = "call-x" })
        network.send(invite)
        let (number, rest) = record(network, callee: to)
        let end = RecordChange.callEnded(
            number: number, at: network.now.unix, status: reason.status, reason: reason)
        #expect(rest == [end])
        #expect(network.takeLog().contains("call=\(number.sid(prefix: "CA"))"))
        network.send(invite)
        #expect(network.takeRecords().isEmpty)
        network.expectNothingLeft()
    }

    @Test("A caller that is not registered, and one that asks for another route, have a record that ends at once")
    func refusedCaller() {
        let network = TestNetwork(.bob)
        network.sendSigned(Device.alice.request("INVITE", to: "bob"))
        #expect(record(network).rest.count == 1)
        network.register(.alice)
        network.sendSigned(
            Device.alice.request("INVITE", to: "bob", branch: "z9hG4bK2").with {
                $0.headers = ["Route: <sip:elsewhere.example;lr>"]
            })
        guard case .callEnded(_, _, 403, .routeElsewhere)? = record(network).rest.first else {
            Issue.record("no end")
            return
        }
        network.expectNothingLeft()
    }

    @Test("What is not proved to be a client's has no record: challenges, wrong passwords, another's name, strangers")
    func unauthenticated() {
        for method in ["INVITE", "MESSAGE"] {
            network.send(Device.alice.request(method, to: "bob"))
            network.send(network.signed(Device.alice.request(method, to: "bob"), password: "guess"))
            network.sendSigned(Device.alice.request(method, to: "bob").with { $0.fromUser = "bob" })
            network.send(Device("mallory", "203.0.113.66").request(method, to: "bob"))
            network.sendSigned(Device.alice.request(method, to: "bob").with { $0.maxForwards = "0" })
        }
        #expect(network.takeRecords().isEmpty)
    }

    @Test("Neither a retransmitted INVITE nor a re-INVITE nor another method begins a record")
    func notACall() {
        let call = Call(network)
        network.send(call.invite)
        let ok = network.answer(call.first, 200).first
        _ = record(network)
        let again = network.send(call.fromCaller("INVITE", after: ok)).requests("INVITE")
        network.answer(again.first, 180)
        network.answer(again.first, 200)
        #expect(again.count == 1)
        for method in ["OPTIONS", "SUBSCRIBE", "REFER"] {
            let sent = network.sendSigned(Device.alice.request(method, to: "bob").with { $0.callID = method })
            network.answer(sent.requests(method).first, 200)
        }
        // Without its route, and so with credentials.
        network.sendSigned(
            call.fromCaller("INVITE", sequence: 3, after: ok).with {
                $0.headers = []
                $0.requestURI = Device.bob.contact
            })
        #expect(network.takeRecords().isEmpty)
        network.expectNothingLeft()
    }

    @Test("The first of two 2xx is the answer; a BYE in the dialog of the second has its own tag")
    func forked() {
        let network = TestNetwork(.alice, .bob, .bobsDesk)
        let call = Call(network)
        let (number, _) = record(network)
        network.answer(call.at(.bob), 180, tag: "a")
        network.answer(call.at(.bobsDesk), 180, tag: "b")
        #expect(network.takeRecords().count == 1)
        network.answer(call.at(.bob), 200, tag: "a")
        let second = network.answer(call.at(.bobsDesk), 200, tag: "b").first
        #expect(network.takeRecords() == [.callAnswered(number: number, at: network.now.unix, tag: Self.tag("a"))])
        network.send(call.fromCaller("BYE", after: second))
        #expect(network.takeRecords() == [.callHungUp(number: number, at: network.now.unix, tag: Self.tag("b"))])
        #expect(Self.tag("a") != Self.tag("b"))
        network.expectNothingLeft()
    }

    @Test("One device declines with 6xx while another rings: one end")
    func declined() {
        let network = TestNetwork(.alice, .bob, .bobsDesk)
        let call = Call(network)
        let (number, _) = record(network)
        network.answer(call.at(.bobsDesk), 180)
        network.answer(call.at(.bob), 603)
        network.answer(call.at(.bobsDesk), 487)
        #expect(
            network.takeRecords() == [
                .callRinging(number: number, at: network.now.unix),
                .callEnded(number: number, at: network.now.unix, status: 603, reason: .calleeDeclined),
            ])
        network.expectNothingLeft()
    }

    @Test("A BYE after a restart finds its record")
    func restarted() {
        let call = Call(network)
        let (number, _) = record(network)
        let ok = network.answer(call.first, 200).first
        let next = TestNetwork { $0.runKey = HashKey(90, 91) }
        next.send(call.fromCaller("BYE", after: ok))
        #expect(next.takeRecords() == [.callHungUp(number: number, at: next.now.unix, tag: Self.tag("to1"))])
        #expect(next.takeLog().contains("call=\(number.sid(prefix: "CA"))"))
        next.expectNothingLeft()
    }

    @Test("A BYE with a route of before there were records is forwarded and tells nothing")
    func oldRoute() {
        var writer = ByteWriter(capacity: 128)
        let token = RouteToken(
            caller: Device.alice.flow, callee: Device.bob.flow, callerTag: RouteToken.hash(tag: "from1"))
        token.write(to: &writer, callID: "call-1", key: TestNetwork.routeKey)
        let route = "Route: <sip:\(writer.slice.string)@192.0.2.1:5060;lr>"
        let bye = Device.alice.request("BYE", to: "sip:bob@10.0.0.2").with {
            $0.toTag = "to1"
            $0.headers = [route]
        }
        #expect(network.send(bye).summaries == ["BYE"])
        #expect(network.takeRecords().isEmpty)
        #expect(!network.takeLog().contains("call=CA"))
        network.expectNothingLeft()
    }

    @Test("A call that waits for a host name ends when that has none")
    func unresolved() {
        let network = TestNetwork(.alice)
        network.register(.bob, headers: ["Path: <sip:edge.example;lr>", "Supported: path"])
        _ = Call(network)
        let (number, _) = record(network)
        guard let resolution = network.effects.resolutions.first else {
            Issue.record("no name to resolve")
            return
        }
        _ = network.resolved(resolution, [])
        #expect(
            network.takeRecords() == [
                .callEnded(number: number, at: network.now.unix, status: 500, reason: .contactUnreachable)
            ])
        network.expectNothingLeft()
    }

    @Test("Numbers differ within a millisecond, and between two runs")
    func numbers() {
        let numbers = (0..<1000).map { _ in network.server.nextRecordNumber(now: network.now) }
        #expect(Set(numbers).count == 1000)
        #expect(numbers.allSatisfy { $0.time == network.now.unix })
        let other = TestNetwork { $0.runKey = HashKey(1, 1) }
        #expect(!numbers.contains(other.server.nextRecordNumber(now: other.now)))
    }

    @Test("The lines of a call and a text name their records")
    func log() {
        let call = Call(network)
        let (number, _) = record(network)
        #expect(network.takeLog().contains(" call=\(number.sid(prefix: "CA")) "))
        network.answer(call.first, 486)
        #expect(network.takeLog().contains(" call=\(number.sid(prefix: "CA")) "))
        _ = network.takeRecords()
        let sent = network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        network.answer(sent.first, 200)
        guard case .message(let text, _, _, _, _, _, _, _)? = network.takeRecords().first else { return }
        #expect(network.takeLog().contains(" message=\(text.sid(prefix: "SM")) "))
        network.expectNothingLeft()
    }

    // MARK: Texts

    private func message(_ text: String, type: String? = "text/plain", to callee: String = "bob") -> Request {
        network.signed(
            Device.alice.request("MESSAGE", to: callee).with {
                $0.body = text
                $0.headers = type.map { ["Content-Type: \($0)"] } ?? []
            })
    }

    /// What is told of a text: its callee, body, status and reason.
    private func expectMessage(
        _ records: [RecordChange], to: String = "bob", _ body: String, _ status: UInt16, _ reason: Reason?,
        after milliseconds: Int64 = 0, _ location: SourceLocation = #_sourceLocation
    ) {
        guard
            case .message(let number, 1, let callee, let text, let created, let ended, status, reason)? = records.first,
            records.count == 1
        else {
            Issue.record("\(records)", sourceLocation: location)
            return
        }
        #expect(callee == Array(to.utf8), sourceLocation: location)
        #expect(text == Array(body.utf8), sourceLocation: location)
        #expect(created == number.time, sourceLocation: location)
        #expect(ended == network.now.unix, sourceLocation: location)
        #expect(ended.milliseconds - created.milliseconds >= milliseconds, sourceLocation: location)
    }

    @Test("A delivered text is told once, with its body, at its 2xx", arguments: [200, 202])
    func delivered(_ status: Int) {
        let request = message("Grüße\r\n", type: "Text/Plain ; charset=utf-8")
        let sent = network.send(request)
        network.send(request)
        network.wait(milliseconds: 100)
        #expect(network.takeRecords().isEmpty)
        network.answer(sent.first, status)
        expectMessage(network.takeRecords(), "Grüße\r\n", UInt16(status), nil, after: 100)
        network.send(request)
        network.expectNothingLeft()
        #expect(network.takeRecords().isEmpty)
    }

    @Test("A text that fails, or that nobody answers, is told with status and reason")
    func undelivered() {
        let sent = network.send(message("hello"))
        network.answer(sent.first, 486)
        expectMessage(network.takeRecords(), "hello", 486, .calleeBusy)
        network.send(message("again").with { $0.branch = "z9hG4bK2" })
        network.wait(milliseconds: 32_000, step: 50)
        expectMessage(network.takeRecords(), "again", 408, .noAnswer, after: 31_000)
        network.expectNothingLeft()
    }

    @Test("A text that is refused is told at once")
    func refusedText() {
        network.send(message("hello", to: "nobody"))
        expectMessage(network.takeRecords(), to: "nobody", "hello", 404, .calleeUnknown)
        network.send(message("hello", to: "carol").with { $0.branch = "z9hG4bK2" })
        expectMessage(network.takeRecords(), to: "carol", "hello", 480, .calleeNotRegistered)
        #expect(network.takeLog().contains("message=SM"))
        network.expectNothingLeft()
    }

    @Test(
        "Only text that can be read is kept of a body",
        arguments: [
            (["Content-Type: text/html"], "x"), (["c: text/plain"], "x"), (["Content-Type: application/json"], ""),
            (["Content-Type: message/cpim"], ""), ([], ""),
            (["Content-Type: text/plain", "Content-Encoding: gzip"], ""),
            (["Content-Type: text/plain", "Content-Encoding: identity"], "x"), (["Content-Type: textual/x"], ""),
        ] as [([String], String)])
    func bodies(_ headers: [String], _ kept: String) {
        let request = network.signed(
            Device.alice.request("MESSAGE", to: "bob").with {
                $0.body = "x"
                $0.headers = headers
            })
        network.answer(network.send(request).first, 200)
        expectMessage(network.takeRecords(), kept, 200, nil)
        network.expectNothingLeft()
    }

    @Test(
        "A notice that somebody writes or has read is delivered and has no record",
        arguments: ["application/im-iscomposing+xml", "Message/IMDN+xml;charset=utf-8"])
    func notices(_ type: String) {
        let sent = network.send(message("<x/>", type: type))
        #expect(network.answer(sent.first, 200).summaries == ["200 MESSAGE"])
        network.send(message("<x/>", type: type, to: "nobody").with { $0.branch = "z9hG4bK2" })
        #expect(network.takeRecords().isEmpty)
        #expect(!network.takeLog().contains("message=SM"))
        network.expectNothingLeft()
    }

    @Test("A text that a call brings has no record: its dialog is proved, its sender is not")
    func inDialog() {
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        _ = network.takeRecords()
        let sent = network.send(call.fromCaller("MESSAGE", after: ok))
        network.answer(sent.first, 200)
        #expect(sent.summaries == ["MESSAGE"])
        #expect(network.takeRecords().isEmpty)
        network.expectNothingLeft()
    }

    @Test("A text to several devices is told once, at the first 2xx")
    func forkedText() {
        network.register(.bobsDesk)
        let sent = network.send(message("hello")).requests("MESSAGE")
        #expect(sent.count == 2)
        network.answer(sent.first, 200)
        network.answer(sent.last, 200)
        expectMessage(network.takeRecords(), "hello", 200, nil)
        network.expectNothingLeft()
    }

    // MARK: Clients with an application

    @Test("A client with an application calls and writes to nobody else, whatever it has dialled")
    func application() {
        network.add("alice", id: 1, hasApplication: true)
        for (index, callee) in ["bob", "nobody", "sip:x@elsewhere.example"].enumerated() {
            let sent = network.sendSigned(
                Device.alice.request("INVITE", to: callee, branch: "z9hG4bK\(index)").with { $0.callID = "call-a" })
            #expect(sent.summaries == ["501 INVITE"])
            #expect(sent.first?["Warning"].contains("R-1312") == true)
            let records = network.takeRecords()
            guard records.count == 2, case .callEnded(_, _, 501, .clientHasApplication) = records[1] else {
                Issue.record("\(records)")
                return
            }
        }
        #expect(network.send(message("hello")).summaries == ["501 MESSAGE"])
        expectMessage(network.takeRecords(), "hello", 501, .clientHasApplication)
        let options = network.sendSigned(Device.alice.request("OPTIONS", to: "bob"))
        #expect(options.summaries == ["OPTIONS"])
        network.answer(options.first, 200)
        network.expectNothingLeft()
    }

    @Test("A client with an application is asked who it is and whether it is registered first, and may be called")
    func applicationOrder() {
        let network = TestNetwork(.bob)
        network.add("alice", id: 1, hasApplication: true)
        #expect(network.send(Device.alice.request("INVITE", to: "bob")).summaries == ["407 INVITE"])
        let sent = network.sendSigned(Device.alice.request("INVITE", to: "bob", branch: "z9hG4bK2"))
        #expect(sent.first?["Warning"].contains("R-1301") == true)
        network.register(.alice)
        let call = Call(network, from: .bob, to: "alice") { $0.callID = "call-b" }
        let ok = network.answer(call.first, 200).first
        // What the client sends within the dialog goes its way.
        #expect(network.send(call.fromCallee("INVITE", .alice, after: call.first)).summaries.contains("INVITE"))
        #expect(network.send(call.fromCaller("BYE", after: ok)).summaries == ["BYE"])
        network.expectNothingLeft()
    }
}
