import Testing

@testable import Store

@Suite struct StoreClientsTests {
    let scratch = Scratch()

    @Test("A client is found by login and sid with all of its values")
    func create() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        var row = ClientRow.sample("alice", account: account.id)
        row.password = nil
        row.voiceURL = "http://example.org/hello.xml"
        row.voiceFallbackURL = "http://example.org/other.xml"
        row.voiceApplicationSID = "AP1"
        row.status = 0
        let created = try store.createClient(row)
        #expect(created.id > 0 && created.sid.hasPrefix("CL") && created.sid.count == 34)
        #expect(try store.client(login: "alice") == created)
        #expect(try store.client(sid: created.sid) == created)
        #expect(try store.client(login: "Alice") == nil)
    }

    @Test("A login exists once in the domain, whatever the account")
    func unique() throws {
        let store = try Store(path: scratch.path)
        try store.fill(clients: 1)
        let other = try store.createAccount(friendlyName: "Other", at: past)
        #expect {
            try store.createClient(.sample("client1", account: other.id))
        } throws: { error in
            if case .constraint(_, .unique, let detail)? = error as? StoreError { return detail.contains("login") }
            return false
        }
    }

    @Test("A client of an account that does not exist, or with a digest of wrong length, is refused")
    func refused() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        #expect {
            try store.createClient(.sample("alice", account: 99))
        } throws: { error in
            if case .constraint(_, .reference, _)? = error as? StoreError { return true }
            return false
        }
        var short = ClientRow.sample("alice", account: account.id)
        short.ha1SHA256.removeLast()
        #expect {
            try store.createClient(short)
        } throws: { error in
            if case .constraint(_, .other, _)? = error as? StoreError { return true }
            return false
        }
    }

    @Test("Clients are listed in order of creation, of all accounts or of one")
    func list() throws {
        let store = try Store(path: scratch.path)
        let first = try store.fill(clients: 12)
        let other = try store.createAccount(friendlyName: "Other", at: past)
        let last = try store.createClient(.sample("a-later-one", account: other.id))
        var all: [ClientRow] = []
        try store.forEachClient { all.append($0) }
        #expect(all == first + [last])
        all = []
        try store.forEachClient(ofAccount: other.id) { all.append($0) }
        #expect(all == [last])
        #expect(try store.clientCount() == 13)
    }

    @Test("An update changes everything but the sid and the date of creation")
    func update() throws {
        let store = try Store(path: scratch.path)
        var client = try #require(try store.fill(clients: 1).first)
        let sid = client.sid
        client.sid = "CLother"
        client.login = "renamed"
        client.password = "new"
        client.status = 0
        client.dateUpdated = .init(seconds: 1_800_000_000)
        client.dateCreated = client.dateUpdated
        #expect(try store.updateClient(client))
        let stored = try #require(try store.client(login: "renamed"))
        client.sid = sid
        client.dateCreated = past
        #expect(stored == client)
        client.id = 99
        #expect(try store.updateClient(client) == false)
    }

    @Test("A removed client takes its bindings along, and its number is never used again")
    func remove() throws {
        let store = try Store(path: scratch.path)
        let client = try #require(try store.fill(clients: 1).first)
        let writer = try Reports().writer(scratch.path)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id))))
        writer.stop()
        #expect(try store.allBindings.count == 1)
        #expect(try store.removeClient(id: client.id))
        #expect(try store.removeClient(id: client.id) == false)
        #expect(try store.connection.number("SELECT count(*) FROM binding") == 0)
        let next = try store.createClient(.sample("next", account: client.accountID))
        #expect(next.id > client.id)
    }
}
