import Observability
import Primitives
import Testing

@testable import SIPProxy

@Suite("What may be under way: in all, for one client, for strangers, and under load")
struct SIPServerBoundsTests {
    @Test("8.2.7, ES2021-06: ten thousand requests without credentials leave no transaction, context or timer")
    func strangersHoldNothing() {
        let network = TestNetwork(.alice, .bob)
        for number in 0..<10_000 {
            let method = ["INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS"][number % 4]
            let sent = network.send(
                Device("mallory", "203.0.113.7").request(method, to: "bob", branch: "z9hG4bK\(number)").with {
                    $0.callID = "stranger-\(number)"
                })
            #expect(sent.map(\.status) == [407])
        }
        network.expectStateless()
    }

    @Test("CVE-2020-28327: INVITEs that are never acknowledged end by timers H and L, whatever their answer was")
    func neverAcknowledged() {
        let network = TestNetwork(.alice, .bob)
        for (number, status) in [486, 200, 603, 180, 404].enumerated() {
            for copy in 0..<20 {
                let call = Call(network) {
                    $0.callID = "unacknowledged-\(number)-\(copy)"
                    $0.branch = "z9hG4bKu\(number)x\(copy)"
                }
                network.answer(call.first, status)
                // The nonce of a client that has used a later one already is stale.
                network.wait(milliseconds: 5)
            }
        }
        #expect(network.server.tableSizes.transactions == 200)
        // Timer C ends what rings, and 64*T1 what is cancelled.
        network.wait(milliseconds: 40_000, step: 500)
        #expect(network.server.tableSizes.contexts == 20, "only those that ring")
        network.expectNothingLeft()
        #expect(network.openTransactions(of: "alice") == 0)
    }

    @Test("A client whose share is used up gets 503, R-1509 and Retry-After, without a transaction or a record")
    func share() {
        let network = TestNetwork(.alice, .bob, .carol) { $0.maxTransactionsPerClient = 5 }
        _ = network.takeRecords()
        let calls = (0..<5).map { number in
            Call(network) {
                $0.callID = "share-\(number)"
                $0.branch = "z9hG4bKs\(number)"
            }
        }
        let records = network.takeRecords().count
        let before = network.server.tableSizes
        let refused = network.sendSigned(Device.alice.request("INVITE", to: "bob").with { $0.callID = "one-more" })
        #expect(refused.map(\.status) == [503])
        #expect(refused.first?["Warning"].contains("R-1509") == true)
        #expect((5...10).contains(Int(refused.first?["Retry-After"] ?? "") ?? 0))
        #expect(network.server.tableSizes == before)
        #expect(network.takeRecords().count == 0 && records == 5)
        // What is under way goes on, and others are not concerned.
        #expect(network.answer(calls[0].first, 200).responses(200).count == 1)
        #expect(network.sendSigned(Device.carol.request("MESSAGE", to: "bob")).requests("MESSAGE").count == 1)
        network.expectNothingLeft()
        #expect(network.openTransactions(of: "alice") == 0)
        #expect(Call(network) { $0.callID = "afterwards" }.forwarded.count == 1)
    }

    @Test("A refused request of a client counts in its share too, and is given back")
    func refusedCount() {
        let network = TestNetwork(.alice)
        network.sendSigned(Device.alice.request("MESSAGE", to: "nobody"))
        #expect(network.openTransactions(of: "alice") == 1)
        network.expectNothingLeft()
        #expect(network.openTransactions(of: "alice") == 0)
    }

