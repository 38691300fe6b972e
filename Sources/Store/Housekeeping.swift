import CSQLite
import Primitives

/// The work of idle moments, each step small: expired bindings, old changes, writing the log back.
struct Housekeeping: ~Copyable {
    private let connection: SQLiteConnection
    private let options: StoreOptions
    private let pageSize: Int64
    private let logPages: UnsafeMutablePointer<Int64>
    private var slice: PreparedStatement
    private var deleteExpired: PreparedStatement
    private var prune: PreparedStatement
    // The first search is at once: after a long stop much has expired.
    private var nextSweep: UInt64 = 0
    private var isSweeping = false
    private var sweepClient: Int64 = 0
    private var sweepKey: [UInt8] = []
    private var prunedTo: Int64 = -1
    private var nextCheckpoint: UInt64 = 0
    private static let keptChanges: Int64 = 1000

    /// Prepares the statements and takes over the log from SQLite.
    init(connection: SQLiteConnection, options: StoreOptions) throws(StoreError) {
        let pageSize = try connection.number("PRAGMA page_size") ?? 4096
        let slice = try connection.prepare(
            """
            SELECT client_id, key, expires_at FROM binding WHERE (client_id, key) > (?1, ?2)
            ORDER BY client_id, key LIMIT ?3
            """)
        let deleteExpired = try connection.prepare(
            "DELETE FROM binding WHERE client_id = ?1 AND key = ?2 AND expires_at <= ?3")
        let prune = try connection.prepare(
            "DELETE FROM change WHERE seq <= ?1 AND seq < (SELECT min(seq) FROM change) + ?2")
        self.connection = connection
        self.options = options
        self.pageSize = pageSize
        self.slice = slice
        self.deleteExpired = deleteExpired
        self.prune = prune
        logPages = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
        logPages.initialize(to: 0)
        // Replaces SQLite's automatic checkpoint, which would run inside a commit that clients wait for.
        sqlite3_wal_hook(
            connection.handle,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: Int64.self).pointee = Int64(pages)
                return SQLITE_OK
            }, logPages)
    }

    deinit {
        sqlite3_wal_hook(connection.handle, nil, nil)
        logPages.deallocate()
    }

    /// Pages in the write-ahead log after the last commit.
    var pagesInLog: Int64 { logPages.pointee }

    /// True while a search or a pruning has more to do at once.
    var isPending: Bool { isSweeping }

    /// Deletes the expired bindings among the next few rows; gives their number.
    mutating func sweep(at instant: UInt64) throws(StoreError) -> Int64 {
        if !isSweeping {
            guard instant >= nextSweep else { return 0 }
            nextSweep = instant &+ options.sweepMilliseconds
            isSweeping = true
            sweepClient = Int64.min
            sweepKey = []
        }
        // Whatever fails below, the search ends unless it says otherwise, and begins anew at its next time.
        isSweeping = false
        let now = options.clock()
        var expired: [(client: Int64, key: [UInt8])] = []
        var seen: Int64 = 0
        slice.bind(1, sweepClient)
        slice.bind(2, sweepKey)
        slice.bind(3, options.sliceRows)
        while try slice.step() {
            seen += 1
            let isExpired = slice.time(2) <= now
            // Keys are copied out only where they are needed: of expired rows, and of the last.
            if isExpired || seen == options.sliceRows {
                sweepClient = slice.integer(0)
                sweepKey = slice.bytes(1)
                if isExpired { expired.append((sweepClient, sweepKey)) }
            }
        }
        slice.reset()
        if !expired.isEmpty {
            try connection.transaction { () throws(StoreError) in
                for row in expired {
                    deleteExpired.bind(1, row.client)
                    deleteExpired.bind(2, row.key)
                    deleteExpired.bind(3, now)
                    try deleteExpired.run()
                }
            }
        }
        isSweeping = seen == options.sliceRows
        return Int64(expired.count)
    }

    /// Deletes some of the changes that everybody has seen, but for the newest; true when it deleted any.
    mutating func pruneChanges(seen: Int64) throws(StoreError) -> Bool {
        let limit = seen - Housekeeping.keptChanges
        // A few at once, so that a single new change does not cost a commit.
        if limit <= 0 || (prunedTo >= 0 && limit < prunedTo + 100) { return false }
        prune.bind(1, limit)
        prune.bind(2, options.sliceRows)
        try prune.run()
        if connection.changedRows > 0 { return true }
        prunedTo = limit
        return false
    }

    /// Writes the log back when it is large, or when it is idle time and the log is worth it; true when it did. Readers and
    /// writers of other connections go on meanwhile.
    mutating func checkpoint(isIdle: Bool, at instant: UInt64) throws(StoreError) -> Bool {
        let bytes = pagesInLog * pageSize
        guard bytes >= options.checkpointBytes || (isIdle && bytes >= 1 << 20), instant >= nextCheckpoint else {
            return false
        }
        // A failure, or a reader that needs an old state, must not cost another try with every commit.
        nextCheckpoint = instant &+ 250
        var inLog: Int32 = 0
        var written: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(connection.handle, nil, SQLITE_CHECKPOINT_PASSIVE, &inLog, &written)
        if code & 0xff == SQLITE_BUSY { return false }
        if code != SQLITE_OK { throw connection.error(code) }
        if inLog == written {
            logPages.pointee = 0
            nextCheckpoint = instant
        }
        return true
    }
}
