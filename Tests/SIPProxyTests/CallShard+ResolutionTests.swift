import NameResolution
import Primitives
import Testing

@testable import SIPProxy

@Suite("Contacts that are not reached over their REGISTER's flow (RFC 3261 16.6 step 7, RFC 3263)")
struct ResolutionTests {
    let network = TestNetwork(.alice)

    /// bob with a contact behind a host name.
    private func registerName(_ host: String = "edge.example", q: String? = nil, device: Device = .bob) {
        network.register(device, q: q, headers: ["Path: <sip:\(host):5070;lr>", "Supported: path"])
    }

    private func resolve(_ addresses: [String]) -> [Sent] {
        let resolutions = network.effects.resolutions
        network.effects.resolutions = []
        var sent: [Sent] = []
        for resolution in resolutions {
            sent += network.resolved(resolution, addresses.map { Device.socket($0, 0).address })
        }
        return sent
    }

    @Test("A host name is asked for, and the request goes on to its address")
    func name() {
        registerName()
        let call = Call(network)
        #expect(call.forwarded.isEmpty)
        #expect(network.effects.resolutions.map { String(decoding: $0.query.host, as: UTF8.self) } == ["edge.example"])
        let sent = resolve(["203.0.113.5", "203.0.113.6"])
        #expect(sent.summaries == ["INVITE"])
        #expect(sent.first?.flow.remote == Device.socket("203.0.113.5", 5070))
        #expect(sent.first?["Route"] == "<sip:edge.example:5070;lr>")
        #expect(sent.first?.values("Via").last?.hasSuffix(";rport=5060;received=198.51.100.1") == true)
        #expect(sent.first?["Proxy-Authorization"] == "")
        #expect(network.answer(sent.first, 200).summaries == ["200 INVITE"])
        network.expectNothingLeft()
    }

    @Test("A name without any address is as a contact that answered 503")
    func noAddress() {
        registerName()
        network.register(.bobsDesk, q: "0.1")
        _ = Call(network)
        let next = resolve([])
        #expect(next.summaries == ["INVITE"])
        #expect(next.first?.flow == Device.bobsDesk.flow)
        #expect(network.answer(next.first, 486).summaries == ["ACK", "486 INVITE"])
        network.expectNothingLeft()
    }

    @Test("When no contact is left the caller gets 500")
    func onlyName() {
        registerName()
        _ = Call(network)
        let end = resolve([])
        #expect(end.summaries == ["500 INVITE"])
        #expect(end.first?["Call-ID"] == "call-1")
        #expect(network.takeLog().contains("R-1311"))
        network.expectNothingLeft()
    }

    @Test("A resolver that does not answer fails the branch, and what it says later is ignored")
    func timeout() {
        registerName()
        _ = Call(network)
        #expect(network.wait(milliseconds: 6_000).responses(500).first?["Call-ID"] == "call-1")
        #expect(resolve(["203.0.113.5"]).isEmpty)
        network.expectNothingLeft()
    }

    @Test("9.1: a call that is cancelled before its name is resolved is answered 487 at once")
    func cancelled() {
        registerName()
        let call = Call(network)
        let sent = network.send(call.invite.cancel)
        #expect(sent.summaries == ["200 CANCEL", "487 INVITE"])
        #expect(resolve(["203.0.113.5"]).isEmpty)
        network.expectNothingLeft()
    }

    @Test("A device that answers first leaves nothing for the name that is resolved later")
    func answeredFirst() {
        registerName()
        network.register(.bobsDesk)
        let call = Call(network)
        #expect(call.forwarded.count == 1)
        #expect(network.answer(call.first, 200).summaries == ["200 INVITE"])
        #expect(resolve(["203.0.113.5"]).isEmpty)
        network.expectNothingLeft()
    }

    @Test("RFC 5393 5.3.3: a branch that waited for its name gets its share of Max-Breadth too")
    func breadth() {
        registerName()
        network.register(.bobsDesk)
        let call = Call(network) { $0.headers = ["Max-Breadth: 8"] }
        #expect(call.first?.values("Max-Breadth") == ["4"])
        #expect(resolve(["203.0.113.5"]).first?.values("Max-Breadth") == ["4"])
        network.expectNothingLeft()
    }

    @Test("The time for a name runs from when it is asked for, whatever was asked before")
    func secondGroup() {
        registerName()
        registerName("other.example", q: "0.1", device: .bobsDesk)
        _ = Call(network)
        network.wait(milliseconds: 4_000)
        #expect(resolve([]).isEmpty)
        #expect(network.wait(milliseconds: 2_000).isEmpty)
        #expect(resolve(["203.0.113.5"]).summaries == ["INVITE"])
        network.expectNothingLeft()
    }

    @Test("A message to a name is not answered twice when its other branch succeeds")
    func message() {
        registerName()
        network.register(.bobsDesk)
        let sent = network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        #expect(network.answer(sent.first, 200).summaries == ["200 MESSAGE"])
        #expect(network.server.tableSizes.contexts == 0)
        #expect(resolve(["203.0.113.5"]).isEmpty)
        network.expectNothingLeft()
        #expect(!network.takeLog().contains("R-1311"))
    }

    @Test("RFC 3263 4.1: a contact with TCP that was registered over UDP is called over TCP")
    func transport() {
        network.register(.bob, contact: "sip:bob@203.0.113.9:5066;transport=tcp")
        let call = Call(network)
        #expect(call.first?.flow.transport == .tcp)
        #expect(call.first?.flow.listener == 2)
        #expect(call.first?.flow.remote == Device.socket("203.0.113.9", 5066))
        #expect(call.first?["Via"].hasPrefix("SIP/2.0/TCP") == true)
        network.expectNothingLeft()
    }

    @Test("A contact over a transport that we do not have is as one that answered 503")
    func unknownTransport() {
        network.register(.bob, headers: ["Path: <sip:203.0.113.9;transport=sctp;lr>", "Supported: path"])
        let sent = network.sendSigned(Device.alice.request("INVITE", to: "bob"))
        #expect(sent.summaries == ["100 INVITE", "500 INVITE"])
        let message = network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        #expect(message.summaries == ["500 MESSAGE"])
        network.expectNothingLeft()
    }

    @Test("A phone that lost its route still reaches the contact of its dialog, and no other address")
    func lostRoute() {
        network.register(.bob)
        let call = Call(network)
        let ok = network.answer(call.first, 200).first
        let bye = call.fromCaller("BYE", after: ok).with {
            $0.headers = []
            $0.requestURI = Device.bob.contact
        }
        let sent = network.sendSigned(bye)
        #expect(sent.summaries == ["BYE"])
        #expect(sent.first?.flow == Device.bob.flow)
        let other = bye.with {
            $0.requestURI = "sip:bob@198.51.100.77"
            $0.branch = "z9hG4bKother"
        }
        #expect(network.sendSigned(other).summaries == ["404 BYE"])
        network.expectNothingLeft()
    }
}
