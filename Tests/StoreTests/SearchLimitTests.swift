import Glibc
import Primitives
import Testing

@testable import Store

@Suite("Searches that take too long, and changes that cannot be followed")
struct SearchLimitTests {
    let scratch = Scratch()

    private func store(milliseconds: UInt64) throws -> Store {
        _ = try Store(path: scratch.path)
        var options = StoreOptions()
        options.searchMilliseconds = milliseconds
        return try Store(reading: scratch.path, options: options)
    }

    /// Counts for as long as it is let.
    private static func count(_ store: Store, to limit: Int64) throws(StoreError) -> Int64 {
        try store.connection.number(
            Query(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n",
                .integer(limit)))
    }

    @Test("A search is ended at its limit, with a sentence that says what to do, and the store is good afterwards")
    func tooSlow() throws {
        let store = try store(milliseconds: 100)
        let clock = ContinuousClock.now
        #expect(throws: StoreError.tooSlow(path: scratch.path)) {
            try store.searching { store throws(StoreError) in try Self.count(store, to: 1_000_000_000_000) }
        }
        #expect(ContinuousClock.now - clock < .seconds(5))
        #expect(StoreError.tooSlow(path: "x").description.contains("narrow"))
        #expect(try store.searching { store throws(StoreError) in try Self.count(store, to: 10) } == 10)
    }

    @Test("Without a search nothing is limited")
    func unlimited() throws {
        let store = try store(milliseconds: 0)
        #expect(try Self.count(store, to: 100_000) == 100_000)
    }

    @Test("The time is that of one search, not of those before")
    func eachAnew() throws {
        let store = try store(milliseconds: 2_000)
        for _ in 0..<5 {
            #expect(try store.searching { store throws(StoreError) in try Self.count(store, to: 10_000) } == 10_000)
            usleep(500_000)
        }
    }

    @Test("Work whose changes cannot be read back is not told to be in effect")
    func notInEffect() throws {
        let writer = try StoreWriter<Int>(path: scratch.path, committed: { _, _ in }, changed: { _ in })
        defer { writer.stop() }
        do {
            try writer.perform { store throws(StoreError) in
                // In place of a disk that cannot be read at this moment.
                try store.connection.execute("ALTER TABLE change RENAME TO hidden")
            }
            Issue.record("this cannot be in effect")
        } catch {
            guard case .notInEffect = error else {
                Issue.record("\(error)")
                return
            }
            #expect(error.description.contains("is stored"))
        }
    }
}
