import Observability
import Primitives
import SIPRegistrar
import Testing

@testable import SIPProxy

/// RFC 5626 in the proxy: flows of one device, and dialogs whose peer has come back by another flow.
@Suite struct CallShardFlowsTests {
    static let first = Device("bob", "203.0.113.9", port: 61000, listener: 2, connection: 11)
    static let second = Device("bob", "203.0.113.9", port: 61001, listener: 2, connection: 12)

    /// Registers a flow of an instance.
    func register(
        _ network: TestNetwork, _ device: Device, _ number: Int, instance: String = "urn:uuid:1", port: Int = 5060
    ) {
        network.registerFlow(
            device, "<sip:bob@10.0.0.7:\(port);transport=tcp>;+sip.instance=\"<\(instance)>\";reg-id=\(number)")
    }

    func network() -> TestNetwork {
        let network = TestNetwork(.alice)
        register(network, Self.first, 1)
        network.wait(milliseconds: 10)
        register(network, Self.second, 2)
        return network
    }

    @Test func `Of two flows of a device the later one is tried, the other waits`() {
        let network = network()
        let call = Call(network)
        #expect(call.forwarded.map(\.flow) == [Self.second.flow])
        #expect(network.answer(call.first, 200).responses(200).count == 1)
        network.expectNothingLeft()
    }

    @Test(arguments: [430, 503])
    func `When the flow has failed the device's other one is tried, and the caller hears nothing of that`(status: Int) {
        let network = network()
        let call = Call(network)
        let sent = status == 430 ? network.answer(call.first, 430) : network.fail(call.first)
        #expect(sent.requests("INVITE").map(\.flow) == [Self.first.flow])
        #expect(sent.responses(430).isEmpty && sent.responses(500).isEmpty)
        let next = sent.requests("INVITE").first
        #expect(network.answer(next, 180).responses(180).count == 1)
        #expect(network.answer(next, 486).responses(486).count == 1)
        network.expectNothingLeft()
    }

    @Test func `When all flows have failed the caller hears 480, not 430`() {
        let network = network()
        let call = Call(network)
        let second = network.answer(call.first, 430).requests("INVITE").first
        let end = network.answer(second, 430)
        #expect(end.responses(480).count == 1, "\(end.map(\.text))")
        #expect(network.takeLog().contains("R-1317"))
        network.expectNothingLeft()
    }

    @Test func `A device that refuses has refused: its other flow does not ring`() {
        let network = network()
        let call = Call(network)
        #expect(network.answer(call.first, 486).requests("INVITE").isEmpty)
        network.expectNothingLeft()
    }

    @Test func `Two devices ring together, each by one flow`() {
        let network = network()
        let other = Device("bob", "203.0.113.10", port: 62000, listener: 2, connection: 13)
        register(network, other, 1, instance: "urn:uuid:2")
        let call = Call(network)
        #expect(Set(call.forwarded.map(\.flow)) == [Self.second.flow, other.flow])
        let sent = network.fail(call.at(Self.second))
        #expect(sent.requests("INVITE").map(\.flow) == [Self.first.flow])
        #expect(network.answer(call.at(other), 200).requests("CANCEL").isEmpty, "it has not answered yet (9.1)")
        #expect(network.answer(sent.requests("INVITE").first, 180).requests("CANCEL").count == 1)
        network.expectNothingLeft()
    }

    @Test func `A caller who gives up while a flow fails is not answered by the other one`() {
        let network = network()
        let call = Call(network)
        network.answer(call.first, 180)
        network.send(call.invite.cancel)
        #expect(network.fail(call.first).requests("INVITE").isEmpty)
        network.expectNothingLeft()
    }

    @Test func `A phone that has refused does not ring by its other flow when our ACK comes back`() {
        let network = TestNetwork(.alice)
        let flows = [UInt16(61000), 61001].map { Device("bob", "203.0.113.9", port: $0) }
        for (number, device) in flows.enumerated() {
            network.registerFlow(
                device, "<sip:bob@10.0.0.7>;+sip.instance=\"<urn:uuid:1>\";reg-id=\(number + 1)")
            network.wait(milliseconds: 10)
        }
        network.register(.bobsDesk)
        let call = Call(network)
        network.answer(call.at(.bobsDesk), 180)
        let ack = network.answer(call.at(flows[1]), 486).requests("ACK").first
        #expect(ack?.flow == flows[1].flow)
        #expect(network.bounce(ack).isEmpty)
        #expect(network.answer(call.at(.bobsDesk), 486).responses(486).count == 1)
        network.expectNothingLeft()
    }

