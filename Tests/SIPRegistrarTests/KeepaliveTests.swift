import Observability
import Primitives
import Testing

@testable import SIPRegistrar

/// The keepalive in virtual time: who is pinged when, and what comes of answers and silence.
@Suite struct KeepaliveTests {
    let server: Server
    let policy: KeepalivePolicy

    init() {
        var policy = KeepalivePolicy()
        policy.unanswered = 3
        self.policy = policy
        server = Server { $0.registrar.keepalive = policy }
    }

    struct Ping: Equatable {
        var seconds: Double
        var contact: String
        var flow: Flow
    }

    /// A sweep every 100 ms for this long.
    struct Run {
        var pings: [Ping] = []
        var lost: [String] = []
    }

    func run(seconds: Int, _ policy: KeepalivePolicy? = nil, answering: (Ping) -> Bool = { _ in true }) -> Run {
        var run = Run()
        let start = server.now
        for _ in 0..<seconds * 10 {
            server.wait(milliseconds: 100)
            let now = Now(
                instant: Instant(milliseconds: UInt64(server.now.milliseconds)), unix: server.now)
            var answered: [(LoginKey, UInt32)] = []
            let lost = server.locations.sweepPings(policy ?? self.policy, now: now, limit: 1000) {
                key, login, binding in
                let ping = Ping(
                    seconds: Double(server.now.milliseconds - start.milliseconds) / 1000,
                    contact: String(decoding: binding.contact, as: UTF8.self), flow: binding.flow)
                run.pings.append(ping)
                if answering(ping) { answered.append((key, binding.flow.mark)) }
            }
            run.lost += lost.map { String(decoding: $0.login, as: UTF8.self) }
            for (key, mark) in answered { _ = server.locations.heard(key, flow: mark, now: server.now) }
        }
        return run
    }

    static let nat = Server.flow("203.0.113.9", port: 61000)

    func register(
        _ contact: String = "<sip:alice@10.0.0.7:5060>", from flow: Flow = nat,
        _ change: (inout Phone) -> Void = { _ in }
    ) {
        var phone = Phone()
        phone.contacts = [contact]
        change(&phone)
        let answer = server.register(phone, from: flow)
        #expect(answer.status == 200, "\(answer.text)")
    }

    func binding(_ user: String = "alice") -> Binding? {
        user.withSlice { server.locations.withClient($0) { $0.bindings.first } } ?? nil
    }

    @Test(arguments: [
        ("sip:a@10.0.0.7:5060", true), ("sip:a@df7jal23ls0d.invalid;transport=ws", true), ("sip:a@[2001:db8::5]", true),
        ("sip:a@203.0.113.9:5060", false), ("sip:a@203.0.113.9", false),
    ])
    func `A contact at another host than the REGISTER came from is behind NAT`(contact: String, isNatted: Bool) {
        #expect(contact.withSlice { KeepaliveTests.nat.remote.address.isForeign(to: $0) } == isNatted)
    }

    @Test func `A device behind NAT is pinged within each interval, over its flow, and not soon after its REGISTER`() {
        register()
        let pings = run(seconds: 200).pings
        #expect((8...9).contains(pings.count), "\(pings)")
        #expect(pings.allSatisfy { $0.flow == KeepaliveTests.nat })
        #expect((pings.first?.seconds ?? 0) >= 6.25)
        var last = 0.0
        for ping in pings {
            #expect(ping.seconds - last <= 25.1, "\(pings)")
            last = ping.seconds
        }
    }

    @Test func `A device without NAT gets no ping, unless all do`() {
        register("<sip:alice@203.0.113.9:5060>")
        #expect(run(seconds: 100).pings.isEmpty)
        var all = policy
        all.pingsAll = true
        // The registrar of this test does not know of it.
        "alice".withSlice { server.locations.expectPings(of: server.locations.key(of: $0)) }
        #expect(run(seconds: 100, all).pings.count >= 3)
    }

    @Test func `A device with Path is not pinged: its proxy keeps it reachable`() {
        register { $0.headers = ["Path: <sip:edge.example.net;lr>"] }
        #expect(run(seconds: 60).pings.isEmpty)
    }

    @Test func `Off means off`() {
        register()
        var off = policy
        off.method = .off
        #expect(run(seconds: 100, off).pings.isEmpty)
    }

    @Test func `A clock that is put back an hour does not end the pings`() {
        register()
        server.wait(seconds: -3600)
        #expect(run(seconds: 60).pings.count >= 2)
    }

    @Test func `Thousands that registered at once are pinged at an even pace`() {
        for number in 0..<2000 {
            server.add("user\(number)", id: Int64(number + 10))
            let text = "sip:user\(number)@10.0.0.7"
            "user\(number)".withSlice { login in
                _ = text.withSlice { contact in
                    server.locations.restore(
                        Binding(
                            .init(contact: contact),
                            callIDHash: HashValue(1, UInt64(number) &* 0x9e37_79b9_7f4a_7c15 >> 7),
                            sequenceNumber: 1, expiresAt: UnixTime(milliseconds: server.now.milliseconds + 3_600_000),
                            createdAt: server.now, updatedAt: server.now,
                            flow: Server.flow("203.0.113.9", port: UInt16(number + 1000))),
                        of: login)
                }
            }
        }
        let pings = run(seconds: 75).pings
        #expect((6000...7000).contains(pings.count), "\(pings.count)")
        var perSecond = [Int](repeating: 0, count: 76)
        for ping in pings { perSecond[Int(ping.seconds)] += 1 }
        // 80 to 107 a second on average; a sweep of all in one tick would be 2000.
        #expect((perSecond.max() ?? 0) < 250, "\(perSecond)")
    }

