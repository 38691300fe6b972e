import Primitives
import Testing

@testable import Store

@Suite struct StoreBindingsTests {
    let scratch = Scratch()

    @Test("Only bindings that are live are listed, with the login of their client")
    func list() throws {
        let store = try Store(path: scratch.path)
        let clients = try store.fill(clients: 2)
        var options = StoreOptions()
        options.clock = { UnixTime(milliseconds: 0) }
        let writer = try Reports().writer(scratch.path, options: options)
        var plain = BindingRow.sample(client: clients[1].id, key: "c", expires: UnixTime(milliseconds: 5001))
        plain.instance = nil
        plain.regID = nil
        plain.path = nil
        let rows = [
            BindingRow.sample(client: clients[0].id, key: "a", expires: UnixTime(milliseconds: 5000)),
            BindingRow.sample(client: clients[0].id, key: "b", expires: UnixTime(milliseconds: 9000)), plain,
        ]
        for row in rows { #expect(writer.enqueue(.upsertBinding(row))) }
        writer.stop()

        var found: [BindingRow] = []
        var logins: [String] = []
        try store.forEachBinding(liveAt: UnixTime(milliseconds: 5000)) { row, login in
            found.append(row)
            logins.append(login)
        }
        #expect(found == [rows[1], rows[2]])
        #expect(logins == ["client1", "client2"])
        #expect(try store.bindings(ofClient: clients[0].id, liveAt: UnixTime(milliseconds: 0)) == [rows[0], rows[1]])

        #expect(try store.removeExpiredBindings(at: UnixTime(milliseconds: 5000)) == 1)
        #expect(try store.removeBindings(ofClient: clients[0].id) == 1)
        #expect(try store.removeBindings(ofClient: clients[0].id) == 0)
        #expect(try store.connection.number("SELECT count(*) FROM binding") == 1)
    }

    @Test("Bindings of an account and of a client are paged by client and key, with login and sid of the client")
    func pages() throws {
        let store = try Store(path: scratch.path)
        let clients = try store.fill(clients: 3)
        let other = try store.createClient(
            .sample("other", account: try store.createAccount(friendlyName: "Other", at: past).id))
        let writer = try Reports().writer(scratch.path)
        var all: [BindingListing] = []
        for client in [clients[0], clients[2], other] {
            for key in ["a", "b", "c"] {
                let row = BindingRow.sample(client: client.id, key: key)
                #expect(writer.enqueue(.upsertBinding(row)))
                all.append(BindingListing(binding: row, login: client.login, clientSID: client.sid))
            }
        }
        let ended = BindingRow.sample(client: clients[0].id, key: "d", expires: UnixTime(seconds: 3_900_000_000))
        #expect(writer.enqueue(.upsertBinding(ended)))
        writer.stop()
        let account = clients[0].accountID
        let now = ended.expiresAt
        #expect(try store.bindings(ofAccount: account, liveAt: now, limit: 4) == Array(all[..<4]))
        let after = (client: clients[2].id, key: Array("a".utf8))
        #expect(try store.bindings(ofAccount: account, liveAt: now, after: after, limit: 4) == Array(all[4..<6]))
        let last = (client: clients[0].id, key: Array("c".utf8))
        #expect(try store.bindings(ofAccount: account, liveAt: now, after: last, limit: 2) == Array(all[3..<5]))
        #expect(try store.bindingCount(ofAccount: account, liveAt: now) == 6)
        #expect(try store.bindings(ofClient: other.id, liveAt: now, limit: 2) == Array(all[6..<8]))
        #expect(try store.bindings(ofClient: other.id, liveAt: now, after: [0x62], limit: 2) == [all[8]])

        #expect(try store.binding(ofClient: other.id, key: [0x61]) == all[6])
        #expect(try store.removeBinding(client: other.id, key: [0x61]))
        #expect(try store.removeBinding(client: other.id, key: [0x61]) == false)
        #expect(try store.binding(ofClient: other.id, key: [0x61]) == nil)
        #expect(try store.binding(ofClient: other.id, key: [0x62]) == all[7])
    }
}