    // MARK: A connection that is closed while it rings

    func close(_ device: Device, _ network: TestNetwork) {
        network.server.connectionClosed(device.flow.connection, now: network.now, effects: &network.effects)
        _ = network.location.connectionClosed(device.flow.connection, reconnectTime: 5000, now: network.now)
    }

    @Test func `CANCEL and the ACK after it follow a ringing phone that has reconnected`() {
        let network = TestNetwork(.alice)
        register(network, Self.first, 1)
        let call = Call(network)
        network.answer(call.first, 180)
        close(Self.first, network)
        let back = Device("bob", "198.51.100.200", port: 7777, listener: 2, connection: 14)
        register(network, back, 1, port: 7777)
        #expect(network.keepAlive(seconds: 6).isEmpty, "it came back: it rings on")
        let cancel = network.send(call.invite.cancel).requests("CANCEL").first
        #expect(cancel?.flow == back.flow)
        #expect(cancel?.values("Via") == [call.first?["Via"] ?? ""])
        network.answer(cancel, 200)
        let end = network.answer(call.first, 487)
        #expect(end.requests("ACK").map(\.flow) == [back.flow])
        #expect(end.responses(487).count == 1)
        network.expectNothingLeft()
    }

    @Test func `When a ringing phone does not come back the caller is told, and need not wait for Timer C`() {
        let network = TestNetwork(.alice)
        register(network, Self.first, 1)
        let call = Call(network)
        network.answer(call.first, 180)
        close(Self.first, network)
        #expect(network.keepAlive(seconds: 4).isEmpty)
        let end = network.keepAlive(seconds: 2)
        #expect(end.summaries == ["500 INVITE"], "\(end.map(\.text))")
        network.expectNothingLeft()
    }

    @Test func `A text goes by one flow too, and by the other when that has failed`() {
        let network = network()
        let (reason, sent) = network.sendMessage()
        #expect(reason == nil && sent.map(\.flow) == [Self.second.flow])
        #expect(network.fail(sent.first).map(\.flow) == [Self.first.flow])
    }

    // MARK: Dialogs

    @Test func `Pain 9: a phone on TCP that reconnects with another contact keeps its call`() {
        let network = TestNetwork(.alice)
        register(network, Self.first, 1)
        let call = Call(network)
        let ok = network.answer(call.first, 200).responses(200).first
        let connection = Self.first.flow.connection
        _ = network.location.connectionClosed(connection, reconnectTime: 5000, now: network.now)
        let back = Device("bob", "198.51.100.200", port: 7777, listener: 2, connection: 14)
        register(network, back, 1, port: 7777)
        #expect(network.send(call.fromCaller("BYE", after: ok)).requests("BYE").map(\.flow) == [back.flow])
        // And once more, with the second connection lost as well.
        let again = Device("bob", "198.51.100.201", port: 7778, listener: 2, connection: 15)
        register(network, again, 1, port: 7778)
        let ack = call.fromCaller("ACK", after: ok)
        #expect(network.send(ack).requests("ACK").map(\.flow) == [again.flow])
    }

    @Test func `The contact's user need not be the login: the dialog's To is tried as well`() {
        let network = TestNetwork(.alice)
        network.registerFlow(Self.first, "<sip:x7f3q@10.0.0.7;transport=tcp>;+sip.instance=\"<urn:uuid:1>\";reg-id=1")
        let call = Call(network)
        let ok = network.answer(call.first, 200).responses(200).first
        let back = Device("bob", "198.51.100.200", port: 7777, listener: 2, connection: 14)
        network.registerFlow(back, "<sip:y8@10.0.0.7;transport=tcp>;+sip.instance=\"<urn:uuid:1>\";reg-id=1")
        let bye = call.fromCaller("BYE", after: ok).with { $0.requestURI = "sip:x7f3q@10.0.0.7;transport=tcp" }
        #expect(network.send(bye).requests("BYE").map(\.flow) == [back.flow])
    }

