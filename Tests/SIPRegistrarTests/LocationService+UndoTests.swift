import Primitives
import SIPMessage
import Testing

@testable import SIPRegistrar

@Suite("What could not be stored is taken back") struct LocationServiceUndoTests {
    let server = Server()
    let phone = Phone()
    let contact = "sip:alice@10.0.0.5:5062"

    @discardableResult
    private func undo(_ answer: Server.Answer) throws -> [DroppedBinding] {
        server.locations.undo(try #require(answer.registration.undo), now: server.now)
    }

    private func register(_ phone: Phone, from flow: Flow = Server.flow()) -> Server.Answer {
        let answer = server.register(phone, from: flow)
        #expect(answer.status == 200)
        return answer
    }

    @Test func `A new binding is gone, and named`() throws {
        let answer = register(phone)
        #expect(server.targets() == [contact])
        let dropped = try undo(answer)
        #expect(server.targets() == [])
        #expect(dropped.map { String(decoding: $0.binding.contact, as: UTF8.self) } == [contact])
        #expect(dropped.map(\.clientID) == [1])
    }

    @Test func `A refreshed binding is what it was before`() throws {
        _ = register(phone)
        server.wait(seconds: 100)
        let refresh = register(phone.next.with { $0.expires = "3000" })
        #expect(try undo(refresh).isEmpty)
        #expect(server.targets() == [contact])
        // 600 s were granted at first, of which 500 are left.
        let listed = server.register(phone.next.next.with { $0.contacts = [] })
        #expect(listed.contacts == ["<\(contact)>;expires=500"])
    }

    @Test func `A removed binding is there again`() throws {
        _ = register(phone)
        let removal = register(phone.next.with { $0.expires = "0" })
        #expect(server.targets() == [])
        #expect(try undo(removal).isEmpty)
        #expect(server.targets() == [contact])
    }

    @Test func `After a failed removal of all, all are there again`() throws {
        _ = register(phone.with { $0.contacts = ["<sip:a@10.0.0.1>", "<sip:b@10.0.0.2>"] })
        let removal = register(
            phone.next.with {
                $0.contacts = ["*"]
                $0.expires = "0"
            })
        try undo(removal)
        #expect(Set(server.targets()) == ["sip:a@10.0.0.1", "sip:b@10.0.0.2"])
    }

    @Test func `A later REGISTER of the same contact that was stored stays`() throws {
        let failed = register(phone)
        server.wait(seconds: 1)
        _ = register(phone.next)
        #expect(try undo(failed).isEmpty)
        #expect(server.targets() == [contact])
    }

    @Test func `A later REGISTER of another contact stays, without the one that failed`() throws {
        let failed = register(phone)
        _ = register(phone.next.with { $0.contacts = ["<sip:alice@10.0.0.9>"] })
        try undo(failed)
        #expect(server.targets() == ["sip:alice@10.0.0.9"])
    }

    @Test func `When two in a row fail, nothing of the first comes back with the second`() throws {
        let first = register(phone)
        server.wait(seconds: 1)
        let second = register(phone.next)
        #expect(try undo(first).isEmpty, "it is the second's now")
        #expect(try undo(second).count == 1)
        #expect(server.targets() == [])
    }

    @Test func `When refreshes in a row fail, what was stored before them comes back`() throws {
        _ = register(phone)
        var next = phone
        var failed: [Server.Answer] = []
        for _ in 0..<5 {
            server.wait(seconds: 10)
            next = next.next
            failed.append(register(next.with { $0.expires = "3000" }))
        }
        for answer in failed { try undo(answer) }
        let listed = server.register(next.next.with { $0.contacts = [] })
        #expect(listed.contacts == ["<\(contact)>;expires=550"])
    }

    @Test func `The order in which failures are told does not matter`() throws {
        _ = register(phone)
        server.wait(seconds: 10)
        let first = register(phone.next.with { $0.expires = "1000" })
        let second = register(phone.next.next.with { $0.expires = "2000" })
        try undo(second)
        try undo(first)
        let listed = server.register(phone.next.next.next.with { $0.contacts = [] })
        #expect(listed.contacts == ["<\(contact)>;expires=590"])
    }

    @Test func `The binding that made room is there again when the new one fails`() throws {
        let server = Server { $0.registrar.maxBindings = 1 }
        #expect(server.register(phone).status == 200)
        let failed = server.register(phone.next.with { $0.contacts = ["<sip:alice@10.0.0.9>"] })
        #expect(server.targets() == ["sip:alice@10.0.0.9"])
        _ = server.locations.undo(try #require(failed.registration.undo), now: server.now)
        #expect(server.targets() == [contact])
    }

    @Test func `A device that moved is reached where it was before`() throws {
        let instance = "<\(contact)>;+sip.instance=\"<urn:uuid:1>\""
        let moved = "<sip:alice@10.7.7.7>;+sip.instance=\"<urn:uuid:1>\""
        _ = register(phone.with { $0.contacts = [instance] })
        let failed = register(phone.next.with { $0.contacts = [moved] }, from: Server.flow("203.0.113.1"))
        #expect(server.targets() == ["sip:alice@10.7.7.7"])
        try undo(failed)
        #expect(server.targets() == [contact])
    }

    @Test func `A binding of a connection that has ended meanwhile does not come back`() throws {
        let flow = Server.flow(connection: 9)
        _ = register(phone, from: flow)
        let removal = register(phone.next.with { $0.expires = "0" }, from: flow)
        _ = server.locations.connectionClosed(9)
        try undo(removal)
        #expect(server.targets() == [])
    }

    @Test func `A client that was removed or replaced meanwhile gets nothing back`() throws {
        _ = register(phone)
        let removal = register(phone.next.with { $0.expires = "0" })
        _ = "alice".withSlice { server.locations.removeClient($0) }
        server.add("alice", id: 77)
        try undo(removal)
        #expect(server.targets() == [])
    }

    @Test func `A disabled client gets nothing back`() throws {
        _ = register(phone)
        let removal = register(phone.next.with { $0.expires = "0" })
        _ = "alice".withSlice { server.locations.setEnabled(false, $0) }
        try undo(removal)
        #expect(server.targets() == [])
    }

    @Test func `The request that failed is challenged when it comes again, and never answered 200 without its binding`()
        throws
    {
        let request = phone.signed(nonce: server.nonce())
        let answer = server.send(request)
        #expect(answer.status == 200)
        try undo(answer)
        let again = server.send(request)
        #expect(again.status == 401)
        #expect(again.values("WWW-Authenticate").allSatisfy { $0.contains("stale=true") })
        #expect(server.register(phone.next).contacts.count == 1)
    }

    @Test func `A query and a repetition have nothing to take back`() {
        let request = phone.signed(nonce: server.nonce())
        _ = server.send(request)
        #expect(server.send(request).registration.undo == nil)
        #expect(server.register(phone.next.with { $0.contacts = [] }).registration.undo == nil)
    }
}
