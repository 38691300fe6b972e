import Glibc
import Primitives
import Testing

@testable import Store

@Suite struct StoreWriterTests {
    let scratch = Scratch()

    @Test("A receipt comes back when its change can be read by others, and not before")
    func receipt() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let path = scratch.path
        let seen = Reports()
        let writer = try StoreWriter<Int>(
            path: path,
            committed: { receipts, _ in
                // On the store thread, at the moment when an answer would leave.
                let rows = (try? Store(reading: path).allBindings) ?? []
                seen.content.withLock { $0.good += receipts.map { $0 + rows.count } }
            })
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 10))
        writer.flush()
        writer.stop()
        #expect(seen.good == [11])
    }

    @Test("A step of the clock moves the times of what was stored before it, and of nothing else")
    func clockStep() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        var options = StoreOptions()
        options.clock = { past }
        let writer = try Reports().writer(scratch.path, options: options)
        let day: Int64 = 86_400_000
        let step = ClockStep(
            expected: UnixTime(milliseconds: past.milliseconds + 1000),
            actual: UnixTime(milliseconds: past.milliseconds + 1000 + day), window: 100)
        for (key, time) in [("before", past), ("since", step.actual)] {
            var row = BindingRow.sample(client: client.id, key: key)
            (row.updatedAt, row.expiresAt) = (time, UnixTime(milliseconds: time.milliseconds + 600_000))
            #expect(writer.enqueue(.upsertBinding(row)))
        }
        #expect(writer.enqueue(.moveBindings(step)))
        writer.stop()
        let rows = try Store(path: scratch.path).allBindings
        #expect(
            rows.map(\.expiresAt.milliseconds) == [
                past.milliseconds + 600_000 + day, step.actual.milliseconds + 600_000,
            ])
        #expect(rows.map(\.updatedAt.milliseconds) == [past.milliseconds + day, step.actual.milliseconds])
    }

    @Test("Where nothing may be written, each change gets that error, and the thread goes on")
    func readOnly() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let reports = Reports()
        var options = StoreOptions()
        // As SQLite behaves when a file system is mounted anew for reading only.
        options.didOpen = { connection throws(StoreError) in try connection.execute("PRAGMA query_only = 1") }
        let writer = try reports.writer(scratch.path, options: options)
        for receipt in 1...2 {
            #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: receipt))
            writer.flush()
        }
        writer.stop()
        #expect(reports.good.isEmpty)
        let errors = reports.bad.filter { !$0.receipts.isEmpty }
        #expect(errors.map(\.receipts) == [[1], [2]])
        #expect(errors.allSatisfy { $0.error == .readOnly(path: scratch.path) })
    }

    @Test("Changes of many threads are committed in groups, each once")
    func groups() throws {
        try Store(path: scratch.path).fill(clients: 100)
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        let threads = (0..<8).map { number in
            JoinableThread.start(named: "test", running: Producer(writer: writer, number: number))
        }
        for thread in threads { thread?.join() }
        writer.flush()
        let counts = writer.statistics()
        writer.stop()
        #expect(reports.good.sorted() == Array(0..<8000))
        #expect(reports.bad.isEmpty)
        #expect(counts.committed == 8000 && counts.accepted == 8000 && counts.queued == 0)
        #expect(counts.groups < 4000)
        #expect(try Store(path: scratch.path).allBindings.count == 100)
    }

    private final class Producer: ThreadBody {
        let writer: StoreWriter<Int>
        let number: Int

        init(writer: StoreWriter<Int>, number: Int) {
            self.writer = writer
            self.number = number
        }

        override func run() {
            for index in 0..<1000 {
                _ = writer.enqueue(
                    .upsertBinding(.sample(client: Int64(index % 100 + 1))), receipt: number * 1000 + index)
            }
        }
    }

    @Test("The changes of one thread are applied in their order")
    func order() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        var row = BindingRow.sample(client: client.id)
        for number in 0..<500 {
            row.cseq = UInt32(number)
            row.createdAt = UnixTime(seconds: Int64(number))
            row.updatedAt = row.createdAt
            #expect(writer.enqueue(.upsertBinding(row), receipt: number))
        }
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, key: "gone"))))
        #expect(writer.enqueue(.deleteBinding(clientID: client.id, key: Array("gone".utf8)), receipt: 500))
        writer.stop()
        #expect(reports.good == Array(0...500))
        // A refresh leaves the time of creation.
        row.createdAt = UnixTime(seconds: 0)
        #expect(try Store(path: scratch.path).allBindings == [row])
    }

    @Test("A refresh changes every value of a binding but its time of creation")
    func refresh() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let writer = try Reports().writer(scratch.path)
        var row = BindingRow.sample(client: client.id)
        #expect(writer.enqueue(.upsertBinding(row)))
        row.contact = [1]
        row.callIDHash = HashValue(3, 4)
        row.cseq = 5
        row.expiresAt = UnixTime(seconds: 4_000_000_006)
        row.q = 7
        row.instance = nil
        row.regID = nil
        row.path = [8]
        row.userAgent = [9]
        row.transport = .udp
        row.remote = SocketAddress(address: IPAddress(ipv4: 10), port: 11)
        row.listener = "12"
        row.updatedAt = UnixTime(seconds: 1_800_000_000)
        #expect(writer.enqueue(.upsertBinding(row)))
        writer.stop()
        #expect(try Store(path: scratch.path).allBindings == [row])
        #expect(row.createdAt == past)
    }

    @Test("A change that the tables refuse fails alone")
    func isolation() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let reports = Reports()
        let writer = try held(
            reports,
            while: { writer in
                #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, key: "a")), receipt: 1))
                #expect(writer.enqueue(.upsertBinding(.sample(client: 999, key: "b")), receipt: 2))
                #expect(writer.enqueue(.upsertBinding(.sample(client: 998, key: "b"))))
                #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, key: "c")), receipt: 3))
            })
        let counts = writer.statistics()
        writer.stop()
        #expect(reports.good == [1, 3])
        #expect(reports.bad.map(\.receipts) == [[2], []])
        for failure in reports.bad {
            guard case .constraint(_, .reference, _) = failure.error else {
                Issue.record("\(failure.error)")
                continue
            }
        }
        #expect(counts.committed == 2 && counts.failed == 2)
        #expect(try Store(path: scratch.path).allBindings.map(\.key) == [Array("a".utf8), Array("c".utf8)])
    }

    @Test("A binding of a client that was disabled on the command line meanwhile is refused")
    func disabledClient() throws {
        let store = try Store(path: scratch.path)
        var client = try #require(try store.fill(clients: 1).first)
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 1))
        writer.flush()
        client.status = 0
        try store.updateClient(client)
        try store.removeBindings(ofClient: client.id)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 2))
        writer.stop()
        #expect(reports.good == [1] && reports.bad.map(\.receipts) == [[2]])
        #expect(try store.allBindings.isEmpty)
    }

    @Test("An answer without a change of its own waits for the changes before it")
    func barrier() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let reports = Reports()
        let writer = try held(
            reports,
            while: { writer in
                #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 1))
                #expect(writer.enqueue([], receipt: 2))
                usleep(50_000)
                #expect(reports.good.isEmpty)
            })
        writer.stop()
        #expect(reports.good == [1, 2])
    }

    @Test("The end does not wait for a lock of another process")
    func endUnderLock() throws {
        let store = try Store(path: scratch.path)
        let client = try #require(try store.fill(clients: 1).first)
        let reports = Reports()
        var options = StoreOptions()
        options.groupLimit = 1
        let writer = try reports.writer(scratch.path, options: options)
        try store.connection.execute("BEGIN IMMEDIATE")
        for number in 0..<100 {
            #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: number))
        }
        let begun = StoreOptions.monotonicMilliseconds()
        writer.stop()
        #expect(StoreOptions.monotonicMilliseconds() - begun < 700)
        #expect(reports.bad.flatMap(\.receipts) == Array(0..<100))
        store.connection.rollBack()
    }

    @Test("RFC 3261 10.3: changes that belong together are stored all or none")
    func units() throws {
        let clients = try Store(path: scratch.path).fill(clients: 2)
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        let good = BindingRow.sample(client: clients[0].id, key: "a")
        #expect(writer.enqueue([.upsertBinding(good), .upsertBinding(.sample(client: 999))], receipt: 1))
        #expect(writer.enqueue([.deleteBindings(clientID: clients[1].id), .upsertBinding(good)], receipt: 2))
        #expect(
            writer.enqueue(
                [.deleteBindings(clientID: clients[0].id), .upsertBinding(.sample(client: 999))], receipt: 3))
        #expect(writer.enqueue([], receipt: 4))
        writer.stop()
        #expect(reports.good.sorted() == [2, 4])
        #expect(reports.bad.map(\.receipts) == [[1], [3]])
        #expect(try Store(path: scratch.path).allBindings == [good])
    }

    @Test("A lock of another process is waited for, and nothing is lost")
    func lockedForAWhile() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        var options = StoreOptions()
        options.busyMilliseconds = 20
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        let other = try Store(path: scratch.path)
        try other.connection.execute("BEGIN IMMEDIATE")
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 1))
        usleep(300_000)
        #expect(reports.good.isEmpty && reports.bad.isEmpty)
        try other.connection.execute("COMMIT")
        writer.flush()
        writer.stop()
        #expect(reports.good == [1])
    }

    @Test("A lock that outlasts all patience is reported, and the service goes on")
    func lockedForLong() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        var options = StoreOptions()
        options.busyMilliseconds = 20
        options.lockPatienceMilliseconds = 60
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        let other = try Store(path: scratch.path)
        try other.connection.execute("BEGIN IMMEDIATE")
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 1))
        writer.flush()
        #expect(reports.bad.map(\.receipts) == [[1]] && reports.bad.map(\.error) == [.busy(path: scratch.path)])
        try other.connection.execute("COMMIT")
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 2))
        writer.stop()
        #expect(reports.good == [2])
    }

    @Test("A full disk is reported for the group, and the service goes on when there is room")
    func full() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        var options = StoreOptions()
        options.didOpen = { connection throws(StoreError) in try connection.execute("PRAGMA max_page_count = 40") }
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        var large = BindingRow.sample(client: client.id, key: "large")
        large.userAgent = [UInt8](repeating: 65, count: 400_000)
        #expect(writer.enqueue(.upsertBinding(large), receipt: 1))
        writer.flush()
        #expect(reports.bad.map(\.receipts) == [[1]] && reports.bad.map(\.error) == [.full(path: scratch.path)])
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 2))
        writer.stop()
        #expect(reports.good == [2])
        #expect(try Store(path: scratch.path).allBindings == [.sample(client: client.id)])
    }

    @Test("A full queue refuses, and takes again when there is room")
    func bounded() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        var options = StoreOptions()
        options.queueLimit = 3
        let reports = Reports()
        let writer = try held(
            reports, options: options,
            while: { writer in
                for number in 1...3 {
                    #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: number))
                }
                #expect(!writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 4))
            })
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 5))
        writer.flush()
        #expect(writer.statistics().refused == 1)
        writer.stop()
        #expect(reports.good == [1, 2, 3, 5])
    }

    @Test("Stopping commits all that waits, and after it nothing is accepted")
    func stop() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        var options = StoreOptions()
        options.gatherMicroseconds = 1000
        options.groupLimit = 7
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        for number in 0..<1000 {
            #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, key: "\(number)")), receipt: number))
        }
        writer.stop()
        writer.stop()
        #expect(reports.good == Array(0..<1000))
        #expect(!writer.enqueue(.deleteBindings(clientID: client.id), receipt: 1))
        #expect(try Store(path: scratch.path).allBindings.count == 1000)
        // The last connection wrote the log back.
        #expect(Scratch.names(in: scratch.directory) == ["rollcall.sqlite"])
    }

    @Test("The writer refuses what the store refuses")
    func damaged() {
        Scratch.write(Array("This is a letter, not a database.".utf8), to: scratch.path)
        #expect(throws: StoreError.notADatabase(path: scratch.path)) { try Reports().writer(scratch.path) }
    }

    /// A writer that takes what `body` adds as one group: another connection holds the lock meanwhile.
    private func held(
        _ reports: Reports, options: StoreOptions = StoreOptions(), while body: (StoreWriter<Int>) -> Void
    ) throws -> StoreWriter<Int> {
        let writer = try reports.writer(scratch.path, options: options)
        let other = try Store(path: scratch.path)
        try other.connection.execute("BEGIN IMMEDIATE")
        body(writer)
        try other.connection.execute("COMMIT")
        writer.flush()
        return writer
    }
}
