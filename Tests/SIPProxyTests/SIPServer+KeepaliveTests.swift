import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import Testing

@testable import SIPProxy

@Suite struct SIPServerKeepaliveTests {
    /// Bob behind a NAT: his Contact names a private address.
    static let bob = Device("bob", "203.0.113.9", port: 61000)
    static let contact = "sip:bob@10.0.0.7:5060"

    func network(
        _ device: Device = bob, contact: String = contact, _ change: @escaping (inout ServerSettings) -> Void = { _ in }
    ) -> TestNetwork {
        let network = TestNetwork(change)
        network.register(.alice)
        network.register(device, contact: contact)
        _ = network.takeLog()
        return network
    }

    @Test func `A ping is a small OPTIONS over the device's flow that names nobody else, and leaves nothing behind`() {
        let network = network()
        let sent = network.keepAlive(seconds: 26)
        #expect(sent.count == 1)
        guard let ping = sent.first else { return }
        #expect(ping.flow == Self.bob.flow)
        #expect(ping.requestURI == Self.contact)
        #expect(ping["Max-Forwards"] == "70" && ping["CSeq"] == "1 OPTIONS")
        #expect(ping["To"] == "<sip:bob@example.com>")
        #expect(ping["From"].hasPrefix("<sip:example.com>;tag="))
        #expect(ping.bytes.count < 450)
        var message = SIPMessage()
        #expect(ping.bytes.withSlice { message.parse($0) } == nil)
        network.expectStateless()
    }

    @Test(arguments: [200, 404, 486, 500, 603])
    func `Any answer is a sign of life, at whatever worker it comes in`(status: Int) {
        let network = network()
        let ping = network.keepAlive(seconds: 26).first
        network.wait(milliseconds: 3000)
        #expect(network.answer(ping, status).isEmpty)
        #expect(network.lastHeard("bob") == network.now.unix.seconds)
        network.expectStateless()
    }

    @Test func `A forged or changed answer is none, nor one that is repeated later`() {
        let network = network()
        guard let ping = network.keepAlive(seconds: 26).first else { return }
        let genuine = network.response(to: ping, 200)
        let before = network.lastHeard("bob")
        network.wait(milliseconds: 2000)
        let branch = ping.branch
        for index in [10, 20, 31, 40, branch.count - 2] {
            var digits = Array(branch)
            digits[index] = digits[index] == "A" ? "B" : "A"
            network.send(genuine.replacingBranch(branch, String(digits)), from: Self.bob.flow)
        }
        network.send(
            genuine.replacingBranch(branch, "z9hG4bKrcp" + String(repeating: "A", count: 43)), from: Self.bob.flow)
        #expect(network.lastHeard("bob") == before)
        network.wait(milliseconds: 60_000, step: 1000)
        network.send(genuine, from: Self.bob.flow)
        #expect(network.lastHeard("bob") == before)
    }

    @Test func `A device that stops answering is told once, passed by at once, and told again when it is back`() {
        let network = network()
        network.register(.bobsDesk)
        network.keepAlive(seconds: 60, answering: true)
        _ = network.takeLog()
        network.keepAlive(seconds: 110, answering: false)
        let log = network.takeLog()
        #expect(log.components(of: "reg.unreachable") == 1, "\(log)")
        #expect(log.contains("user=bob") && log.contains("silent="))
        #expect(Call(network).forwarded.map(\.flow) == [Device.bobsDesk.flow])
        network.keepAlive(seconds: 30, answering: true)
        #expect(network.takeLog().components(of: "reg.reachable") == 1)
        #expect(Call(network) { $0.callID = "again" }.forwarded.count == 2)
    }

    @Test func `When every device is known to be silent the caller hears so at once, 480 R-1317`() {
        let network = network()
        network.keepAlive(seconds: 60, answering: true)
        network.keepAlive(seconds: 110, answering: false)
        let answer = network.sendSigned(Device.alice.request("INVITE", to: "bob"))
        #expect(answer.summaries == ["480 INVITE"])
        #expect(answer.first?["Warning"].contains("R-1317") == true)
        #expect(network.sendMessage().reason == .calleeUnreachable)
        network.register(Self.bob, contact: Self.contact)
        #expect(network.takeLog().contains("reg.reachable"))
        #expect(network.sendMessage().reason == nil)
    }

    @Test func `A device that never answers OPTIONS is called all the same`() {
        let network = network()
        network.keepAlive(seconds: 300, answering: false)
        #expect(Call(network).forwarded.count == 1)
        #expect(!network.takeLog().contains("reg.unreachable"))
    }

    @Test func `Pings that the network returns make a device unreachable`() {
        let network = network()
        for _ in 0..<4 {
            for ping in network.keepAlive(seconds: 24) { network.bounce(ping) }
        }
        #expect(network.takeLog().components(of: "reg.unreachable") == 1)
        #expect(network.sendMessage().reason == .calleeUnreachable)
    }

