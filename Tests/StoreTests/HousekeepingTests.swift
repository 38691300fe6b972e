import Glibc
import Primitives
import Synchronization
import Testing

@testable import Store

@Suite struct HousekeepingTests {
    let scratch = Scratch()

    @Test("Expired bindings are deleted in idle time, in many small steps, and live ones stay")
    func sweeps() throws {
        let store = try Store(path: scratch.path)
        let clients = try store.fill(clients: 50)
        let clock = Clock()
        clock.set(1000)
        var options = StoreOptions()
        options.sliceRows = 7
        options.sweepMilliseconds = 20
        options.pollMilliseconds = 10
        options.clock = { clock.time }
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        for client in clients {
            for number in 0..<4 {
                let expires = UnixTime(milliseconds: number == 3 ? 9000 : 2000 + Int64(number))
                #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, key: "\(number)", expires: expires))))
            }
        }
        writer.flush()
        usleep(100_000)
        #expect(try store.connection.number("SELECT count(*) FROM binding") == 200)
        clock.set(2001)
        #expect(Reports.wait { (try? store.connection.number("SELECT count(*) FROM binding")) == 100 })
        clock.set(8999)
        #expect(Reports.wait { (try? store.connection.number("SELECT count(*) FROM binding")) == 50 })
        usleep(50_000)
        let counts = writer.statistics()
        writer.stop()
        #expect(counts.expired == 150)
        #expect(counts.housekeepingFailures == 0)
        #expect(try store.connection.number("SELECT count(*) FROM binding WHERE expires_at = 9000") == 50)
    }

    private final class Clock: Sendable {
        private let milliseconds = Atomic<Int64>(0)

        var time: UnixTime { UnixTime(milliseconds: milliseconds.load(ordering: .relaxed)) }

        func set(_ value: Int64) { milliseconds.store(value, ordering: .relaxed) }
    }

    @Test("What is kept in memory of the database grows with the records, but not beyond 16 MB")
    func cacheIsBounded() throws {
        let client = try #require(try Store(path: scratch.path).fill(clients: 1).first)
        let writer = try Reports().writer(scratch.path)
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 60_000)
        var sizes: [Int64] = []
        for part in 0..<5 {
            for number in 0..<100 {
                let time = UnixTime(milliseconds: past.milliseconds + Int64(part * 100 + number))
                let message = ClientMessage(
                    number: RecordNumber(at: time, counter: 0), clientID: client.id, to: Array("bob".utf8), body: body,
                    createdAt: time, end: MessageEnd(status: .delivered, endedAt: time, sipStatus: 200))
                #expect(writer.enqueue(.recordMessage(message)))
            }
            writer.flush()
            sizes.append(writer.statistics().cacheBytes)
        }
        writer.stop()
        // 6 MB at a time.
        #expect(sizes[0] > 5 << 20 && sizes[1] > sizes[0] + 5 << 20, "\(sizes)")
        #expect(sizes[4] > 14 << 20 && sizes.allSatisfy { $0 < 18 << 20 }, "\(sizes)")
    }

    @Test("The write-ahead log does not grow without end under load")
    func logIsBounded() throws {
        try Store(path: scratch.path).fill(clients: 100)
        var options = StoreOptions()
        options.checkpointBytes = 1 << 20
        options.groupLimit = 10
        let writer = try Reports().writer(scratch.path, options: options)
        for number in 0..<20_000 {
            var row = BindingRow.sample(client: Int64(number % 100 + 1))
            row.cseq = UInt32(number)
            #expect(writer.enqueue(.upsertBinding(row)))
        }
        writer.flush()
        #expect(writer.statistics().checkpoints > 5)
        #expect(Scratch.contents(of: scratch.path + "-wal").count < 2 << 20)
        writer.stop()
    }

    @Test("The log is written back when the load ends")
    func idle() throws {
        try Store(path: scratch.path).fill(clients: 100)
        let writer = try Reports().writer(scratch.path)
        var row = BindingRow.sample(client: 1)
        row.userAgent = [UInt8](repeating: 65, count: 2_000_000)
        #expect(writer.enqueue(.upsertBinding(row)))
        writer.flush()
        #expect(Reports.wait { writer.statistics().checkpoints == 1 })
        #expect(Reports.wait { writer.statistics().logPages == 0 })
        writer.stop()
    }

    @Test("A failure of housekeeping is reported once, and the work is done when the cause is gone")
    func failure() throws {
        let store = try Store(path: scratch.path)
        let client = try #require(try store.fill(clients: 1).first)
        let clock = Clock()
        var options = StoreOptions()
        options.busyMilliseconds = 1
        options.sweepMilliseconds = 20
        options.pollMilliseconds = 10
        options.clock = { clock.time }
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id, expires: UnixTime(milliseconds: 5)))))
        writer.flush()
        try store.connection.execute("BEGIN IMMEDIATE")
        clock.set(6)
        #expect(Reports.wait { writer.statistics().housekeepingFailures > 2 })
        #expect(reports.bad.map(\.receipts) == [[]] && reports.bad.map(\.error) == [.busy(path: scratch.path)])
        try store.connection.execute("COMMIT")
        #expect(Reports.wait { writer.statistics().expired == 1 })
        writer.stop()
    }
}
