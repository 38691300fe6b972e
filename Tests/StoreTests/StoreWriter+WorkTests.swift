import Glibc
import Primitives
import Synchronization
import Testing

@testable import Store

@Suite struct StoreWriterWorkTests {
    let scratch = Scratch()

    @Test("Work gives its result when it is durable, and after its clients were reported")
    func order() throws {
        let path = scratch.path
        let account = try Store(path: path).createAccount(friendlyName: "Test", at: past).id
        let seen = Mutex<[String]>([])
        let writer = try StoreWriter<Int>(
            path: path, after: try Store(path: path).lastChange(),
            committed: { receipts, _ in seen.withLock { $0.append("committed \(receipts)") } },
            changed: { changes in
                // Whoever is told can read it, and is slow.
                let found = (try? Store(reading: path).client(login: "alice"))?.login ?? "nothing"
                usleep(100_000)
                seen.withLock { $0 += changes.map { "changed \($0.login), stored \(found)" } }
            })
        defer { writer.stop() }
        // Past the first look at changes, which is due at the start anyhow.
        usleep(50_000)
        let sid = try writer.perform { store throws(StoreError) in
            try store.createClient(.sample("alice", account: account)).sid
        }
        #expect(seen.withLock { $0 } == ["committed []", "changed alice, stored alice"])
        #expect(try Store(reading: path).client(login: "alice")?.sid == sid)
        #expect(writer.statistics().committed == 1)
        // Work that changes no client reports none.
        #expect(try writer.perform { store throws(StoreError) in try store.clientCount() } == 1)
        #expect(seen.withLock { $0.count } == 3)
    }

