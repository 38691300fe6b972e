import Observability
import Primitives
import SIPAuthentication
import SIPMessage
import Testing

@testable import SIPRegistrar

@Suite struct AuthenticatorTests {
    let server = Server()
    let phone = Phone()

    // MARK: Right credentials

    @Test(arguments: ["MD5", "SHA-256"], [true, false])
    func `A right digest is accepted with each algorithm, with qop and without`(algorithm: String, qop: Bool) {
        let answer = server.register(
            phone.with {
                $0.algorithm = algorithm; $0.qop = qop
            })
        #expect(answer.outcome == .created)
    }

    @Test func `A nonce is good again with a higher nonce count`() {
        let nonce = server.nonce()
        #expect(server.send(phone.signed(nonce: nonce)).status == 200)
        #expect(server.send(phone.next.with { $0.nonceCount = 2 }.signed(nonce: nonce)).status == 200)
    }

    @Test func `Clients are let in also when the calendar was set back, and old credentials are not`() {
        let old = phone.signed(nonce: server.nonce())
        #expect(server.send(old).status == 200)
        _ = server.locations.removeExpired(
            now: server.now, limit: 100_000, oldestNonce: server.authenticator.oldestNonce(now: server.now))
        server.wait(seconds: -3600)
        var next = phone
        for _ in 0..<10 {
            next = next.next
            #expect(server.register(next).status == 200)
            server.wait(seconds: 40)
            _ = server.locations.removeExpired(
                now: server.now, limit: 100_000, oldestNonce: server.authenticator.oldestNonce(now: server.now))
        }
        #expect(server.send(old).outcome != .repeated)
    }

    @Test func `Of several credentials those of our realm count`() {
        let before = [
            "Authorization: Digest username=\"alice\", realm=\"other\", nonce=\"x\", uri=\"sip:example.com\", response=\"\(String(repeating: "0", count: 32))\"",
            "Authorization: Basic YTpi",
        ]
        #expect(server.send(phone.signed(nonce: server.nonce(), before: before)).status == 200)
    }

    @Test func `Of several credentials of our realm those with an algorithm that was offered count`() {
        let nonce = server.nonce()
        let other = phone.with { $0.algorithm = "SHA-512-256" }.credentials(nonce: nonce)
        #expect(server.send(phone.signed(nonce: nonce, before: ["Authorization: " + other])).status == 200)
    }

    @Test func `A digest URI with the server's address and no user is taken for any request`() {
        #expect(server.register(phone.with { $0.digestURI = "sip:192.0.2.1:5060" }).status == 200)
    }

    @Test func `A digest URI for another host or user gets 400`() {
        #expect(server.register(phone.with { $0.digestURI = "sip:example.org" }).status == 400)
        let call = phone.with {
            $0.method = "INVITE"
            $0.requestURI = "sip:bob@example.com"
            $0.digestURI = "sip:carol@example.com"
        }
        let reason = server.authenticate(call.signed(nonce: server.nonce(), header: "Proxy-Authorization")) {
            $0.reason
        }
        #expect(reason == .credentialsMalformed)
    }

    @Test func `A proxy asks with 407 and reads Proxy-Authorization only`() {
        let call = phone.with {
            $0.method = "INVITE"
            $0.requestURI = "sip:bob@example.com"
        }
        let nonce = server.nonce()
        #expect(server.authenticate(call.signed(nonce: nonce)) { $0.isFirstChallenge })
        let signed = call.signed(nonce: nonce, header: "Proxy-Authorization")
        #expect(server.authenticate(signed) { $0.client } == 1)
        // The same once more is not from the client: its retransmissions are known by their transaction.
        #expect(server.authenticate(signed) { $0.reason } == .nonceReplayed)
        #expect(server.authenticate(signed) { $0.isStale })

        call.request.withSlice { bytes in
            var message = SIPMessage()
            #expect(message.parse(bytes) == nil)
            var writer = ByteWriter(capacity: 1024)
            server.authenticator.writeChallenge(
                to: message, .proxy, stale: true, source: Server.flow().remote, toTag: "tag", now: server.now,
                into: &writer)
            let text = writer.slice.string
            #expect(text.hasPrefix("SIP/2.0 407 Proxy Authentication Required\r\nVia: "))
            #expect(text.contains("\r\nProxy-Authenticate: Digest realm=\"example.com\", nonce=\""))
            #expect(text.contains(", qop=\"auth\", stale=true\r\n"))
            #expect(text.contains("To: <sip:alice@example.com>;tag=tag\r\n"))
            #expect(text.hasSuffix("\r\nContent-Length: 0\r\n\r\n"))
        }
    }