    @Test func `A binding that never was on the call's flow gets nothing of it`() {
        let network = TestNetwork(.alice)
        register(network, Self.first, 1)
        let call = Call(network)
        let ok = network.answer(call.first, 200).responses(200).first
        // Another device of Bob's comes, and the first is gone.
        register(network, Self.second, 1, instance: "urn:uuid:2")
        _ = network.location.connectionClosed(Self.first.flow.connection)
        let bye = network.send(call.fromCaller("BYE", after: ok))
        #expect(
            bye.requests("BYE").map(\.flow) == [Self.first.flow], "to the flow that is gone, where the edge says so")
        let end = network.fail(bye.requests("BYE").first)
        #expect(end.responses(430).count == 1, "\(end.map(\.text))")
    }

    @Test func `A request in a dialog does not follow the contact of another client at the peer's address`() {
        let network = TestNetwork(.alice)
        register(network, Self.first, 1)
        let carol = Device("carol", "203.0.113.9", port: 61900, listener: 2, connection: 19)
        network.registerFlow(carol, "<sip:carol@10.0.0.8;transport=tcp>")
        let call = Call(network)
        let ok = network.answer(call.first, 200).responses(200).first
        let info = call.fromCaller("INFO", after: ok).with { $0.requestURI = "sip:carol@10.0.0.8;transport=tcp" }
        #expect(network.send(info).requests("INFO").map(\.flow) == [Self.first.flow])
    }

    @Test func `A phone that comes back to the same contact late keeps its call, unless two share that contact`() {
        for isShared in [false, true] {
            let network = TestNetwork(.alice)
            let contact = "<sip:bob@10.0.0.7;transport=tcp>"
            network.registerFlow(Self.first, contact)
            let call = Call(network)
            let ok = network.answer(call.first, 200).responses(200).first
            _ = network.location.connectionClosed(Self.first.flow.connection)
            let back = Device("bob", "203.0.113.9", port: 61003, listener: 2, connection: 16)
            network.registerFlow(back, contact)
            // `registerFlow` has another Call-ID each time.
            let last = Device("bob", "203.0.113.9", port: 61004, listener: 2, connection: 17)
            if isShared { network.registerFlow(last, contact) }
            let bye = call.fromCaller("BYE", after: ok).with { $0.requestURI = "sip:bob@10.0.0.7;transport=tcp" }
            #expect(network.send(bye).requests("BYE").map(\.flow) == [isShared ? Self.first.flow : back.flow])
        }
    }

    @Test func `A BYE does not go to the phone that took over the contact with another Call-ID`() {
        let network = TestNetwork(.alice)
        let home = Device("bob", "203.0.113.9", port: 61000)
        let office = Device("bob", "203.0.113.77", port: 62000)
        network.registerFlow(home, "<sip:bob@192.168.1.10:5060>")
        let call = Call(network)
        let ok = network.answer(call.first, 200).responses(200).first
        network.registerFlow(office, "<sip:bob@192.168.1.10:5060>")
        let bye = call.fromCaller("BYE", after: ok).with { $0.requestURI = "sip:bob@192.168.1.10:5060" }
        #expect(network.send(bye).requests("BYE").map(\.flow) == [home.flow])
    }

    @Test func `Pain 4: a UDP caller and a TCP callee end their call from both sides`() {
        for isCaller in [true, false] {
            let network = TestNetwork(.alice)
            register(network, Self.first, 1)
            let call = Call(network)
            let invite = call.first
            #expect(invite?.values("Record-Route").count == 2)
            let ok = network.answer(invite, 200).responses(200).first
            let bye =
                isCaller
                ? network.send(call.fromCaller("BYE", after: ok))
                : network.send(call.fromCallee("BYE", Self.first, after: invite))
            #expect(bye.requests("BYE").map(\.flow) == [isCaller ? Self.first.flow : Device.alice.flow])
            #expect(bye.requests("BYE").first?.values("Route").isEmpty == true, "both values are ours")
        }
    }
}

extension TestNetwork {
    /// Registers a device by a Contact value with parameters, as RFC 5626 has it.
    func registerFlow(_ device: Device, _ contact: String) {
        flows += 1
        var request = device.request("REGISTER", to: "sip:example.com", branch: "z9hG4bKflow\(flows)")
        request.toURI = "sip:\(device.user)@example.com"
        request.callID = "flow-\(flows)"
        request.sequence = flows
        request.headers = ["Supported: outbound"]
        let text = request.signed(nonce: nonce(), header: "Authorization").text
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).map {
            $0.hasPrefix("Contact:") ? "Contact: \(contact)" : String($0)
        }
        let sent = send(lines.joined(separator: "\r\n"), from: device.flow)
        #expect(sent.last?.status == 200, "\(sent.map(\.text))")
    }
}
