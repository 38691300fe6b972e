import CSQLite
import Glibc
import Primitives

/// The store of accounts, clients, bindings and settings, on a connection of its own: for the start, the API and the
/// command line. One thread uses it at a time.
public final class Store {
    /// The path of the database file.
    public var path: String { connection.path }
    /// The connection, for this thread.
    let connection: SQLiteConnection
    private let searchMilliseconds: UInt64

    /// Opens the store for reading and writing; makes the file, its directory and the tables when they are missing,
    /// and checks the file when `checked`.
    public init(path: String, options: StoreOptions = StoreOptions(), checked: Bool = true) throws(StoreError) {
        searchMilliseconds = options.searchMilliseconds
        connection = try Store.open(path: path, options: options)
        if checked, DatabaseFile(path: path).size <= options.checkLimit { try Store.check(connection) }
        // The writer writes the log back; this is for a command line that works without a server.
        try connection.execute("PRAGMA wal_autocheckpoint = 4000")
    }

    /// Opens an existing store for reading alone, beside a server that runs: sees all that was committed.
    public init(reading path: String, options: StoreOptions = StoreOptions()) throws(StoreError) {
        let opened = try SQLiteConnection(
            path: path, access: .readOnly, busyMilliseconds: options.busyMilliseconds)
        let version = try Store.recognise(opened)
        guard version == Migration.all.last?.version ?? 0 else {
            let state = version == 0 ? "not made yet" : "of an older version"
            throw .cannotOpen(path: path, reason: "its tables are \(state); start the server once")
        }
        connection = opened
        searchMilliseconds = options.searchMilliseconds
    }

    /// The store on a connection that is open already, for the thread of that connection.
    init(sharing connection: SQLiteConnection) {
        self.connection = connection
        searchMilliseconds = StoreOptions().searchMilliseconds
    }

    /// Reads for somebody who must not keep the store busy for long: `tooSlow` when it takes longer than a search may.
    public func searching<Result>(_ body: (Store) throws(StoreError) -> Result) throws(StoreError) -> Result {
        try connection.limited(milliseconds: searchMilliseconds) { () throws(StoreError) in try body(self) }
    }

    /// The connection to a database that is known to be ours, of the current version, in WAL mode.
    static func open(
        path: String, options: StoreOptions, migrations: [Migration] = Migration.all
    ) throws(StoreError) -> SQLiteConnection {
        try DatabaseFile(path: path).prepare()
        let connection = try SQLiteConnection(
            path: path, access: .readWrite, busyMilliseconds: options.busyMilliseconds)
        // Nothing is written before the file is known to be ours or empty.
        let version = try recognise(connection, known: migrations.last?.version ?? 0)
        try connection.execute("PRAGMA journal_mode = WAL")
        switch options.durability {
        case .commit: try connection.execute("PRAGMA synchronous = NORMAL")
        case .synced: try connection.execute("PRAGMA synchronous = FULL")
        }
        try connection.execute("PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY")
        if version < migrations.last?.version ?? 0 { try Migration.apply(migrations, to: connection) }
        try options.didOpen(connection)
        return connection
    }

    /// The schema version of a database that is ours, 0 for an empty file; throws for any other.
    private static func recognise(
        _ connection: SQLiteConnection, known: Int32 = Migration.all.last?.version ?? 0
    ) throws(StoreError) -> Int32 {
        let application = try connection.number("PRAGMA application_id") ?? 0
        let version = Int32(clamping: try connection.number("PRAGMA user_version") ?? 0)
        if application != Schema.applicationID {
            let tables = try connection.number("SELECT count(*) FROM sqlite_schema") ?? 0
            guard application == 0, version == 0, tables == 0 else { throw .foreignDatabase(path: connection.path) }
        }
        if version > known { throw .newerSchema(path: connection.path, found: version, known: known) }
        return version
    }

    /// Looks for damage; the time grows with the file, some 100 MB a second.
    static func check(_ connection: SQLiteConnection) throws(StoreError) {
        let finding = try connection.text("PRAGMA quick_check(1)") ?? "no answer"
        if finding != "ok" { throw .damaged(path: connection.path, detail: finding) }
    }

    /// The value of a setting, nil when it was never set.
    public func setting(_ name: String) throws(StoreError) -> [UInt8]? {
        var statement = try connection.prepare("SELECT value FROM setting WHERE name = ?1")
        statement.bind(1, name)
        return try statement.step() ? statement.bytes(0) : nil
    }

    /// Sets a setting, for example a secret that must survive a restart.
    public func setSetting(_ name: String, to value: [UInt8]) throws(StoreError) {
        var statement = try connection.prepare(
            "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        statement.bind(1, name)
        statement.bind(2, value)
        try statement.run()
    }

    /// Runs `body` as one transaction: all of its changes or none. Within another it is a part of that one.
    public func transaction<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try connection.transaction(body)
    }

    /// The number of the last change of a client. Read it before the clients at the start: `StoreWriter` then reports all
    /// that came after.
    public func lastChange() throws(StoreError) -> Int64 {
        try connection.number("SELECT seq FROM sqlite_sequence WHERE name = 'change'") ?? 0
    }
}