    @Test func `A sweep that comes late looks at everybody once, and at nobody twice`() {
        register()
        func sweep(at milliseconds: UInt64) -> Int {
            var pings = 0
            server.wait(milliseconds: 1)
            _ = server.locations.sweepPings(
                policy, now: Now(instant: Instant(milliseconds: milliseconds), unix: server.now), limit: 1000
            ) { _, _, _ in pings += 1 }
            return pings
        }
        _ = sweep(at: 1)
        server.wait(seconds: 24)
        // More than a round has passed, which ends in the middle of a shard; then a tick at a time.
        #expect(sweep(at: 24_987) == 1)
        #expect(sweep(at: 24_988) == 0)
        for round in 1...20 {
            server.wait(seconds: 24)
            #expect(sweep(at: 25_000 + UInt64(round) * 24_001) == 1, "round \(round)")
        }
    }

    @Test func `An interval that is raised after an hour does not stop the pings`() {
        register()
        for _ in 0..<60 {
            _ = run(seconds: 60)
            var next = Phone()
            next.contacts = ["<sip:alice@10.0.0.7:5060>"]
            next.cseq = Int(server.now.seconds % 1_000_000)
            #expect(server.register(next, from: Self.nat).status == 200)
        }
        var longer = policy
        longer.interval = 50_000
        #expect(run(seconds: 160, longer).pings.count >= 3)
    }

    @Test func `Other rules find devices that nobody had to ping before`() {
        register("<sip:alice@203.0.113.9:5060>")
        #expect(run(seconds: 10).pings.isEmpty)
        var all = policy
        all.pingsAll = true
        #expect(run(seconds: 60, all).pings.count >= 2)
        var off = all
        off.method = .off
        #expect(run(seconds: 1, off).pings.isEmpty)
        #expect(run(seconds: 60, all).pings.count >= 2)
    }

    @Test func `A device that was silent is reachable once no answer is expected of it`() {
        for method in [KeepalivePolicy.Method.off, .emptyLine] {
            register { $0.cseq = Int(server.now.seconds % 1_000_000) }
            _ = run(seconds: 60)
            #expect(run(seconds: 110) { _ in false }.lost == ["alice"])
            #expect(server.targets().isEmpty)
            var silent = policy
            silent.method = method
            _ = run(seconds: 1, silent)
            #expect(server.targets().count == 1)
        }
    }

    // MARK: Silence

    @Test
    func
        `A device that has answered and then is silent three times is unreachable, and its next answer brings it back`()
    {
        register()
        #expect(run(seconds: 60).lost.isEmpty)
        let lost = run(seconds: 110) { _ in false }
        #expect(lost.lost == ["alice"])
        #expect(binding()?.isReachable == false)
        #expect(server.targets().isEmpty)
        #expect("alice".withSlice { server.locations.isRegistered($0, now: server.now) }, "it is not deleted")
        let silent = binding()?.liveness.lastHeard ?? server.now
        #expect(server.now.seconds - silent.seconds > 75)
        _ = run(seconds: 30)
        #expect(binding()?.isReachable == true)
        #expect(server.targets().count == 1)
    }

    @Test func `A device that has never answered a ping is never unreachable`() {
        register()
        #expect(run(seconds: 400) { _ in false }.lost.isEmpty)
        #expect(binding()?.isReachable == true)
    }

    @Test func `Any REGISTER makes a device reachable, and one by another flow forgets what the old one answered`() {
        register()
        _ = run(seconds: 60)
        _ = run(seconds: 110) { _ in false }
        #expect(binding()?.isReachable == false)
        var phone = Phone()
        phone.contacts = ["<sip:alice@10.0.0.7:5060>"]
        phone.cseq = 10
        let answer = server.register(phone, from: Server.flow("203.0.113.9", port: 61001))
        #expect(answer.registration.recovered != nil)
        #expect(binding()?.isReachable == true)
        #expect(run(seconds: 200) { _ in false }.lost.isEmpty, "by the new flow it has answered nothing")
    }

    @Test func `A ping that the network returns counts as unanswered at once, once a ping`() {
        register()
        let key = "alice".withSlice { server.locations.key(of: $0) }
        let mark = KeepaliveTests.nat.mark
        for round in 1...3 {
            _ = run(seconds: 26) { _ in false }
            let changes = server.locations.pingFailed(key, flow: mark, policy)
            #expect(changes.count == (round == 3 ? 1 : 0))
            #expect(server.locations.pingFailed(key, flow: mark, policy).isEmpty)
        }
        #expect(binding()?.isReachable == false)
        #expect(server.locations.pingFailed(key, flow: mark ^ 2, policy).isEmpty)
    }

    @Test func `With one device silent, calls go to the other`() {
        register()
        register("<sip:alice@10.0.0.8:5060>", from: Server.flow("203.0.113.9", port: 61002)) { $0.callID = "other" }
        _ = run(seconds: 60)
        let lost = run(seconds: 110) { $0.contact.contains("10.0.0.8") }
        #expect(lost.lost == ["alice"])
        #expect(server.targets() == ["sip:alice@10.0.0.8:5060"])
    }

    @Test func `What is heard on a connection counts for the bindings on it`() {
        let flow = Server.flow("203.0.113.9", port: 61000, connection: 5)
        register("<sip:alice@10.0.0.7;transport=tcp>", from: flow)
        server.wait(seconds: 40)
        _ = server.locations.heard(connection: 5, isAnswer: false, now: server.now)
        #expect(binding()?.liveness.lastHeard == server.now)
        _ = server.locations.heard(connection: 6, isAnswer: false, now: server.now)
    }
}