    @Test("Work that fails undoes itself alone; the registrations of its group are stored and answered")
    func failure() throws {
        let store = try Store(path: scratch.path)
        let client = try store.fill(clients: 1)[0]
        let reports = Reports()
        let writer = try reports.writer(scratch.path, after: try store.lastChange())
        try holdUp(writer, store)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, key: "a")), receipt: 1))
        let errors = Mutex<[StoreError?]>([])
        let threads = (0..<3).map { number in
            JoinableThread.start(
                named: "work",
                running: Caller {
                    let error = caught { () throws(StoreError) in
                        try writer.perform { store throws(StoreError) in
                            _ = try store.createClient(.sample("work\(number)", account: client.accountID))
                            try store.removeBindings(ofClient: client.id)
                            if number == 1 { throw .withdrawn(path: store.path, cause: "test") }
                        }
                    }
                    errors.withLock { $0.append(error) }
                })
        }
        #expect(Reports.wait { writer.statistics().queued == 5 })
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, key: "b")), receipt: 2))
        try store.connection.execute("COMMIT")
        for thread in threads { thread?.join() }
        writer.stop()
        #expect(writer.statistics().groups == 2)
        #expect(reports.good == [1, 2] && reports.bad.isEmpty)
        #expect(errors.withLock { $0.compactMap { $0 } } == [.withdrawn(path: scratch.path, cause: "test")])
        #expect(errors.withLock { $0.count } == 3)
        #expect(try store.client(login: "work0") != nil && store.client(login: "work2") != nil)
        #expect(try store.client(login: "work1") == nil)
        #expect(try store.allBindings.map(\.key) == [Array("b".utf8)])
        #expect(Set(reports.changes.map(\.login)) == ["work0", "work2"])
        #expect(writer.statistics().failed == 1 && writer.statistics().committed == 5)
    }

    @Test("Answers of registrations leave before the report of clients, however slow that is")
    func independence() throws {
        let store = try Store(path: scratch.path)
        let client = try store.fill(clients: 1)[0]
        let seen = Mutex<[String]>([])
        let writer = try StoreWriter<Int>(
            path: scratch.path, after: try store.lastChange(),
            committed: { receipts, _ in seen.withLock { $0 += receipts.map { "answer \($0)" } } },
            changed: { changes in seen.withLock { $0 += changes.map { "changed \($0.login)" } } })
        try holdUp(writer, store)
        let thread = JoinableThread.start(
            named: "work",
            running: Caller {
                _ = caught { () throws(StoreError) in
                    _ = try writer.perform { store throws(StoreError) in
                        try store.createClient(.sample("work", account: client.accountID))
                    }
                }
                seen.withLock { $0.append("released") }
            })
        #expect(Reports.wait { writer.statistics().queued == 2 })
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 7))
        try store.connection.execute("COMMIT")
        thread?.join()
        writer.stop()
        #expect(seen.withLock { $0 } == ["answer 7", "changed work", "released"])
    }

    /// Keeps the writer busy with a group of its own, until the transaction of `store` ends: what is added meanwhile is the
    /// next group.
    private func holdUp(_ writer: StoreWriter<Int>, _ store: Store) throws {
        try store.connection.execute("BEGIN IMMEDIATE")
        #expect(writer.enqueue([]))
        usleep(100_000)
    }

    @Test("Work whose turn does not come in time is not done later either, and more of it is refused at once")
    func patience() throws {
        let store = try Store(path: scratch.path)
        _ = try store.fill(clients: 2)
        var options = StoreOptions()
        options.workLockPatienceMilliseconds = 200
        let writer = try Reports().writer(scratch.path, options: options)
        defer { writer.stop() }
        try holdUp(writer, store)
        let remove: @Sendable (Store) throws(StoreError) -> Bool = { store throws(StoreError) in
            try store.removeClient(id: 1)
        }
        let began = StoreOptions.monotonicMilliseconds()
        #expect(throws: StoreError.busy(path: scratch.path)) { try writer.perform(remove) }
        let first = StoreOptions.monotonicMilliseconds()
        // The writer has waited for the lock a little longer than this work.
        #expect(first - began >= 50)
        for _ in 0..<20 { #expect(throws: StoreError.busy(path: scratch.path)) { try writer.perform(remove) } }
        #expect(StoreOptions.monotonicMilliseconds() - first < 2000)
        try store.connection.execute("COMMIT")
        writer.flush()
        #expect(try writer.perform { store throws(StoreError) in try store.clientCount() } == 2)
    }

    @Test("Work within work's own transaction can undo a part of itself")
    func nested() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past).id
        let writer = try Reports().writer(scratch.path)
        defer { writer.stop() }
        let path = scratch.path
        let found = try writer.perform { store throws(StoreError) -> StoreError? in
            _ = try store.createClient(.sample("kept", account: account))
            return caught { () throws(StoreError) in
                try store.transaction { () throws(StoreError) in
                    _ = try store.createClient(.sample("undone", account: account))
                    throw .withdrawn(path: path, cause: "test")
                }
            }
        }
        #expect(found == .withdrawn(path: path, cause: "test"))
        #expect(try store.client(login: "kept") != nil && store.client(login: "undone") == nil)
    }

    @Test("A stopped writer, and one whose queue is full, take no work and say so")
    func refused() throws {
        let store = try Store(path: scratch.path)
        var options = StoreOptions()
        options.queueLimit = 1
        let client = try store.fill(clients: 1)[0]
        let writer = try Reports().writer(scratch.path, options: options)
        try store.connection.execute("BEGIN IMMEDIATE")
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id))))
        #expect(throws: StoreError.overloaded(path: scratch.path)) {
            try writer.perform { store throws(StoreError) in try store.clientCount() }
        }
        try store.connection.execute("COMMIT")
        writer.flush()
        #expect(try writer.perform { store throws(StoreError) in try store.clientCount() } == 1)
        writer.stop()
        #expect(throws: StoreError.overloaded(path: scratch.path)) {
            try writer.perform { store throws(StoreError) in try store.clientCount() }
        }
    }

    @Test("A lock and a full disk fail the work with what happened, and the service goes on")
    func groupFailure() throws {
        let store = try Store(path: scratch.path)
        var options = StoreOptions()
        options.busyMilliseconds = 20
        options.lockPatienceMilliseconds = 60
        options.didOpen = { connection throws(StoreError) in try connection.execute("PRAGMA max_page_count = 60") }
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        defer { writer.stop() }
        try store.connection.execute("BEGIN IMMEDIATE")
        #expect(throws: StoreError.busy(path: scratch.path)) {
            try writer.perform { store throws(StoreError) in try store.setSetting("a", to: [1]) }
        }
        try store.connection.execute("COMMIT")
        #expect(throws: StoreError.full(path: scratch.path)) {
            try writer.perform { store throws(StoreError) in
                try store.setSetting("large", to: [UInt8](repeating: 1, count: 1_000_000))
            }
        }
        #expect(reports.bad.map(\.error) == [.busy(path: scratch.path), .full(path: scratch.path)])
        try writer.perform { store throws(StoreError) in try store.setSetting("a", to: [2]) }
        #expect(try store.setting("a") == [2] && store.setting("large") == nil)
    }

    @Test("Work and records that were committed survive a process that ends without closing the database")
    func crash() throws {
        let client = try Store(path: scratch.path).fill(clients: 1)[0]
        let writer = try Reports().writer(scratch.path)
        let number = RecordNumber(at: past, counter: 3)
        #expect(
            writer.enqueue(
                .startCall(
                    CallStart(
                        number: number, clientID: client.id, to: [0x62], direction: "client-to-client", startedAt: past,
                        callID: [0x63]))))
        try writer.perform { store throws(StoreError) in
            _ = try store.createClient(.sample("work", account: client.accountID))
        }
        // The files as they are now are what a killed process leaves behind.
        let copy = Scratch()
        Scratch.write(Scratch.contents(of: scratch.path), to: copy.path)
        Scratch.write(Scratch.contents(of: scratch.path + "-wal"), to: copy.path + "-wal")
        writer.stop()
        let store = try Store(path: copy.path)
        #expect(try store.client(login: "work") != nil)
        #expect(try store.call(number)?.from == "client1")
    }
}

/// The error of `body`, nil when there is none.
func caught(_ body: () throws(StoreError) -> Void) -> StoreError? {
    do throws(StoreError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// A thread that runs a closure.
private final class Caller: ThreadBody {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    override func run() { body() }
}
