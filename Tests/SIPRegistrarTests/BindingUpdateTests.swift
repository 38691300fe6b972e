import Observability
import Primitives
import Testing

@testable import SIPRegistrar

@Suite struct BindingUpdateTests {
    let server = Server()
    let phone = Phone()

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

    @Test func `An expired binding counts as none: its order does not matter, and the new one is made now`() {
        _ = server.register(phone.with { $0.cseq = 5 })
        server.wait(seconds: 601)
        let answer = server.register(phone.with { $0.cseq = 4 })
        #expect(answer.outcome == .created)
        guard case .upsert(1, let binding) = answer.registration.changes[0] else {
            Issue.record("no upsert")
            return
        }
        #expect(binding.createdAt == server.now)
        #expect(server.locations.statistics.bindings == 1)
    }

    @Test func `A retransmission gets the same answer byte for byte and makes no change`() {
        let request = phone.signed(nonce: server.nonce())
        let first = server.send(request)
        let second = server.send(request)
        #expect(second.outcome == .repeated)
        #expect(second.registration.isSettled)
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
        #expect(server.send(thief.signed(nonce: nonce)).registration.isSettled)
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
        let phone = phone.with { $0.headers = ["Supported: outbound"] }
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
        let phone = phone.with { $0.headers = ["Supported: outbound"] }
        _ = server.register(phone.with { $0.contacts = [contact + "1"] })
        _ = server.register(
            phone.with {
                $0.contacts = [contact + "2"]
                $0.callID = "second-flow"
            })
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
}

extension Registration {
    /// True when nothing changes, but the answer waits for what was changed before.
    fileprivate var isSettled: Bool {
        guard changes.count == 1, case .settled = changes[0] else { return false }
        return true
    }
}