    @Test func `An old ping that comes back again and again counts for nothing`() {
        let network = network()
        let old = network.keepAlive(seconds: 26).first
        #expect(old != nil)
        for _ in 0..<4 {
            network.keepAlive(seconds: 60)
            network.bounce(old)
        }
        #expect(!network.takeLog().contains("reg.unreachable"))
    }

    @Test func `Pain 7: a device on TCP is pinged on its connection, and on nothing else when that is gone`() {
        let device = Device("bob", "203.0.113.9", port: 61000, listener: 2, connection: 55)
        let network = network(device, contact: "sip:bob@10.0.0.7:5060;transport=tcp")
        let pings = network.keepAlive(seconds: 60, answering: true)
        #expect(pings.count >= 2 && pings.allSatisfy { $0.flow == device.flow })
        #expect(pings.allSatisfy { $0.origin == 0 }, "no connection is opened for it")
        _ = network.location.connectionClosed(55, reconnectTime: 5000, now: network.now)
        #expect(network.keepAlive(seconds: 4).isEmpty)
        let dropped = network.server.keepAlive(now: network.later(2000), effects: &network.effects)
        #expect(dropped.count == 1)
    }

    @Test func `An empty line is four bytes, and on a connection its answer is a sign of life`() {
        let network = network { $0.keepalive.method = .emptyLine }
        let sent = network.keepAlive(seconds: 50)
        #expect(sent.count == 2 && sent.allSatisfy { $0.bytes == Array("\r\n\r\n".utf8) && $0.flow == Self.bob.flow })
        network.keepAlive(seconds: 200)
        #expect(!network.takeLog().contains("reg.unreachable"), "over UDP nobody answers it")
    }

    @Test func `A thousand devices that fall silent together are told by sixty lines and a count`() {
        let network = network()
        let change = ReachabilityChange(
            login: Array("bob".utf8), binding: network.binding("bob") ?? network.anyBinding)
        network.server.log(
            Array(repeating: change, count: 1000), .registrationUnreachable, network.now, &network.effects)
        #expect(network.takeLog().components(of: "reg.unreachable") == 60)
        network.keepAlive(seconds: 61)
        let log = network.takeLog()
        #expect(log.components(of: "log.suppressed") == 1 && log.contains("lines=940"), "\(log)")
    }

    // MARK: STUN

    @Test func `A STUN Binding Request over UDP is told its address, over TCP it is no message`() {
        let network = TestNetwork()
        let request: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + (1...12)
        let sent = network.send(request, from: Self.bob.flow)
        #expect(sent.count == 1 && sent.first?.flow == Self.bob.flow && sent.first?.bytes.count == 32)
        #expect(network.send(request, from: Device.carol.flow).isEmpty)
        #expect(network.send(Array(request.dropLast()), from: Self.bob.flow).isEmpty)
    }

    // MARK: RFC 6223

    @Test func `A caller that offers keepalives is told how often in every response to its INVITE`() {
        let network = TestNetwork(.alice, .bob)
        let call = Call(network) { $0.viaParameters = ";rport;keep" }
        #expect(call.first?.values("Via").last?.contains(";keep=25") == true)
        let bye = call.fromCaller("BYE", after: network.answer(call.first, 200).first).with {
            $0.viaParameters = ";keep"
        }
        #expect(network.send(bye).requests("BYE").first?.values("Via").last?.contains("keep=") == false)
    }
}

extension TestNetwork {
    /// Lets time pass with the keepalive's sweeps, and answers the pings or not; gives the pings.
    @discardableResult
    func keepAlive(seconds: UInt64, answering: Bool = false) -> [Sent] {
        var pings: [Sent] = []
        for _ in 0..<seconds * 10 {
            wait(milliseconds: 100, step: 100)
            _ = server.keepAlive(now: now, effects: &effects)
            let sent = send("", from: Device.alice.flow)
            pings += sent
            if answering { for ping in sent { answer(ping, 200) } }
        }
        return pings
    }

    func later(_ milliseconds: UInt64) -> Now {
        wait(milliseconds: milliseconds)
        return now
    }

    func binding(_ user: String) -> Binding? {
        user.withSlice { location.withClient($0) { $0.bindings.first } } ?? nil
    }

    var anyBinding: Binding {
        Binding(
            .init(contact: "sip:x@y"), callIDHash: HashValue(0, 0), sequenceNumber: 0, expiresAt: now.unix,
            createdAt: now.unix, updatedAt: now.unix, flow: Device.alice.flow)
    }

    /// When a client's first device was heard last, in seconds.
    func lastHeard(_ user: String) -> Int64 { binding(user)?.liveness.lastHeard.seconds ?? -1 }
}

extension String {
    fileprivate func replacingBranch(_ branch: String, _ other: String) -> String {
        split(separator: branch, omittingEmptySubsequences: false).joined(separator: other)
    }

    /// How many lines have this event.
    fileprivate func components(of event: String) -> Int {
        split(separator: "\n").filter { $0.contains(" \(event) ") }.count
    }
}
