import Observability
import Primitives
import Testing

@testable import SIPProxy

@Suite("A server that is about to end")
struct SIPServerDrainTests {
    private func refused(_ network: TestNetwork, _ request: Request) {
        let sent = network.send(request)
        #expect(sent.count == 1)
        #expect(sent.first?.status == 503)
        let seconds = (sent.first?["Retry-After"]).flatMap { Int($0) } ?? 0
        #expect((10...20).contains(seconds))
        #expect(sent.first?.values("Warning").isEmpty == true, "whoever asks learns no more than that")
    }

    @Test("New calls, texts, subscriptions and OPTIONS get 503 with Retry-After, and leave no state")
    func refusals() {
        let network = TestNetwork(.alice, .bob)
        let signed = ["INVITE", "MESSAGE"].map { network.signed(Device.alice.request($0, to: "bob")) }
        network.server.beginDraining()
        for request in signed { refused(network, request) }
        for method in ["INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "OPTIONS"] {
            refused(network, Device.alice.request(method, to: "bob").with { $0.callID = "c-\(method)" })
        }
        #expect(network.takeLog().contains("R-1508"))
        network.expectNothingLeft()
        #expect(network.server.requestsUnderWay == 0)
    }

    @Test("A To tag that no route token proves makes a request of a stranger no older")
    func inventedTag() {
        let network = TestNetwork(.alice, .bob)
        network.server.beginDraining()
        for method in ["INVITE", "MESSAGE", "OPTIONS"] {
            refused(
                network,
                Device("alice", "203.0.113.7").request(method, to: "bob").with {
                    $0.callID = "c-\(method)"
                    $0.toTag = "zz"
                })
        }
        let update = Device.alice.request("INVITE", to: "bob").with { $0.toTag = "zz" }
        #expect(network.send(update).first?.status == 407, "a phone that keeps no route goes on")
    }

    @Test("Callers are told different times, so that they do not come back together")
    func jitter() {
        let network = TestNetwork(.alice)
        network.server.beginDraining()
        let times = (0..<50).map { number in
            network.send(Device.alice.request("INVITE", to: "bob").with { $0.callID = "c\(number)" }).first?[
                "Retry-After"]
        }
        #expect(Set(times).count > 5)
    }

    @Test("A call that rings can be answered, changed and ended; what is under way is counted")
    func callGoesOn() {
        let network = TestNetwork(.alice, .bob)
        let call = Call(network)
        network.server.beginDraining()
        #expect(network.server.requestsUnderWay == 1)
        #expect(network.send(call.invite).first?.status == 100, "a retransmission is no new call")
        #expect(network.answer(call.first, 180).first?.status == 180)
        let ok = network.answer(call.first, 200).first
        #expect(ok?.status == 200)
        #expect(network.send(call.fromCaller("ACK", after: ok)).requests("ACK").count == 1)
        let update = network.send(call.fromCaller("INVITE", sequence: 2, after: ok)).requests("INVITE")
        #expect(update.count == 1, "a re-INVITE is no new call")
        network.answer(update.first, 200)
        let bye = network.send(call.fromCaller("BYE", sequence: 3, after: ok)).requests("BYE")
        #expect(bye.count == 1)
        network.answer(bye.first, 200)
        #expect(network.server.requestsUnderWay == 0)
    }

    @Test("A call that rings can be cancelled")
    func cancel() {
        let network = TestNetwork(.alice, .bob)
        let call = Call(network)
        network.answer(call.first, 180)
        network.server.beginDraining()
        let sent = network.send(call.invite.with { $0.method = "CANCEL" })
        #expect(sent.contains { $0.status == 200 })
        #expect(sent.requests("CANCEL").count == 1)
    }

    @Test("Phones go on registering")
    func register() {
        let network = TestNetwork(.alice)
        let nonce = network.nonce()
        network.server.beginDraining()
        var request = Device.bob.request("REGISTER", to: "sip:example.com", branch: "z9hG4bKdrain")
        request.toURI = "sip:bob@example.com"
        #expect(network.send(request.signed(nonce: nonce, header: "Authorization")).first?.status == 200)
    }

    @Test("Texts of the API are refused too")
    func ownMessage() {
        let network = TestNetwork(.alice, .bob)
        network.server.beginDraining()
        let (reason, sent) = network.sendMessage()
        #expect(reason == .serverStopping)
        #expect(sent.isEmpty)
    }
}

@Suite("Settings that are replaced while the server runs")
struct ReplacedSettingsTests {
    @Test("They hold for the next request")
    func forks() {
        let network = TestNetwork(.alice, .bob)
        network.register(.bob, contact: "sip:bob@10.9.9.9")
        #expect(Call(network).forwarded.count == 2)
        network.server.replaceSettings { $0.maxForks = 1 }
        let call = Call(network) {
            $0.callID = "second"
            $0.branch = "z9hG4bKsecond"
        }
        #expect(call.forwarded.count == 1)
    }

    @Test("A transaction that runs goes on")
    func transaction() {
        let network = TestNetwork(.alice, .bob)
        let call = Call(network)
        network.server.replaceSettings { $0.timers.t1 = 100 }
        #expect(network.answer(call.first, 486).contains { $0.status == 486 })
        network.expectNothingLeft()
    }
}
