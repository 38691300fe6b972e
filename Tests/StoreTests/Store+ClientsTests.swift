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

    @Test("Clients are found by login, name and status exactly, in which no character is a wildcard")
    func filters() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        var rows: [ClientRow] = []
        for login in ["a%", "a_", "ab", "o'hara", "\"quoted\""] {
            var row = ClientRow.sample(login, account: account.id)
            row.friendlyName = login == "ab" ? "50%" : "x"
            row.status = login == "a_" ? 0 : 1
            rows.append(try store.createClient(row))
        }
        func find(_ filter: ClientFilter) throws -> [ClientRow] {
            let found = try store.clients(ofAccount: account.id, matching: filter, limit: 99)
            #expect(try store.clientCount(ofAccount: account.id, matching: filter) == found.count)
            return found
        }
        #expect(try find(ClientFilter()) == rows)
        for (index, login) in ["a%", "a_", "ab", "o'hara", "\"quoted\""].enumerated() {
            #expect(try find(ClientFilter(login: login)) == [rows[index]])
        }
        #expect(try find(ClientFilter(login: "%")).isEmpty)
        #expect(try find(ClientFilter(login: "x' OR '1'='1")).isEmpty)
        #expect(try find(ClientFilter(friendlyName: "50%")) == [rows[2]])
        #expect(try find(ClientFilter(friendlyName: "x", status: 1)) == [rows[0], rows[3], rows[4]])
        #expect(try store.clients(ofAccount: account.id + 1, limit: 9).isEmpty)
    }

    @Test("A hundred thousand clients are paged by index, each page from where the last one ended")
    func pages() throws {
        let store = try Store(path: scratch.path)
        let clients = try store.fill(clients: 100_000)
        let account = clients[0].accountID
        for start in [0, 1, 50_000, 99_990] {
            let after = start == 0 ? 0 : clients[start - 1].id
            let page = try store.clients(ofAccount: account, after: after, limit: 50)
            #expect(page == Array(clients[start..<min(start + 50, 100_000)]))
        }
        #expect(try store.clients(ofAccount: account, offset: 99_999, limit: 50) == [clients[99_999]])
        #expect(try store.clientCount(ofAccount: account) == 100_000)
        let plan = try store.plan(
            store.clientQuery(ofAccount: account, matching: ClientFilter(), after: 5, offset: 0, limit: 50))
        #expect(plan.contains("client_account (account_id=? AND rowid>?)") && !plan.contains("TEMP B-TREE"))
        let one = try store.plan(
            store.clientQuery(
                ofAccount: account, matching: ClientFilter(login: "client7"), after: 0, offset: 0, limit: 50))
        #expect(one.contains("(login=?)"))
        let start = try store.plan(
            Query(
                """
                SELECT 1 FROM client CROSS JOIN account ON account.id = client.account_id ORDER BY client.id
                """))
        #expect(!start.contains("TEMP B-TREE"))
    }
}
