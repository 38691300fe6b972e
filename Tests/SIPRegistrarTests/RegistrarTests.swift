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
        #expect(server.send(phone.with { $0.requestURI = "sip:" }.request).status == 400)
    }

    @Test func `An unknown option tag in Require gets 420 with only that tag in Unsupported`() {
        let answer = server.send(phone.with { $0.headers = ["Require: path, gruu", "Require: outbound"] }.request)
        #expect(answer.status == 420)
        #expect(answer.values("Unsupported") == ["gruu, outbound"])
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
        #expect(answer.values("Supported") == ["path"])
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

    // MARK: Order and repetition

    @Test func `A lower CSeq of the same Call-ID gets 500 and changes nothing`() {
        _ = server.register(phone.with { $0.cseq = 5 })
        let answer = server.register(
            phone.with {
                $0.cseq = 4; $0.contacts += ["<sip:new@h>"]
            })
        #expect(answer.status == 500)
        #expect(answer.outcome == .refused(.registerOutOfOrder))
        #expect(server.targets() == ["sip:alice@10.0.0.5:5062"])
        let star = server.register(
            phone.with {
                $0.cseq = 4
                $0.contacts = ["*"]
                $0.expires = "0"
            })
        #expect(star.status == 500)
    }

    @Test func `A lower CSeq of another Call-ID is a new start of the device`() {
        _ = server.register(phone.with { $0.cseq = 5 })
        #expect(
            server.register(
                phone.with {
                    $0.callID = "other"; $0.cseq = 1
                }
            ).outcome == .refreshed)
    }

    @Test func `The order of an expired binding does not matter`() {
        _ = server.register(phone.with { $0.cseq = 5 })
        server.wait(seconds: 601)
        #expect(server.register(phone.with { $0.cseq = 4 }).outcome == .created)
    }

    @Test func `A retransmission gets the same answer byte for byte and makes no change`() {
        let request = phone.signed(nonce: server.nonce())
        let first = server.send(request)
        let second = server.send(request)
        #expect(second.outcome == .repeated)
        #expect(second.registration.changes.isEmpty)
        #expect(second.text == first.text)
    }

    @Test func `A retransmission of a removal is answered 200 again and does not remove what came since`() {
        _ = server.register(phone)
        let removal = phone.next.with { $0.expires = "0" }.signed(nonce: server.nonce())
        #expect(server.send(removal).outcome == .removed)
        #expect(server.send(removal).status == 200)
        _ = server.register(phone.with { $0.callID = "other" })
        _ = server.send(removal)
        #expect(server.targets().count == 1)
    }

    @Test func `Used credentials with another Contact change nothing`() {
        let nonce = server.nonce()
        _ = server.send(phone.signed(nonce: nonce))
        let thief = phone.with { $0.contacts = ["<sip:thief@203.0.113.9>"] }
        #expect(server.send(thief.signed(nonce: nonce)).registration.changes.isEmpty)
        #expect(server.targets() == ["sip:alice@10.0.0.5:5062"])
        let next = server.send(thief.with { $0.cseq = 2 }.signed(nonce: nonce))
        #expect(next.outcome == .challenged(stale: true, .nonceReplayed))
        #expect(server.targets() == ["sip:alice@10.0.0.5:5062"])
    }

    @Test func `The same CSeq with new credentials repeats the answer`() {
        _ = server.register(phone)
        let answer = server.register(phone)
        #expect(answer.outcome == .repeated)
        #expect(answer.contacts.count == 1)
    }

    // MARK: Limits

    @Test func `The oldest binding goes for one more when configured so`() {
        let server = Server { $0.registrar.maxBindings = 2 }
        for number in 1...3 {
            _ = server.register(
                phone.with {
                    $0.callID = "c\(number)"; $0.contacts = ["<sip:a\(number)@h>"]
                })
            server.wait(seconds: 1)
        }
        #expect(server.targets() == ["sip:a3@h", "sip:a2@h"])
        // The first of the two is refreshed, so that the other is the oldest.
        _ = server.register(
            phone.with {
                $0.callID = "c2"; $0.cseq = 2; $0.contacts = ["<sip:a2@h>"]
            })
        let answer = server.register(
            phone.with {
                $0.callID = "c4"; $0.contacts = ["<sip:a4@h>"]
            })
        #expect(answer.registration.changes.count == 2)
        guard case .delete(1, let key) = answer.registration.changes[0] else {
            Issue.record("no delete")
            return
        }
        #expect(key == [UInt8]("sip:a3@h".utf8))
    }

    @Test func `One binding more is refused with 403 when configured so`() {
        let server = Server {
            $0.registrar.maxBindings = 2; $0.registrar.whenFull = .refuse
        }
        _ = server.register(phone.with { $0.contacts = ["<sip:a1@h>", "<sip:a2@h>"] })
        let answer = server.register(phone.next.with { $0.contacts = ["<sip:a1@h>;q=0.3", "<sip:a3@h>"] })
        #expect(answer.outcome == .refused(.tooManyBindings))
        #expect(answer.status == 403)
        #expect(answer.values("Warning").count == 1)
        #expect(
            server.register(
                phone.with {
                    $0.callID = "q"; $0.contacts = []
                }
            ).contacts == [
                "<sip:a1@h>;expires=600", "<sip:a2@h>;expires=600",
            ])
        // In place of one that is removed by the same request there is room.
        let swap = server.register(phone.next.with { $0.contacts = ["<sip:a1@h>;expires=0", "<sip:a3@h>"] })
        #expect(swap.status == 200)
        server.wait(seconds: 601)
        #expect(
            server.register(
                phone.with {
                    $0.callID = "late"; $0.contacts = ["<sip:a4@h>"]
                }
            ).status == 200)
    }

    // MARK: Path, instance-id and reg-id

    @Test func `Path is stored, joined, and echoed`() {
        let answer = server.register(
            phone.with { $0.headers = ["Path: <sip:p1@edge;lr>", "Path: <sip:p2@edge;lr>,<sip:p3@edge;lr>"] })
        let path = "<sip:p1@edge;lr>, <sip:p2@edge;lr>, <sip:p3@edge;lr>"
        #expect(answer.values("Path") == [path])
        guard case .upsert(_, let binding) = answer.registration.changes[0] else {
            Issue.record("no upsert")
            return
        }
        #expect(binding.path == [UInt8](path.utf8))
        // A refresh that comes another way has another Path.
        let other = server.register(phone.next)
        guard case .upsert(_, let second) = other.registration.changes[0] else {
            Issue.record("no upsert")
            return
        }
        #expect(second.path == nil)
        #expect(other.registration.changes.count == 1)
    }

    @Test func `A Path that is no SIP URI or is too long is refused`() {
        #expect(server.register(phone.with { $0.headers = ["Path: nonsense"] }).status == 400)
        let long = "Path: <sip:\(String(repeating: "p", count: 1500))@edge;lr>"
        #expect(server.register(phone.with { $0.headers = [long, long] }).status == 513)
    }

    @Test func `A device with instance-id and reg-id replaces its binding whatever its Contact`() {
        let tail = ";+sip.instance=\"<urn:uuid:1>\";reg-id=1"
        _ = server.register(phone.with { $0.contacts = ["<sip:a@10.0.0.5:1111>" + tail] })
        let answer = server.register(
            phone.with {
                $0.callID = "restart"
                $0.contacts = ["<sip:a@10.0.0.5:2222>" + tail]
            })
        #expect(answer.outcome == .moved)
        #expect(answer.contacts == ["<sip:a@10.0.0.5:2222>;expires=600;+sip.instance=\"<urn:uuid:1>\";reg-id=1"])
        #expect(answer.registration.changes.count == 1)
    }

    @Test func `Another reg-id or instance-id is another binding, even with the same Contact`() {
        let contact = "<sip:a@10.0.0.5:1111>;+sip.instance=\"<urn:uuid:1>\";reg-id="
        _ = server.register(phone.with { $0.contacts = [contact + "1", contact + "2"] })
        #expect(server.targets().count == 2)
        _ = server.register(phone.next.with { $0.contacts = ["<sip:a@10.0.0.5:1111>;+sip.instance=\"<urn:uuid:2>\""] })
        #expect(server.targets().count == 3)
    }

    @Test func `A device that begins to send an instance-id replaces its binding, the old key deleted`() {
        _ = server.register(phone)
        let answer = server.register(
            phone.next.with { $0.contacts = ["<sip:alice@10.0.0.5:5062>;+sip.instance=\"<urn:uuid:1>\""] })
        #expect(answer.contacts.count == 1)
        guard case .delete(1, let old) = answer.registration.changes[0],
            case .upsert(1, let binding) = answer.registration.changes[1]
        else {
            Issue.record("not delete and upsert")
            return
        }
        #expect(old == [UInt8]("sip:alice@10.0.0.5:5062".utf8))
        #expect(binding.key == [UInt8]("<urn:uuid:1>;0".utf8))
    }

    @Test func `A reg-id out of range refuses the Contact, and one without instance-id is ignored`() {
        let instance = "<sip:a@h>;+sip.instance=\"<urn:uuid:1>\";reg-id="
        for number in ["0", "2147483648", "x", "99999999999999999999"] {
            #expect(server.register(phone.with { $0.contacts = [instance + number] }).outcome == .refused(.badContact))
        }
        #expect(
            server.register(phone.with { $0.contacts = ["<sip:a@h>;reg-id=3"] }).contacts == [
                "<sip:a@h>;expires=600"
            ])
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
}
