import CSQLite
import Glibc
import Primitives

/// An open SQLite database. Owner rule: one thread uses a connection and its statements at a time (SQLite's own
/// mutexes are off); it is made on one thread and may be handed to another as a whole.
public final class SQLiteConnection {
    /// How a database is opened.
    public enum Access: Sendable {
        /// For reading and writing; the file exists already.
        case readWrite
        /// For reading alone, beside a running server.
        case readOnly
    }

    /// The path of the database file.
    public let path: String
    /// SQLite's own handle.
    let handle: OpaquePointer

    /// Opens an existing database file.
    public init(path: String, access: Access, busyMilliseconds: Int32) throws(StoreError) {
        let flags =
            (access == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE)
            | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened, code == SQLITE_OK else {
            let error = SQLiteConnection.error(of: opened, code: code, path: path)
            sqlite3_close_v2(opened)
            throw error
        }
        self.path = path
        handle = opened
        sqlite3_busy_timeout(opened, busyMilliseconds)
        // SQLite quietly falls back to reading when it may not write.
        if access == .readWrite, sqlite3_db_readonly(opened, "main") == 1 { throw .readOnly(path: path) }
    }

    deinit {
        // Statements that still live keep the database open until the last of them is gone.
        sqlite3_close_v2(handle)
    }

    /// Changes how long a statement waits for another process's lock.
    func setBusyTimeout(milliseconds: Int32) { sqlite3_busy_timeout(handle, milliseconds) }

    /// When what runs is interrupted, as the monotonic clock's milliseconds; checked by SQLite all few thousand steps.
    private var deadline = UInt64.max

    /// Runs `body`, of which statements that run for longer than this together end with `tooSlow`.
    func limited<Result>(
        milliseconds: UInt64, _ body: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        deadline = StoreOptions.monotonicMilliseconds() &+ milliseconds
        // The handler lives no longer than this call, and so the pointer not longer than the connection.
        sqlite3_progress_handler(
            handle, 4_000,
            { context in
                guard let context else { return 0 }
                let connection = Unmanaged<SQLiteConnection>.fromOpaque(context).takeUnretainedValue()
                return StoreOptions.monotonicMilliseconds() > connection.deadline ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
        defer { sqlite3_progress_handler(handle, 0, nil, nil) }
        return try body()
    }

    /// Runs SQL text that is a constant of the program, any number of statements, results dropped.
    public func execute(_ sql: StaticString) throws(StoreError) {
        let code = sql.withUTF8Buffer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { sqlite3_exec(handle, $0.baseAddress, nil, nil, nil) }
        }
        if code != SQLITE_OK { throw error(code) }
    }

    /// Prepares one statement; values go in by its parameters only.
    public func prepare(_ sql: StaticString) throws(StoreError) -> PreparedStatement {
        try PreparedStatement(sql, on: self)
    }

    /// Prepares a statement of constant pieces with its values bound.
    func prepare(_ query: Query) throws(StoreError) -> PreparedStatement {
        var statement = try PreparedStatement(query.sql, on: self)
        query.bind(to: &statement)
        return statement
    }

    /// All rows of a query, each as `read` gives it.
    func rows<Row>(_ query: Query, _ read: (borrowing PreparedStatement) -> Row) throws(StoreError) -> [Row] {
        var statement = try prepare(query)
        var rows: [Row] = []
        while try statement.step() { rows.append(read(statement)) }
        return rows
    }

    /// The first row of a query as `read` gives it, nil when there is none.
    func row<Row>(_ query: Query, _ read: (borrowing PreparedStatement) -> Row) throws(StoreError) -> Row? {
        var statement = try prepare(query)
        return try statement.step() ? read(statement) : nil
    }

    /// The first column of the first row as a number, 0 when there is no row.
    func number(_ query: Query) throws(StoreError) -> Int64 { try row(query) { $0.integer(0) } ?? 0 }

    /// Runs a query for its effect; gives the number of rows that it changed.
    @discardableResult
    func run(_ query: Query) throws(StoreError) -> Int64 {
        var statement = try prepare(query)
        try statement.run()
        return changedRows
    }

    /// The first column of the first row as a number, nil when there is no row.
    public func number(_ sql: StaticString) throws(StoreError) -> Int64? {
        var statement = try prepare(sql)
        return try statement.step() ? statement.integer(0) : nil
    }

    /// The first column of the first row as text, nil when there is no row.
    public func text(_ sql: StaticString) throws(StoreError) -> String? {
        var statement = try prepare(sql)
        return try statement.step() ? statement.text(0) : nil
    }

    /// Runs `body` between BEGIN IMMEDIATE and COMMIT; an error rolls everything back. Within a transaction it is a part
    /// of that one, and an error rolls back this part alone.
    public func transaction<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        if isInTransaction { return try part(body) }
        try execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    private func part<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try execute("SAVEPOINT part")
        do throws(StoreError) {
            let result = try body()
            try execute("RELEASE part")
            return result
        } catch {
            // On some errors SQLite has undone the whole transaction by itself.
            if isInTransaction { try execute("ROLLBACK TO part; RELEASE part") }
            throw error
        }
    }

    /// Ends an open transaction without effect; nothing when none is open.
    public func rollBack() {
        if isInTransaction { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
    }

    /// True between BEGIN and COMMIT. SQLite ends a transaction itself on some errors (disk full, I/O).
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// The number of rows that the last statement changed.
    public var changedRows: Int64 { sqlite3_changes64(handle) }

    /// The bytes of the pages that the connection keeps in memory.
    var cacheBytes: Int64 {
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_USED, &current, &highest, 0)
        return Int64(current)
    }

    /// The rowid of the last insert.
    public var lastInsertedID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// The error behind a result code of the last call on this connection.
    func error(_ code: Int32) -> StoreError { SQLiteConnection.error(of: handle, code: code, path: path) }

    private static func error(of handle: OpaquePointer?, code: Int32, path: String) -> StoreError {
        guard let handle else { return .other(path: path, code: code, message: "out of memory") }
        // CANTOPEN says nothing of the cause; only the errno tells a missing permission from a wrong path.
        if code & 0xff == SQLITE_CANTOPEN {
            let cause = sqlite3_system_errno(handle)
            if cause == EACCES || cause == EROFS || cause == EPERM { return .readOnly(path: path) }
            if cause != 0 { return .cannotOpen(path: path, reason: String(cString: strerror(cause))) }
        }
        let message = sqlite3_errmsg(handle).map { String(cString: $0) } ?? "unknown"
        return StoreError(code: code, message: message, path: path)
    }
}
