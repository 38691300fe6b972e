import Observability
import Primitives
import Testing

@testable import SIPProxy

@Suite("The server as a whole")
struct SIPServerTests {
    @Test("It is busy from the first message on until the last timer is gone")
    func busy() {
        let network = TestNetwork(.alice, .bob)
        network.wait(milliseconds: 100)
        #expect(!network.server.isBusy)
        let sent = network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        #expect(network.server.isBusy)
        network.wait(milliseconds: 100)
        #expect(network.server.isBusy)
        network.answer(sent.first, 200)
        network.wait(milliseconds: 33_000)
        #expect(!network.server.isBusy)
    }

    @Test("Tables are counted: a call is a server and a client transaction, a context and their timers")
    func tableSizes() {
        let network = TestNetwork(.alice, .bob)
        _ = Call(network)
        #expect(network.server.tableSizes == (2, 1, 3))
        network.expectNothingLeft()
    }

    @Test("Neither stray nor malformed responses are answered or forwarded")
    func strayResponses() {
        let network = TestNetwork(.alice, .bob)
        for text in ["SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 999 X\r\n\r\n", "SIP/2.0 200", "\r\n\r\n", "\0\0\0\0"] {
            #expect(network.send(text, from: Device.bob.flow).isEmpty)
        }
        network.expectStateless()
    }

    @Test("A call leaves a line when it begins and one when it ends, with what became of it")
    func log() {
        let network = TestNetwork(.alice, .bob)
        _ = network.takeLog()
        let call = Call(network)
        #expect(network.takeLog().contains("call.start"))
        network.answer(call.first, 486)
        let end = network.takeLog()
        #expect(end.contains("call.end"))
        #expect(end.contains("result=busy"))
        #expect(end.contains("R-1404"))
        let answered = Call(network) {
            $0.callID = "2"
            $0.branch = "z9hG4bK2"
        }
        let ok = network.answer(answered.first, 200).first
        network.send(answered.fromCaller("BYE", after: ok))
        #expect(network.takeLog().contains("result=completed"))
        let message = network.sendSigned(Device.alice.request("MESSAGE", to: "bob"))
        network.answer(message.first, 202)
        #expect(network.takeLog().contains("sip=202"))
        network.expectNothingLeft()
    }

    @Test("No log line tells a password, a response digest or a nonce")
    func secrets() {
        let network = TestNetwork(.alice, .bob)
        let call = Call(network)
        network.send(network.signed(Device.alice.request("INVITE", to: "bob"), password: "guess"))
        network.answer(call.first, 603)
        let log = network.takeLog()
        #expect(!log.contains("guess"))
        #expect(!log.contains("secret"))
        #expect(!log.contains("Digest"))
        network.expectNothingLeft()
    }

    @Test("An advertised host and port are what peers are told")
    func advertised() {
        let listener = Listener(
            transport: .tcp, address: Device.socket("10.0.0.1", 5060), advertisedHost: Array("sip.example.com".utf8),
            advertisedPort: 15060)
        #expect(listener.host == Array("sip.example.com".utf8))
        #expect(listener.port == 15060)
        #expect(listener.viaStart == Array("Via: SIP/2.0/TCP sip.example.com:15060;rport;branch=z9hG4bK".utf8))
        #expect(listener.routeEnd == Array("@sip.example.com:15060;transport=tcp;lr>".utf8))
    }
}
