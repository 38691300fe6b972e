import CSQLite
import Glibc
import Primitives
import Testing

@testable import Store

@Suite struct StoreTests {
    let scratch = Scratch()

    @Test("A new store is a file that only its owner can read, and so are the files beside it")
    func ownerOnly() throws {
        let before = umask(0)
        defer { umask(before) }
        let path = scratch.directory + "/new/state.sqlite"
        let store = try Store(path: path)
        try store.fill(clients: 1)
        #expect(Scratch.mode(of: path) == 0o600)
        #expect(Scratch.mode(of: path + "-wal") == 0o600)
        #expect(Scratch.mode(of: path + "-shm") == 0o600)
        #expect(Scratch.mode(of: scratch.directory + "/new") == 0o700)
        for name in Scratch.names(in: scratch.directory + "/new") { unlink(scratch.directory + "/new/" + name) }
        rmdir(scratch.directory + "/new")
    }

    @Test("The rights of others on an existing store are taken away")
    func tightens() throws {
        _ = try Store(path: scratch.path)
        chmod(scratch.path, 0o644)
        _ = try Store(path: scratch.path)
        #expect(Scratch.mode(of: scratch.path) == 0o600)
    }

    @Test("A store is opened in WAL mode with foreign keys and the durability that was asked for")
    func pragmas() throws {
        let normal = try Store(path: scratch.path)
        #expect(try normal.connection.text("PRAGMA journal_mode") == "wal")
        #expect(try normal.connection.number("PRAGMA foreign_keys") == 1)
        #expect(try normal.connection.number("PRAGMA synchronous") == 1)
        #expect(try normal.connection.number("PRAGMA application_id") == 0x5243_414c)
        var options = StoreOptions()
        options.durability = .synced
        let synced = try Store(path: scratch.path, options: options)
        #expect(try synced.connection.number("PRAGMA synchronous") == 2)
    }

    @Test("A database of another program is refused and left as it is")
    func foreign() throws {
        DatabaseFileTests.makeEmpty(scratch.path)
        do {
            let other = try SQLiteConnection(path: scratch.path, access: .readWrite, busyMilliseconds: 0)
            try other.execute("CREATE TABLE note (text TEXT)")
        }
        let before = Scratch.contents(of: scratch.path)
        #expect(throws: StoreError.foreignDatabase(path: scratch.path)) { try Store(path: scratch.path) }
        #expect(Scratch.contents(of: scratch.path) == before)
        #expect(!before.isEmpty)
    }

    @Test("A database of another program with its own application id is refused even without tables")
    func foreignIdentifier() throws {
        DatabaseFileTests.makeEmpty(scratch.path)
        do {
            let other = try SQLiteConnection(path: scratch.path, access: .readWrite, busyMilliseconds: 0)
            try other.execute("PRAGMA application_id = 5")
        }
        #expect(throws: StoreError.foreignDatabase(path: scratch.path)) { try Store(path: scratch.path) }
    }

    @Test("A database of a newer version is refused with both versions named")
    func newer() throws {
        try Store(path: scratch.path).connection.execute("PRAGMA user_version = 99")
        let expected = StoreError.newerSchema(path: scratch.path, found: 99, known: 3)
        #expect(throws: expected) { try Store(path: scratch.path) }
        #expect(throws: expected) { try Store(reading: scratch.path) }
        #expect(expected.description.contains("99") && expected.description.contains(scratch.path))
    }

    @Test("A file that is no database is refused and left as it is", arguments: [10, 99, 600, 5000])
    func garbage(size: Int) throws {
        let bytes = [UInt8]((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })
        Scratch.write(bytes, to: scratch.path)
        #expect(throws: StoreError.notADatabase(path: scratch.path)) { try Store(path: scratch.path) }
        #expect(Scratch.contents(of: scratch.path) == bytes)
    }

