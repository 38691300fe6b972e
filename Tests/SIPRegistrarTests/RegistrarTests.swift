import Observability
import Primitives
import SIPMessage
import Testing

@testable import SIPRegistrar

@Suite struct RegistrarTests {
    let server = Server()
    let phone = Phone()

    // MARK: Steps 1 and 2

    @Test(arguments: [
        "sip:example.com", "sip:EXAMPLE.com:5060", "sip:alias.example", "sip:192.0.2.1", "sip:[2001:db8::1]:5060",
    ])
    func `A Request-URI with a host of ours is served`(uri: String) {
        #expect(server.register(phone.with { $0.requestURI = uri }).status == 200)
    }

    @Test func `A REGISTER for a foreign domain gets 404 before any challenge`() {
        let answer = server.send(phone.with { $0.requestURI = "sip:example.org" }.request)
        #expect(answer.status == 404)
        #expect(answer.outcome == .refused(.registerForeignDomain))
        #expect(answer.values("Warning").first?.hasPrefix("399 example.com \"R-1201 ") == true)
    }

    @Test(arguments: ["tel:+15551234", "sips:example.com", "http://example.com"])
    func `A Request-URI of another scheme than sip gets 416`(uri: String) {
        #expect(server.send(phone.with { $0.requestURI = uri }.request).status == 416)
    }

    @Test func `A malformed Request-URI gets 400`() {
        #expect(server.send(phone.with { $0.requestURI = "sip:@example.com" }.request).status == 400)
    }

    @Test func `An unknown option tag in Require gets 420 with only that tag in Unsupported`() {
        let answer = server.send(
            phone.with { $0.headers = ["Require: path, gruu, outbound", "Require: 100rel"] }.request)
        #expect(answer.status == 420)
        #expect(answer.values("Unsupported") == ["gruu, 100rel"])
    }

    @Test func `Require path is served`() {
        #expect(server.register(phone.with { $0.headers = ["Require: path"] }).status == 200)
    }

    // MARK: Step 3

