import Glibc
import Testing

@testable import Store

@Suite struct DatabaseLockTests {
    let scratch = Scratch()

    @Test("One at a time has the lock, and whoever comes second is told who has it")
    func second() throws {
        let first = try DatabaseLock(path: scratch.path)
        #expect(throws: StoreError.inUse(path: scratch.path, process: getpid())) {
            try DatabaseLock(path: scratch.path)
        }
        withExtendedLifetime(first) {}
    }

    @Test("The lock is free again when its holder lets go, and others may read and write the database meanwhile")
    func release() throws {
        do {
            let first = try DatabaseLock(path: scratch.path)
            try Store(path: scratch.path).fill(clients: 1)
            withExtendedLifetime(first) {}
        }
        _ = try DatabaseLock(path: scratch.path)
    }

    @Test("A database has one lock by whatever name it is opened")
    func link() throws {
        let first = try DatabaseLock(path: scratch.path)
        let other = scratch.directory + "/other"
        #expect(symlink(scratch.path, other) == 0)
        #expect(throws: StoreError.inUse(path: other, process: getpid())) { try DatabaseLock(path: other) }
        withExtendedLifetime(first) {}
    }

    @Test("The lock's file is for its owner alone")
    func mode() throws {
        _ = try DatabaseLock(path: scratch.path)
        #expect(Scratch.mode(of: scratch.path + ".lock") == 0o600)
    }
}
