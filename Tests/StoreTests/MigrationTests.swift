import Testing

@testable import Store

@Suite struct MigrationTests {
    let scratch = Scratch()

    @Test("A later step is applied to an existing store, once")
    func applies() throws {
        try Store(path: scratch.path).fill(clients: 1)
        let steps =
            Migration.all + [
                Migration(version: 2, sql: "CREATE TABLE later (id INTEGER PRIMARY KEY); PRAGMA user_version = 2")
            ]
        for _ in 0..<2 {
            let connection = try Store.open(path: scratch.path, options: StoreOptions(), migrations: steps)
            #expect(try connection.number("PRAGMA user_version") == 2)
            #expect(try connection.number("SELECT count(*) FROM client") == 1)
            #expect(try connection.number("SELECT count(*) FROM later") == 0)
        }
    }

    @Test("A step that fails leaves the store as it was")
    func fails() throws {
        try Store(path: scratch.path).fill(clients: 1)
        let steps =
            Migration.all + [
                Migration(version: 2, sql: "CREATE TABLE later (id INTEGER); PRAGMA user_version = 2; CREATE NONSENSE")
            ]
        #expect(throws: StoreError.self) {
            try Store.open(path: scratch.path, options: StoreOptions(), migrations: steps)
        }
        let store = try Store(path: scratch.path)
        #expect(try store.connection.number("PRAGMA user_version") == 1)
        #expect(try store.connection.number("SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == 0)
    }
}
