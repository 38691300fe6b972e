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
}
