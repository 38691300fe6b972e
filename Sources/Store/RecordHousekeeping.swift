import Primitives

/// The work of idle moments on records, each step small: calls whose end was never heard of, and old records.
struct RecordHousekeeping: ~Copyable {
    /// What a step did.
    struct Step {
        /// Calls that were ended.
        var ended: Int64 = 0
        /// Records that were deleted.
        var deleted: Int64 = 0
    }

    private let connection: SQLiteConnection
    private let options: StoreOptions
    private let currentLimits: Replaceable<RecordLimits>
    private var limits: RecordLimits { currentLimits.value }
    private var overdue: PreparedStatement
    private var close: PreparedStatement
    private var hasOldRecord: PreparedStatement
    private var deleteCalls: PreparedStatement
    private var deleteMessages: PreparedStatement
    private var deleteNotifications: PreparedStatement
    private var nextRound: UInt64 = 0
    /// True while there is more to do at once.
    private(set) var isPending = false

    /// Prepares the statements.
    init(
        connection: SQLiteConnection, options: StoreOptions, limits: Replaceable<RecordLimits>? = nil
    ) throws(StoreError) {
        let overdue = try connection.prepare(
            """
            SELECT id, answered_at IS NOT NULL FROM call INDEXED BY call_open
            WHERE ended_at IS NULL AND started_at <= ?1 AND started_at <= iif(answered_at IS NULL, ?2, ?3) LIMIT ?4
            """)
        // The end is supposed at the limit, not now: after a long stop of the server, now would be far too late.
        let close = try connection.prepare(
            """
            UPDATE call SET status = ?2, ended_at = started_at + ?3, reason = ?4, by_limit = 1
            WHERE id = ?1 AND ended_at IS NULL
            """)
        let hasOldRecord = try connection.prepare(
            """
            SELECT EXISTS (SELECT 1 FROM call WHERE id < ?1 AND ended_at IS NOT NULL)
                OR EXISTS (SELECT 1 FROM message WHERE id < ?1)
                OR EXISTS (SELECT 1 FROM notification WHERE id < ?1)
            """)
        let deleteCalls = try connection.prepare(
            """
            DELETE FROM call WHERE id IN (
                SELECT id FROM call WHERE id < ?1 AND ended_at IS NOT NULL ORDER BY id LIMIT ?2)
            """)
        let deleteMessages = try connection.prepare(
            "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE id < ?1 ORDER BY id LIMIT ?2)")
        let deleteNotifications = try connection.prepare(
            "DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE id < ?1 ORDER BY id LIMIT ?2)")
        self.connection = connection
        self.options = options
        currentLimits = limits ?? Replaceable(options.recordLimits)
        self.overdue = overdue
        self.close = close
        self.hasOldRecord = hasOldRecord
        self.deleteCalls = deleteCalls
        self.deleteMessages = deleteMessages
        self.deleteNotifications = deleteNotifications
    }

    /// Does one step when it is time, or when the last one left something.
    mutating func tidy(at instant: UInt64) throws(StoreError) -> Step {
        guard isPending || instant >= nextRound else { return Step() }
        nextRound = instant &+ options.sweepMilliseconds
        // After a failure the work begins anew at its next time.
        isPending = false
        let now = options.clock()
        var step = Step()
        step.ended = try endOverdue(at: now)
        var isFull = step.ended >= options.sliceRows
        if let kept = limits.keptMilliseconds {
            step.deleted = try deleteOld(before: UnixTime(milliseconds: now.milliseconds &- kept))
            isFull = isFull || step.deleted >= options.sliceRows
        }
        isPending = isFull
        return step
    }

    private mutating func endOverdue(at now: UnixTime) throws(StoreError) -> Int64 {
        let unanswered = now.milliseconds &- limits.setupMilliseconds
        let answered = now.milliseconds &- limits.callMilliseconds
        overdue.bind(1, max(unanswered, answered))
        overdue.bind(2, unanswered)
        overdue.bind(3, answered)
        overdue.bind(4, options.sliceRows)
        var found: [(id: Int64, isAnswered: Bool)] = []
        while try overdue.step() { found.append((overdue.integer(0), overdue.integer(1) != 0)) }
        overdue.reset()
        if found.isEmpty { return 0 }
        try connection.transaction { () throws(StoreError) in
            for call in found {
                close.bind(1, call.id)
                close.bind(2, (call.isAnswered ? CallStatus.completed : .failed).rawValue)
                close.bind(3, call.isAnswered ? limits.callMilliseconds : limits.setupMilliseconds)
                close.bind(4, options.callLimitReason == 0 ? nil : options.callLimitReason)
                try close.run()
            }
        }
        return Int64(found.count)
    }

    private mutating func deleteOld(before time: UnixTime) throws(StoreError) -> Int64 {
        let limit = RecordNumber(notBefore: time).value
        // To look first costs no write lock.
        hasOldRecord.bind(1, limit)
        let hasOld = try hasOldRecord.step() && hasOldRecord.integer(0) != 0
        hasOldRecord.reset()
        if !hasOld { return 0 }
        deleteCalls.bind(1, limit)
        deleteCalls.bind(2, options.sliceRows)
        try deleteCalls.run()
        let calls = connection.changedRows
        deleteMessages.bind(1, limit)
        deleteMessages.bind(2, options.sliceRows)
        try deleteMessages.run()
        let texts = connection.changedRows
        deleteNotifications.bind(1, limit)
        deleteNotifications.bind(2, options.sliceRows)
        try deleteNotifications.run()
        return calls + texts + connection.changedRows
    }
}