    @Test func `A REGISTER without credentials gets 401 with a challenge for each algorithm`() {
        let answer = server.send(phone.request)
        #expect(answer.outcome == .challenged(stale: false, nil))
        #expect(answer.lines.first == "SIP/2.0 401 Unauthorized")
        #expect(answer.values("WWW-Authenticate").count == 2)
        #expect(answer.values("WWW-Authenticate").allSatisfy { $0.hasPrefix("Digest realm=\"example.com\", nonce=\"") })
        #expect(
            answer.values("Via") == [
                "SIP/2.0/UDP 10.0.0.5:5062;branch=z9hG4bK1;rport=40000;received=198.51.100.7"
            ])
        #expect(answer.registration.changes.isEmpty)
        #expect(server.targets() == [])
    }

    @Test func `The responses to one request have one To tag`() {
        let first = server.send(phone.request).values("To")
        #expect(first == server.send(phone.request).values("To"))
        #expect(first.first?.hasPrefix("<sip:alice@example.com>;tag=") == true)
        #expect(first != server.send(phone.next.request).values("To"))
    }

    // MARK: Steps 4 and 5

    @Test func `A client cannot register another one`() {
        let answer = server.register(phone.with { $0.to = "sip:bob@example.com" })
        #expect(answer.outcome == .refused(.toIsNotLogin))
        #expect(answer.status == 403)
        #expect(server.targets("bob") == [])
    }

    @Test func `A third party cannot register a client`() {
        let answer = server.register(phone.with { $0.from = "sip:bob@example.com" })
        #expect(answer.outcome == .refused(.fromIsNotLogin))
        #expect(server.targets() == [])
    }

    @Test func `From and To of another domain are refused`() {
        #expect(server.register(phone.with { $0.from = "sip:alice@example.org" }).outcome == .refused(.fromIsNotLogin))
        let answer = server.register(phone.with { $0.to = "sip:alice@example.org" })
        #expect(answer.outcome == .refused(.registerForeignDomain))
        #expect(server.register(phone.with { $0.to = "tel:+1555" }).status == 404)
    }

    @Test func `Escapes in the user of From and To are decoded`() {
        let answer = server.register(
            phone.with {
                $0.from = "sip:%61lice@example.com"
                $0.to = "sip:al%69ce@EXAMPLE.com"
            })
        #expect(answer.status == 200)
        #expect(server.targets() == ["sip:alice@10.0.0.5:5062"])
        #expect(server.targets("%61%6c%69%63%65") == ["sip:alice@10.0.0.5:5062"])
    }

    // MARK: Steps 6 to 8

    @Test func `A new Contact is bound for the time asked for and to where it came from`() throws {
        let answer = server.register(phone.with { $0.headers = ["User-Agent: Test/1"] })
        #expect(answer.outcome == .created)
        #expect(answer.registration.clientID == 1)
        #expect(answer.contacts == ["<sip:alice@10.0.0.5:5062>;expires=600"])
        #expect(answer.values("Supported") == ["path, outbound"])
        guard case .upsert(let client, let binding) = try #require(answer.registration.changes.first) else {
            Issue.record("no upsert")
            return
        }
        #expect(answer.registration.changes.count == 1)
        #expect(client == 1)
        #expect(binding.flow == Server.flow())
        #expect(binding.expiresAt.milliseconds == server.now.milliseconds + 600_000)
        #expect(binding.createdAt == server.now)
        #expect(binding.userAgent == [UInt8]("Test/1".utf8))
        #expect(binding.sequenceNumber == 1)
        #expect(server.targets() == ["sip:alice@10.0.0.5:5062"])
        #expect(server.targets("bob") == [])
    }

    @Test func `A refresh keeps one binding, its time of making and its key`() {
        let first = server.register(phone)
        let made = server.now
        server.wait(seconds: 100)
        let second = server.register(phone.next)
        #expect(second.outcome == .refreshed)
        #expect(second.contacts == ["<sip:alice@10.0.0.5:5062>;expires=600"])
        guard case .upsert(_, let old) = first.registration.changes[0],
            case .upsert(_, let new) = second.registration.changes[0]
        else {
            Issue.record("no upserts")
            return
        }
        #expect(old.key == new.key)
        #expect(new.createdAt == made)
        #expect(new.updatedAt == server.now)
        #expect(new.sequenceNumber == 2)
        #expect(server.locations.statistics.bindings == 1)
    }

    @Test func `A refresh from another address moves the binding`() {
        _ = server.register(phone)
        let answer = server.register(phone.next, from: Server.flow(port: 40001))
        #expect(answer.outcome == .moved)
        #expect(answer.contacts.count == 1)
    }

    @Test func `A REGISTER without Contact lists the bindings with the time left and changes nothing`() {
        _ = server.register(phone)
        server.wait(milliseconds: 100_500)
        let query = server.register(phone.next.with { $0.contacts = [] })
        #expect(query.outcome == .queried)
        #expect(query.contacts == ["<sip:alice@10.0.0.5:5062>;expires=500"])
        #expect(query.registration.changes.isEmpty)
    }

    @Test func `An expired binding is not listed, though it is not swept yet`() {
        _ = server.register(phone.with { $0.contacts = ["<sip:a@h>;expires=60", "<sip:b@h>;expires=70"] })
        server.wait(seconds: 60)
        let query = server.register(phone.next.with { $0.contacts = [] })
        #expect(query.contacts == ["<sip:b@h>;expires=10"])
        #expect(server.locations.statistics.bindings == 2)
    }

    @Test func `A Contact with a time of 0 is removed, and the rest stays`() throws {
        _ = server.register(phone.with { $0.contacts += ["<sip:alice@10.0.0.6>"] })
        let answer = server.register(phone.next.with { $0.contacts = ["<sip:alice@10.0.0.5:5062>;expires=0"] })
        #expect(answer.outcome == .removed)
        #expect(answer.contacts == ["<sip:alice@10.0.0.6>;expires=600"])
        guard case .delete(1, let key) = try #require(answer.registration.changes.first) else {
            Issue.record("no delete")
            return
        }
        #expect(key == [UInt8]("sip:alice@10.0.0.5:5062".utf8))
    }

    @Test func `Removing a binding that is not there is answered 200`() {
        let answer = server.register(phone.with { $0.expires = "0" })
        #expect(answer.status == 200)
        #expect(answer.outcome == .removed)
        #expect(answer.registration.changes.isEmpty)
    }

    @Test func `Contact star with Expires 0 removes all bindings`() {
        _ = server.register(phone.with { $0.contacts += ["<sip:alice@10.0.0.6>"] })
        let answer = server.register(
            phone.next.with {
                $0.contacts = ["*"]
                $0.expires = "0"
            })
        #expect(answer.outcome == .removed)
        #expect(answer.contacts == [])
        guard case .deleteAll(1) = answer.registration.changes[0] else {
            Issue.record("no deleteAll")
            return
        }
        #expect(server.targets() == [])
    }

    @Test(arguments: [
        (["*"], "600"), (["*"], nil), (["*", "<sip:a@h>"], "0"), (["<sip:a@h>", "*"], "0"), (["*, *"], "0"),
    ])
    func `Contact star is refused with another Contact or without Expires 0`(contacts: [String], expires: String?) {
        _ = server.register(phone)
        let answer = server.register(
            phone.next.with {
                $0.contacts = contacts
                $0.expires = expires
            })
        #expect(answer.status == 400)
        #expect(answer.outcome == .refused(.starMisused))
        #expect(server.targets().count == 1)
    }

    @Test func `Several Contacts are bound together, comma-separated or in lines`() {
        let answer = server.register(phone.with { $0.contacts = ["<sip:a@h1>, <sip:b@h2>;q=0.5", "sip:c@h3"] })
        #expect(answer.outcome == .created)
        #expect(answer.registration.changes.count == 3)
        #expect(server.targets().sorted() == ["sip:a@h1", "sip:b@h2", "sip:c@h3"])
    }

    @Test func `One bad Contact refuses all, and nothing is changed`() {
        _ = server.register(phone)
        for bad in [
            "<tel:+1555>", "<sip:>", "<mailto:a@b>", "<sip:a@h>;expires=5",
            "<sip:\(String(repeating: "a", count: 600))@h>",
        ] {
            let answer = server.register(
                phone.next.with { $0.contacts = ["<sip:alice@10.0.0.5:5062>;expires=0", "<sip:new@h>", bad] })
            #expect(answer.status == 400 || answer.status == 423, "\(bad)")
            #expect(answer.registration.changes.isEmpty)
            #expect(server.targets() == ["sip:alice@10.0.0.5:5062"], "\(bad)")
        }
    }

    @Test func `Sixteen Contacts fit in one request and seventeen do not`() {
        let server = Server { $0.registrar.maxBindings = 100 }
        let contacts = (0..<17).map { "<sip:a\($0)@h>" }
        #expect(server.register(phone.with { $0.contacts = contacts }).outcome == .refused(.badContact))
        #expect(server.targets() == [])
        #expect(server.register(phone.with { $0.contacts = Array(contacts.dropLast()) }).contacts.count == 16)
    }

    @Test func `The same Contact twice in one request is one binding`() {
        let answer = server.register(phone.with { $0.contacts = ["<sip:a@h>;q=0.1", "<sip:a@H>;q=0.2"] })
        #expect(answer.contacts == ["<sip:a@H>;expires=600;q=0.2"])
    }

    // MARK: Changes beside

    @Test func `A disabled or removed client gets a challenge like any unknown one, and its bindings are gone`() {
        _ = server.register(phone)
        #expect(server.locations.setEnabled(false, "alice").count == 1)
        #expect(server.targets() == [])
        #expect(server.register(phone.next).outcome == .challenged(stale: false, .clientDisabled))
        #expect(server.locations.setEnabled(true, "alice").isEmpty)
        #expect(server.register(phone.next).outcome == .created)
        #expect(server.locations.removeClient("alice").count == 1)
        #expect(server.register(phone.next).outcome == .challenged(stale: false, .unknownLogin))
    }

    @Test func `A refusal for the store's sake is 503 with the reason in Warning`() {
        phone.request.withSlice { bytes in
            var message = SIPMessage()
            #expect(message.parse(bytes) == nil)
            var writer = ByteWriter(capacity: 1024)
            server.registrar.writeRefusal(
                Refusal(.storeUnavailable), of: message, from: Server.flow(), into: &writer)
            let text = writer.slice.string
            #expect(text.hasPrefix("SIP/2.0 503 Service Unavailable\r\n"))
            #expect(text.contains("Warning: 399 example.com \"R-1208 "))
        }
    }

    @Test func `No mutation of a REGISTER traps, and every answer ends its header section`() {
        var random: UInt64 = 88_172_645_463_325_252
        func next(_ limit: Int) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % UInt64(limit))
        }
        let tail = ";+sip.instance=\"<urn:uuid:1>\";reg-id=1;q=0.5;expires=70"
        let base = phone.with {
            $0.contacts = ["<sip:alice@10.0.0.5:5062;ob>" + tail, "sip:a%20b@[2001:db8::1]:99;expires=0"]
            $0.headers = ["Path: <sip:p@edge;lr>", "Require: path", "User-Agent: x"]
        }
        let pieces: [String] = [
            "\"", "<", ">", "%", ";", ",", "*", "=", "\\", "\r\n ", "0", "9999999999999999999999", "[", ":", "@", "\0",
        ]
        var answered = 0
        var accepted = 0
        let nonce = server.nonce()
        for round in 1...4000 {
            var bytes = [UInt8](
                base.with {
                    $0.cseq = round
                    $0.nonceCount = round
                }.signed(nonce: nonce).utf8)
            // The credentials stay as they are half of the time, so that the steps behind them are reached.
            let end = round % 2 == 0 ? bytes.count : bytes.count - 300
            for _ in 0...next(2) {
                let place = next(end)
                switch next(3) {
                case 0: bytes[place] = UInt8(next(256))
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: Array(pieces[next(pieces.count)].utf8), at: place)
                }
            }
            bytes.withSlice { slice in
                var message = SIPMessage()
                guard message.parse(slice) == nil, message.isRequest else { return }
                var writer = ByteWriter(capacity: 2048)
                let answer = server.registrar.register(message, from: Server.flow(), now: server.now, into: &writer)
                answered += 1
                if answer.status == 200 { accepted += 1 }
                #expect(writer.slice.string.hasSuffix("\r\nContent-Length: 0\r\n\r\n"))
            }
        }
        #expect(answered > 1000)
        #expect(accepted > 300)
    }
}