    @Test("With all transactions in use new requests get 503, R-1507 and Retry-After; calls can end in the last tenth")
    func full() {
        let network = TestNetwork(.alice, .bob) { $0.maxTransactions = 20 }
        let call = Call(network) { $0.callID = "kept" }
        let answer = network.answer(call.first, 200).first
        for number in 0..<8 {
            _ = Call(network) {
                $0.callID = "full-\(number)"
                $0.branch = "z9hG4bKf\(number)"
            }
            network.wait(milliseconds: 5)
        }
        #expect(network.server.tableSizes.transactions == 18)
        let refused = network.send(Device.alice.request("INVITE", to: "bob").with { $0.callID = "one-more" })
        #expect(refused.map(\.status) == [503])
        #expect(refused.first?["Warning"].contains("R-1507") == true)
        #expect(refused.first?["Retry-After"] != "")
        #expect(network.sendMessage().reason == .serverOverloaded)
        let register = network.send(Device.alice.request("REGISTER", to: "sip:example.com"))
        #expect(register.map(\.status) == [401], "REGISTER has no transaction")
        #expect(network.send(call.fromCaller("BYE", after: answer)).requests("BYE").count == 1)
        network.expectNothingLeft()
        #expect(network.server.openTransactions.load(ordering: .relaxed) == 0)
        #expect(Call(network) { $0.callID = "afterwards" }.forwarded.count == 1)
    }

    /// Has strangers use up what they may do on a busy worker.
    private func exhaust(_ network: TestNetwork) {
        for number in 0..<20 {
            let sent = network.send(
                Device("mallory", "198.51.100.9").request("OPTIONS", to: "bob", branch: "z9hG4bKx\(number)"))
            #expect(sent.map(\.status) == [407])
        }
    }

    @Test("Busy: requests without credentials from where no client is registered get 503, all others are served")
    func busy() {
        let network = TestNetwork(.alice, .bob)
        network.effects.load = .busy
        exhaust(network)
        let stranger = Device("alice", "203.0.113.7")
        for method in ["INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE"] {
            #expect(network.send(stranger.request(method, to: "bob")).map(\.status) == [503])
        }
        #expect(network.send(stranger.request("REGISTER", to: "sip:example.com")).map(\.status) == [503])
        #expect(network.send(Device.alice.request("INVITE", to: "bob")).map(\.status) == [407])
        #expect(Call(network).forwarded.count == 1)
        network.register(.alice)
        network.expectNothingLeft()
    }

