import Primitives

/// Finds what other connections (the command line) and the work of the API changed in the table of clients.
struct ChangeFollower: ~Copyable {
    private var version: PreparedStatement
    private var changes: PreparedStatement
    private var lastVersion: Int64?
    /// The number of the last change that was seen.
    private(set) var lastChange: Int64

    /// Follows what comes after the change with this number.
    init(connection: SQLiteConnection, after change: Int64) throws(StoreError) {
        // The pragma's number moves only when another connection commits, and costs no look at any table.
        let version = try connection.prepare("PRAGMA data_version")
        let changes = try connection.prepare(
            """
            SELECT max(recent.seq), recent.client_id, recent.login, account.effective_status = 'active', client.*
            FROM (SELECT * FROM change WHERE seq > ?1 ORDER BY seq LIMIT 4096) AS recent
                LEFT JOIN client ON client.id = recent.client_id AND client.login = recent.login
                LEFT JOIN account ON account.id = client.account_id
            GROUP BY recent.client_id, recent.login ORDER BY 1
            """)
        lastChange = change
        self.version = version
        self.changes = changes
    }

    /// The changes since the last call, each client and login once with the state of now, in order; at most 4096 at a
    /// time, and empty when there is none.
    ///
    /// - Parameter isForced: Looks even when no other connection has committed: the version does not tell of commits of
    ///   this one.
    mutating func poll(isForced: Bool = false) throws(StoreError) -> [ClientChange] {
        let found = try version.step() ? version.integer(0) : 0
        version.reset()
        if found == lastVersion, !isForced { return [] }
        var result: [ClientChange] = []
        changes.bind(1, lastChange)
        defer { changes.reset() }
        var newest = lastChange
        while try changes.step() {
            newest = max(newest, changes.integer(0))
            let isGone = changes.isNull(4)
            result.append(
                ClientChange(
                    clientID: changes.integer(1), login: changes.text(2),
                    client: isGone ? nil : ClientRow(changes, from: 4),
                    isAccountActive: isGone || changes.integer(3) != 0))
        }
        lastChange = newest
        // A full answer may have a rest: the version is noted only when there is none.
        if result.isEmpty { lastVersion = found }
        return result
    }
}