    // MARK: Wrong credentials

    @Test func `A wrong password, an unknown login and a disabled client get the same answer but for the nonce`() {
        server.add("carol", id: 3, isEnabled: false)
        let attempts = [
            phone.with { $0.password = "wrong" },
            phone.with { $0.login = "nobody" },
            phone.with { $0.login = "carol" },
            phone.with {
                $0.login = "carol"; $0.password = "wrong"
            },
        ]
        let reasons: [Reason] = [.wrongPassword, .unknownLogin, .clientDisabled, .wrongPassword]
        for round in 1...7 {
            var answers: [String] = []
            for (attempt, reason) in zip(attempts, reasons) {
                let flow = Server.flow("203.0.113.\(answers.count)")
                let answer = server.send(
                    attempt.with {
                        // What the peer itself chose is the same, so that all that differs is what we let out.
                        $0.from = "sip:x@example.com"
                        $0.to = "sip:x@example.com"
                        $0.cseq = round
                    }.signed(nonce: server.nonce(for: flow)), from: flow)
                #expect(
                    answer.outcome == (round <= 5 ? .challenged(stale: false, reason) : .refused(.tooManyFailures)))
                answers.append(answer.masked)
            }
            #expect(Set(answers).count == 1, "round \(round)")
        }
    }

    @Test func `A wrong password gets 403 with Retry-After after the configured failures, from that address only`() {
        let wrong = phone.with { $0.password = "wrong" }
        for _ in 0..<5 { #expect(server.register(wrong).status == 401) }
        let refused = server.register(wrong)
        #expect(refused.status == 403)
        #expect(refused.values("Retry-After") == ["1"])
        #expect(refused.values("Warning").first?.contains("R-1104") == true)
        #expect(server.register(wrong, from: Server.flow("203.0.113.1")).status == 401)
        #expect(server.register(wrong.with { $0.login = "bob" }).status == 401)
    }

    @Test func `While it waits nothing is checked, and an unknown login waits alike`() {
        for login in ["alice", "nobody"] {
            let wrong = phone.with {
                $0.login = login; $0.password = "wrong"
            }
            for _ in 0..<6 { _ = server.register(wrong) }
            let answer = server.register(phone.with { $0.login = login })
            #expect(answer.outcome == .refused(.tooManyFailures))
            #expect(answer.values("Retry-After") == ["1"])
        }
    }

    @Test func `The delay doubles with each failure up to a minute, and a success ends it`() {
        let wrong = phone.with { $0.password = "wrong" }
        for _ in 0..<5 { _ = server.register(wrong) }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(server.register(wrong).values("Retry-After") == ["\(seconds)"])
            server.wait(milliseconds: Int64(seconds) * 1000 - 1)
            #expect(server.register(phone).status == 403)
            server.wait(milliseconds: 1)
        }
        #expect(server.register(phone).status == 200)
        #expect(server.register(wrong).status == 401)
    }

    @Test func `A device that is registered is not kept out by another behind its address`() {
        #expect(server.register(phone).status == 200)
        let other = Server.flow(port: 40001)
        for _ in 0..<8 { _ = server.register(phone.with { $0.password = "wrong" }, from: other) }
        #expect(server.register(phone.next, from: other).status == 403)
        #expect(server.register(phone.next).status == 403, "but no more than once a second")
        server.wait(seconds: 1)
        for _ in 0..<3 { _ = server.register(phone.with { $0.password = "wrong" }, from: other) }
        server.wait(seconds: 1)
        #expect(server.register(phone.next.next).status == 200)
    }

    @Test func `Failures are forgotten after the window`() {
        let wrong = phone.with { $0.password = "wrong" }
        for _ in 0..<6 { _ = server.register(wrong) }
        #expect(server.register(wrong).status == 403)
        server.wait(seconds: 61)
        #expect(server.register(wrong).status == 401)
    }

    @Test func `With 0 for the failures there is never a 403`() {
        let server = Server {
            $0.admission.failuresBeforeDelay = 0
            $0.admission.isEnabled = false
        }
        for _ in 0..<40 { #expect(server.register(phone.with { $0.password = "wrong" }).status == 401) }
    }

    @Test func `Guesses from many addresses are thinned out, and the client is let in where it is known`() {
        #expect(server.register(phone).status == 200)
        var checked = 0
        for number in 0..<100 {
            let flow = Server.flow("203.0.113.\(number)")
            let answer = server.register(phone.with { $0.password = "guess\(number)" }, from: flow)
            if answer.outcome == .challenged(stale: false, .wrongPassword) { checked += 1 }
            server.wait(milliseconds: 50)
        }
        #expect((21...26).contains(checked), "\(checked)")
        #expect(server.register(phone.next).status == 200)
        #expect(server.register(phone.next.next, from: Server.flow("198.51.100.99")).status == 403)
    }

    @Test func `An attempt with a nonce that another address has got counts against nobody`() {
        let nonce = server.nonce(for: Server.flow("203.0.113.66"))
        let wrong = phone.with { $0.password = "wrong" }
        for _ in 0..<9 { #expect(server.send(wrong.signed(nonce: nonce)).status == 401) }
        #expect(server.send(phone.signed(nonce: nonce)).status == 200, "a phone may move with its nonce")
        for _ in 0..<20 { _ = server.send(wrong.signed(nonce: nonce)) }
        #expect(server.send(phone.next.signed(nonce: nonce)).outcome == .challenged(stale: true, .nonceStale))
        #expect(server.register(phone.next).status == 200, "and nobody at that address is kept out")
        #expect(
            server.admission.reports(at: Now(instant: Instant(milliseconds: 0), unix: server.now), attempts: server.now)
                .isEmpty)
    }

    @Test func `A client counts where it authenticated last, and nowhere when it is disabled or removed`() {
        let (home, office) = (Server.flow(), Server.flow("203.0.113.5"))
        func counts() -> [Int] { [home, office].map { server.admission.clients(of: $0.remote.address) } }
        #expect(counts() == [0, 0])
        #expect(server.register(phone).status == 200)
        #expect(server.register(phone.next).status == 200)
        #expect(counts() == [1, 0])
        #expect(server.register(phone.next.next, from: office).status == 200)
        #expect(counts() == [0, 1])
        server.add("alice", id: 1)
        #expect(counts() == [0, 1])
        server.add("alice", id: 1, isEnabled: false)
        #expect(counts() == [0, 0])
        server.add("alice", id: 1)
        #expect(server.register(phone.next.next.next, from: office).status == 200)
        "alice".withSlice { _ = server.locations.setEnabled(false, $0) }
        #expect(counts() == [0, 0])
        #expect(
            server.register(
                phone.with {
                    $0.login = "bob"; $0.from = "sip:bob@example.com"; $0.to = "sip:bob@example.com"
                }
            ).status == 200)
        #expect(counts() == [1, 0])
        "bob".withSlice { _ = server.locations.removeClient($0) }
        #expect(counts() == [0, 0])
        #expect(server.admission.statistics.clients == 0)
    }

    // MARK: Nonces

    @Test func `An expired nonce is stale with the right password, and a failure with a wrong one`() {
        let nonce = server.nonce()
        server.wait(seconds: 301)
        let answer = server.send(phone.signed(nonce: nonce))
        #expect(answer.outcome == .challenged(stale: true, .nonceStale))
        #expect(answer.values("WWW-Authenticate").allSatisfy { $0.hasSuffix(", stale=true") })
        let wrong = server.send(phone.with { $0.password = "wrong" }.signed(nonce: nonce))
        #expect(wrong.outcome == .challenged(stale: false, .wrongPassword))
        #expect(!wrong.text.contains("stale"))
    }

    @Test(arguments: ["invented", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])
    func `A nonce that is not ours gets a challenge without stale`(nonce: String) {
        #expect(server.send(phone.signed(nonce: nonce)).outcome == .challenged(stale: false, .nonceForged))
    }

    @Test func `A nonce count that was used for another request gets a challenge with stale`() {
        let nonce = server.nonce()
        _ = server.send(phone.signed(nonce: nonce))
        #expect(server.send(phone.next.signed(nonce: nonce)).outcome == .challenged(stale: true, .nonceReplayed))
    }

    // MARK: Odd credentials

    @Test func `Credentials of another realm or scheme get a challenge`() {
        #expect(server.register(phone.with { $0.realm = "other" }).outcome == .challenged(stale: false, .wrongRealm))
        let basic = phone.with { $0.headers = ["Authorization: Basic YTpi"] }.request
        #expect(server.send(basic).outcome == .challenged(stale: false, nil))
    }

    @Test func `An algorithm that was not offered gets a challenge that says so in the log`() {
        let answer = server.register(phone.with { $0.algorithm = "SHA-512-256" })
        #expect(answer.outcome == .challenged(stale: false, .unsupportedAlgorithm))
        #expect(
            server.register(phone.with { $0.algorithm = "MD5-sess" }).outcome
                == .challenged(stale: false, .unsupportedAlgorithm))
    }

    @Test func `Empty credentials that only name the user get a challenge`() {
        let value =
            "Digest username=\"alice\", realm=\"example.com\", nonce=\"\", uri=\"sip:example.com\", response=\"\""
        let answer = server.send(phone.with { $0.headers = ["Authorization: \(value)"] }.request)
        #expect(answer.outcome == .challenged(stale: false, nil))
    }

    @Test(arguments: ["Digest", "Digest username=\"alice", "Digest realm=\"example.com\", realm=\"example.com\""])
    func `Malformed credentials get 400`(value: String) {
        let answer = server.send(phone.with { $0.headers = ["Authorization: \(value)"] }.request)
        #expect(answer.outcome == .refused(.credentialsMalformed))
        #expect(answer.status == 400)
    }

    // MARK: Identity

    @Test(arguments: [
        ("<sip:alice@example.com>", true), ("<sip:%61lice@EXAMPLE.COM:5060>", true), ("<sip:alice@192.0.2.1>", true),
        ("<sip:alice@192.0.2.1:5070>", true), ("<sip:Alice@example.com>", false), ("<sip:example.com>", false),
        ("<sip:alice@example.org>", false), ("<tel:+1555>", false), ("<sip:alicee@example.com>", false),
    ])
    func `From is the login when user and host are`(value: String, matches: Bool) {
        value.withSlice { bytes in
            guard let address = NameAddress(bytes) else {
                Issue.record("malformed")
                return
            }
            #expect(server.authenticator.identityMatches(address, login: "alice") == matches)
        }
    }
}

extension Authenticator.Outcome {
    var client: Int64? { if case .authenticated(let client) = self { client.id } else { nil } }
    var isFirstChallenge: Bool { if case .challenge(false, nil) = self { true } else { false } }
    var isStale: Bool { if case .challenge(true, _) = self { true } else { false } }
    var reason: Reason? {
        switch self {
        case .authenticated: nil
        case .challenge(_, let reason): reason
        case .refused(let reason): reason
        case .delayed: .tooManyFailures
        }
    }
}

extension Server.Answer {
    /// The response with its nonces, and the address that the test came from, left out.
    fileprivate var masked: String {
        lines.filter { !$0.hasPrefix("Via:") }.map { line in
            line.split(separator: " ").filter { !$0.hasPrefix("nonce=") }.joined(separator: " ")
        }.joined(separator: "\n")
    }
}