    @Test("Busy: twenty strangers a second are challenged, and get in")
    func trickle() {
        let network = TestNetwork(.alice)
        network.effects.load = .busy
        exhaust(network)
        var register = Device("bob", "203.0.113.7").request("REGISTER", to: "sip:example.com")
        register.toURI = "sip:bob@example.com"
        #expect(network.send(register).map(\.status) == [503])
        network.wait(milliseconds: 50)
        let challenge = network.send(register.with { $0.sequence = 2 })
        #expect(challenge.map(\.status) == [401])
        exhaustMore(network)
        #expect(network.send(network.signed(register.with { $0.sequence = 3 })).map(\.status) == [503], "as proxy")
        let nonce = network.nonce()
        #expect(
            network.send(register.with { $0.sequence = 4 }.signed(nonce: nonce, header: "Authorization"))
                .map(\.status) == [200], "an answer to our challenge needs no place in the trickle")
    }

    private func exhaustMore(_ network: TestNetwork) {
        for number in 0..<40 {
            network.send(Device("mallory", "198.51.100.9").request("OPTIONS", to: "bob", branch: "z9hG4bKy\(number)"))
        }
    }

    @Test(
        "Busy: only an answer to a challenge of ours passes for credentials",
        arguments: [
            "x", "Basic YTpi", "Digest",
            "Digest username=\"alice\", realm=\"example.com\", nonce=\"x\", uri=\"sip:example.com\", response=\"00000000000000000000000000000000\"",
        ])
    func invented(credentials: String) {
        let network = TestNetwork(.alice)
        network.effects.load = .busy
        exhaust(network)
        for (method, header) in [("REGISTER", "Authorization"), ("INVITE", "Proxy-Authorization")] {
            let stranger = Device("alice", "203.0.113.7").request(method, to: "sip:example.com").with {
                $0.headers = ["\(header): \(credentials)"]
            }
            #expect(network.send(stranger).map(\.status) == [503])
        }
        network.effects.load = .overloaded
        let stranger = Device("alice", "203.0.113.7").request("REGISTER", to: "sip:example.com").with {
            $0.headers = ["Authorization: \(credentials)"]
        }
        #expect(network.send(stranger).isEmpty)
    }

    @Test("Overloaded: a To tag proves nothing, unless the client has a device there")
    func toTag() {
        let network = TestNetwork(.alice, .bob)
        network.effects.load = .overloaded
        let (near, far) = (Device("bob", "203.0.113.7"), Device("bob", "203.0.113.7", listener: 2, connection: 78))
        for method in ["REGISTER", "INVITE", "MESSAGE", "OPTIONS", "BYE"] {
            let tagged = { (device: Device) in
                device.request(method, to: "bob", branch: "z9hG4bK\(method)").with {
                    $0.callID = "tagged-\(method)"
                    $0.toTag = "zz"
                }
            }
            #expect(network.send(tagged(near)).isEmpty, "\(method)")
            #expect(network.send(tagged(far)).map(\.status) == [503], "\(method)")
        }
        let bye = Device.alice.request("BYE", to: "bob").with { $0.toTag = "zz" }
        #expect(network.send(bye).map(\.status) == [407])
    }

    @Test("Overloaded: what begins something gets 503; dialogs, CANCEL, responses and refreshes are served")
    func overloaded() {
        let network = TestNetwork(.alice, .bob)
        let (ringing, answered) = (
            Call(network) {
                $0.callID = "ringing"
                $0.branch = "z9hG4bKringing"
            }, Call(network)
        )
        let answer = network.answer(answered.first, 200).first
        network.effects.load = .overloaded
        for method in ["INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS"] {
            let refused = network.send(
                Device.alice.request(method, to: "bob", branch: "z9hG4bKnew").with { $0.callID = "new" })
            #expect(refused.map(\.status) == [503])
            #expect((5...10).contains(Int(refused.first?["Retry-After"] ?? "") ?? 0))
        }
        #expect(network.send(ringing.invite).summaries == ["100 INVITE"], "a retransmission is answered")
        #expect(network.answer(ringing.first, 180).responses(180).count == 1)
        #expect(network.send(ringing.invite.cancel).responses(200).count == 1)
        #expect(network.send(answered.fromCaller("ACK", after: answer)).requests("ACK").count == 1)
        #expect(network.send(answered.fromCaller("BYE", after: answer)).requests("BYE").count == 1)
        let challenged = network.send(
            Device.alice.request("REGISTER", to: "sip:example.com").with {
                $0.toURI = "sip:alice@example.com"
            })
        #expect(challenged.map(\.status) == [401], "a phone that is registered refreshes its binding")
        #expect(
            network.send(
                Device("bob", "203.0.113.7").request("REGISTER", to: "sip:example.com").with {
                    $0.toURI = "sip:bob@example.com"
                }
            ).isEmpty, "a stranger's datagram is not even answered")
        let stranger = Device("bob", "203.0.113.7", listener: 2, connection: 78)
        #expect(network.send(stranger.request("INVITE", to: "bob")).map(\.status) == [503], "on a connection it is")
        network.effects.load = .normal
        network.expectNothingLeft()
    }

    @Test("A connection is proved by a client or a dialog, and by nothing else")
    func proves() {
        let network = TestNetwork(.bob)
        let carol = Device.carol
        network.send(carol.request("OPTIONS", to: "sip:example.com"))
        network.send(carol.request("INVITE", to: "bob"))
        network.send(carol.request("REGISTER", to: "sip:example.com"))
        #expect(network.effects.provenConnections == [])
        network.register(carol)
        #expect(network.effects.provenConnections == [77])
        network.effects.provenConnections = []
        let call = Call(network, from: carol)
        #expect(network.effects.provenConnections == [77])
        network.effects.provenConnections = []
        let answer = network.answer(call.first, 200).first
        network.send(call.fromCaller("BYE", after: answer))
        #expect(network.effects.provenConnections == [77])
    }
}

extension TestNetwork {
    /// How many requests of a client hold a transaction.
    fileprivate func openTransactions(of login: String) -> UInt32? {
        login.withSlice { login in location.withClient(login) { $0.openTransactions } }
    }
}
