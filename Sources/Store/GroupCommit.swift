import CSQLite
import Primitives

/// The prepared statements that store changes, many to a transaction.
struct GroupCommit: ~Copyable {
    private let connection: SQLiteConnection
    private var begin: PreparedStatement
    private var commit: PreparedStatement
    private var savepoint: PreparedStatement
    private var release: PreparedStatement
    private var undo: PreparedStatement
    private var refresh: PreparedStatement
    private var insert: PreparedStatement
    private var delete: PreparedStatement
    private var deleteAll: PreparedStatement
    private var records: RecordStatements
    private var applications: ApplicationRecordStatements
    /// What work of the API uses.
    private let store: Store

    /// Prepares all statements.
    init(connection: SQLiteConnection) throws(StoreError) {
        // Prepared into locals first: a struct that cannot be copied cannot fail half made.
        let begin = try connection.prepare("BEGIN IMMEDIATE")
        let commit = try connection.prepare("COMMIT")
        let savepoint = try connection.prepare("SAVEPOINT unit")
        let release = try connection.prepare("RELEASE unit")
        let undo = try connection.prepare("ROLLBACK TO unit")
        let refresh = try connection.prepare(
            """
            UPDATE binding SET
                contact = ?3, call_id_hash1 = ?4, call_id_hash2 = ?5, cseq = ?6, expires_at = ?7, q = ?8,
                instance = ?9, reg_id = ?10, path = ?11, user_agent = ?12, transport = ?13, remote = ?14,
                listener = ?15, updated_at = ?17
            WHERE client_id = ?1 AND key = ?2
            """)
        let insert = try connection.prepare(
            """
            INSERT INTO binding
                SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17
                WHERE EXISTS (
                    SELECT 1 FROM client CROSS JOIN account ON account.id = client.account_id
                    WHERE client.id = ?1 AND client.status = 1 AND account.effective_status = 'active')
            """)
        let delete = try connection.prepare("DELETE FROM binding WHERE client_id = ?1 AND key = ?2")
        let deleteAll = try connection.prepare("DELETE FROM binding WHERE client_id = ?1")
        let records = try RecordStatements(connection: connection)
        let applications = try ApplicationRecordStatements(connection: connection)
        self.connection = connection
        store = Store(sharing: connection)
        self.records = records
        self.applications = applications
        self.begin = begin
        self.commit = commit
        self.savepoint = savepoint
        self.release = release
        self.undo = undo
        self.refresh = refresh
        self.insert = insert
        self.delete = delete
        self.deleteAll = deleteAll
    }

    /// Starts a transaction with the write lock; `busy` when another connection holds it for longer than SQLite waits.
    mutating func start() throws(StoreError) { try begin.run() }

    /// Makes all that was applied durable; on an error nothing of it is.
    mutating func finish() throws(StoreError) {
        do throws(StoreError) {
            try commit.run()
        } catch {
            connection.rollBack()
            throw error
        }
    }

    /// False after an error that made SQLite end the transaction: everything applied so far is undone.
    var isOpen: Bool { connection.isInTransaction }

    /// Applies the changes of one unit. On an error none of them has effect, and the transaction stays good unless
    /// `isOpen` says otherwise.
    mutating func apply(_ unit: ArraySlice<StoreChange>) throws(StoreError) {
        if unit.isEmpty { return }
        // SQLite undoes a failed statement by itself; only several statements need a savepoint.
        if unit.count == 1 {
            for change in unit { try apply(change) }
            return
        }
        try applyTogether(unit)
    }

    /// As `apply`, for work of the API, which is a unit of many statements. It may meet any error, and must leave none of
    /// its changes then.
    mutating func apply(work unit: ArraySlice<StoreChange>) throws(StoreError) { try applyTogether(unit) }

    private mutating func applyTogether(_ unit: ArraySlice<StoreChange>) throws(StoreError) {
        try savepoint.run()
        do throws(StoreError) {
            for change in unit { try apply(change) }
            try release.run()
        } catch {
            if isOpen { undoUnit() }
            throw error
        }
    }

    private mutating func undoUnit() {
        do throws(StoreError) {
            try undo.run()
            try release.run()
        } catch {
            // Half a unit must not be committed: then rather nothing of the group.
            connection.rollBack()
        }
    }

    private mutating func apply(_ change: StoreChange) throws(StoreError) {
        switch change {
        case .upsertBinding(let row):
            // Nearly every change is a refresh, and an UPDATE costs less than an INSERT that meets a conflict.
            row.bind(to: &refresh)
            try refresh.run()
            if connection.changedRows > 0 { return }
            row.bind(to: &insert)
            try insert.run()
            // Another process has removed or disabled the client since it was let in: the binding must not outlive that.
            if connection.changedRows == 0 {
                throw .constraint(
                    path: connection.path, rule: .reference, detail: "its client is gone or disabled")
            }
        case .deleteBinding(let client, let key):
            delete.bind(1, client)
            delete.bind(2, key)
            try delete.run()
        case .deleteBindings(let client):
            deleteAll.bind(1, client)
            try deleteAll.run()
        case .moveBindings(let step):
            var move = try connection.prepare(
                """
                UPDATE binding SET
                    expires_at = expires_at + ?1, created_at = created_at + ?1, updated_at = updated_at + ?1
                WHERE updated_at <= ?2 AND updated_at NOT BETWEEN ?3 AND ?4
                """)
            move.bind(1, step.milliseconds)
            move.bind(2, step.latestBefore)
            move.bind(3, step.earliestAfter)
            move.bind(4, step.actual.milliseconds)
            try move.run()
        case .startCall(let call): try records.startCall(call)
        case .ringCall(let number, let time): try records.ringCall(number, at: time)
        case .answerCall(let number, let time, let tag): try records.answerCall(number, at: time, tag: tag)
        case .endCall(let number, let end): try records.endCall(number, end)
        case .recordMessage(let message): try records.recordMessage(message)
        case .endMessage(let number, let end): try records.endMessage(number, end)
        case .startApplicationCall(let call): try applications.start(call)
        case .closeCall(let number, let time, let reason): try applications.close(number, at: time, reason: reason)
        case .startApplicationText(let text): try applications.start(text)
        case .keepNotification(let notification): try applications.keep(notification)
        case .work(let work): try work.run(on: store)
        }
    }
}