    @Test("A store that was cut off is reported as damaged", arguments: [150, 600, 4096, 9000])
    func truncated(size: Int) throws {
        try Store(path: scratch.path).fill(clients: 200)
        let bytes = Scratch.contents(of: scratch.path)
        try #require(bytes.count > 20_000)
        Scratch.write(Array(bytes[..<size]), to: scratch.path)
        #expect {
            try Store(path: scratch.path)
        } throws: { error in
            switch error as? StoreError {
            case .damaged, .notADatabase: return true
            default: return false
            }
        }
    }

    @Test("A store with a garbled page is reported as damaged by the check at the start")
    func garbled() throws {
        try Store(path: scratch.path).fill(clients: 200)
        var bytes = Scratch.contents(of: scratch.path)
        for offset in stride(from: 8192, to: bytes.count, by: 4096) { bytes[offset] = 0x77 }
        Scratch.write(bytes, to: scratch.path)
        #expect {
            try Store(path: scratch.path)
        } throws: { error in
            if case .damaged(let path, let detail)? = error as? StoreError {
                return path == scratch.path && !detail.isEmpty
            }
            return false
        }
    }

    @Test("The check at the start is left out for a file over the limit")
    func unchecked() throws {
        try Store(path: scratch.path).fill(clients: 200)
        var bytes = Scratch.contents(of: scratch.path)
        bytes[bytes.count - 4096] = 0x77
        Scratch.write(bytes, to: scratch.path)
        var options = StoreOptions()
        options.checkLimit = 4096
        _ = try Store(path: scratch.path, options: options)
    }

    @Test("A directory in place of the file is refused")
    func directory() throws {
        #expect(throws: StoreError.cannotOpen(path: scratch.directory, reason: "not a regular file")) {
            try Store(path: scratch.directory)
        }
    }

    @Test("A file or directory without write permission is reported as read-only", arguments: [false, true])
    func readOnly(hasFile: Bool) throws {
        if hasFile {
            try Store(path: scratch.path).fill(clients: 1)
            chmod(scratch.path, 0o444)
        }
        chmod(scratch.directory, 0o555)
        defer { chmod(scratch.directory, 0o755) }
        let path = scratch.path
        var found: StoreError?
        try OtherUser.run {
            do throws(StoreError) {
                _ = try Store(path: path)
            } catch {
                found = error
            }
        }
        #expect(found == .readOnly(path: path))
    }

    @Test("A setting is kept over a restart and can be set again")
    func settings() throws {
        do {
            let store = try Store(path: scratch.path)
            #expect(try store.setting("nonce-key") == nil)
            try store.setSetting("nonce-key", to: [1])
            try store.setSetting("nonce-key", to: [0, 255, 0])
            try store.setSetting("empty", to: [])
        }
        let store = try Store(path: scratch.path)
        #expect(try store.setting("nonce-key") == [0, 255, 0])
        #expect(try store.setting("empty") == [])
    }

    @Test("A transaction that throws leaves nothing")
    func rollBack() throws {
        let store = try Store(path: scratch.path)
        #expect(throws: StoreError.self) {
            try store.transaction { () throws(StoreError) in
                try store.setSetting("a", to: [1])
                _ = try store.createClient(.sample("orphan", account: 77))
            }
        }
        #expect(try store.setting("a") == nil)
        #expect(!store.connection.isInTransaction)
    }

    @Test("A read-only store sees what a running writer has committed, and cannot write")
    func reading() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let writer = try Reports().writer(scratch.path)
        let reader = try Store(reading: scratch.path)
        #expect(try reader.allBindings.isEmpty)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id))))
        writer.flush()
        #expect(try reader.allBindings == [.sample(client: client.id)])
        #expect(throws: StoreError.readOnly(path: scratch.path)) { try reader.setSetting("a", to: []) }
        writer.stop()
    }

    @Test("A read-only store makes no file")
    func readingNothing() {
        #expect(throws: StoreError.self) { try Store(reading: scratch.path) }
        #expect(Scratch.names(in: scratch.directory).isEmpty)
    }

    @Test("What was committed survives a process that ends without closing the database")
    func crash() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let writer = try Reports().writer(scratch.path)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id))))
        writer.flush()
        // The files as they are now are what a killed process leaves behind.
        let copy = Scratch()
        try #require(!Scratch.contents(of: scratch.path + "-wal").isEmpty)
        Scratch.write(Scratch.contents(of: scratch.path), to: copy.path)
        Scratch.write(Scratch.contents(of: scratch.path + "-wal"), to: copy.path + "-wal")
        writer.stop()
        let store = try Store(path: copy.path)
        #expect(try store.allBindings == [.sample(client: client.id)])
    }
}

/// Runs code without the rights of root, which no permission stops.
enum OtherUser {
    static func run(_ body: () throws -> Void) throws {
        guard geteuid() == 0 else { return try body() }
        // The file system user belongs to the thread on Linux; Glibc's module does not have the call.
        let symbol = try #require(dlsym(nil, "setfsuid"))
        let setUser = unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> Int32).self)
        _ = setUser(65_534)
        defer { _ = setUser(0) }
        try body()
    }
}
