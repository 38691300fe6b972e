import Primitives
import Testing

@testable import Store

@Suite struct MigrationTests {
    let scratch = Scratch()

    @Test("A later step is applied to an existing store, once")
    func applies() throws {
        try Store(path: scratch.path).fill(clients: 1)
        let steps =
            Migration.all + [
                Migration(version: 4, sql: "CREATE TABLE later (id INTEGER PRIMARY KEY); PRAGMA user_version = 4")
            ]
        for _ in 0..<2 {
            let connection = try Store.open(path: scratch.path, options: StoreOptions(), migrations: steps)
            #expect(try connection.number("PRAGMA user_version") == 4)
            #expect(try connection.number("SELECT count(*) FROM client") == 1)
            #expect(try connection.number("SELECT count(*) FROM later") == 0)
        }
    }

    @Test("A step that fails leaves the store as it was")
    func fails() throws {
        try Store(path: scratch.path).fill(clients: 1)
        let steps =
            Migration.all + [
                Migration(version: 4, sql: "CREATE TABLE later (id INTEGER); PRAGMA user_version = 4; CREATE NONSENSE")
            ]
        #expect(throws: StoreError.self) {
            try Store.open(path: scratch.path, options: StoreOptions(), migrations: steps)
        }
        let store = try Store(path: scratch.path)
        #expect(try store.connection.number("PRAGMA user_version") == 3)
        #expect(try store.connection.number("SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == 0)
    }

    @Test("A database of version 1 gets the later tables and keeps what is in it")
    func upgrades() throws {
        do {
            let connection = try Store.open(
                path: scratch.path, options: StoreOptions(), migrations: [Migration(version: 1, sql: Schema.version1)])
            try connection.execute(
                """
                INSERT INTO account VALUES
                    (1, 'AC1', NULL, 'Top', 'Top@example.org', 't1', 'active', 1, 2),
                    (2, 'AC2', 'AC1', 'Middle', '', 't2', 'suspended', 3, 4),
                    (3, 'AC3', 'AC2', 'Low', '', 't3', 'active', 5, 6),
                    (4, 'AC4', NULL, 'Twin', 'top@example.org', 't4', 'closed', 5, 6),
                    (5, 'AC5', 'AC6', 'Circle', '', 't5', 'active', 5, 6),
                    (6, 'AC6', 'AC5', 'Circle', '', 't6', 'other', 5, 6);
                INSERT INTO client VALUES (7, 'CL7', 3, 'alice', 'Alice', 'secret', zeroblob(16), zeroblob(32),
                    zeroblob(32), 'example.org', 1, NULL, 'POST', NULL, 'POST', 'AP1', '2012-04-24', 8, 9);
                INSERT INTO binding VALUES (7, x'01', x'02', 3, 4, 5, 6, 7, NULL, NULL, NULL, x'08', 1, x'09', 'l', 1, 2);
                INSERT INTO setting VALUES ('key', x'0102');
                """)
        }
        let store = try Store(path: scratch.path)
        var accounts: [AccountRow] = []
        try store.forEachAccount { accounts.append($0) }
        #expect(accounts.map(\.status) == ["active", "suspended", "active", "closed", "active", "other"])
        #expect(
            accounts.map(\.effectiveStatus)
                == ["active", "suspended", "suspended", "closed", "suspended", "suspended"])
        // An email that two accounts had is the first one's.
        #expect(accounts.map(\.email) == ["Top@example.org", "", "", "", "", ""])
        #expect(accounts[2].dateUpdated == UnixTime(milliseconds: 6))
        let client = try #require(try store.client(login: "alice"))
        #expect(client.id == 7 && client.password == "secret" && client.dateUpdated == UnixTime(milliseconds: 9))
        #expect(try store.allBindings.isEmpty && store.connection.number("SELECT count(*) FROM binding") == 1)
        #expect(try store.setting("key") == [1, 2])
        #expect(try store.references(toApplication: "AP1", limit: 9) == [.client(sid: "CL7", login: "alice")])
        #expect(try store.connection.text("PRAGMA integrity_check") == "ok")
    }

    @Test("A database of version 1 cannot be read before a server has brought it up to date")
    func readsOld() throws {
        _ = try Store.open(
            path: scratch.path, options: StoreOptions(), migrations: [Migration(version: 1, sql: Schema.version1)])
        let reason = "its tables are of an older version; start the server once"
        #expect(throws: StoreError.cannotOpen(path: scratch.path, reason: reason)) { try Store(reading: scratch.path) }
    }
}
