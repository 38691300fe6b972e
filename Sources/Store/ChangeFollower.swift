import Primitives

/// Finds what other connections (the command line) and the work of the API changed in the table of clients.
struct ChangeFollower: ~Copyable {
    private let store: Store
    private var version: PreparedStatement
    private var changes: PreparedStatement
    private var members: PreparedStatement
    private var account: PreparedStatement
    /// Accounts whose clients are still to be reported, each with the last client that was.
    private var accounts: [(id: Int64, after: Int64)] = []
    private var lastVersion: Int64?
    /// The number of the last change that was seen.
    private(set) var lastChange: Int64

    /// Follows what comes after the change with this number.
    init(connection: SQLiteConnection, after change: Int64) throws(StoreError) {
        // The pragma's number moves only when another connection commits, and costs no look at any table.
        let version = try connection.prepare("PRAGMA data_version")
        let changes = try connection.prepare(
            """
            SELECT max(recent.seq), recent.client_id, recent.login, recent.topic, account.effective_status = 'active',
                client.*
            FROM (
                SELECT *, CASE kind
                    WHEN 'account' THEN 1 WHEN 'entry' THEN 2 WHEN 'application' THEN 3 WHEN 'number' THEN 4 ELSE 0
                END AS topic FROM change WHERE seq > ?1 ORDER BY seq LIMIT 4096
            ) AS recent
                LEFT JOIN client ON recent.topic = 0 AND client.id = recent.client_id AND client.login = recent.login
                LEFT JOIN account ON account.id = client.account_id
            GROUP BY recent.topic, recent.client_id, recent.login ORDER BY 1
            """)
        let members = try connection.prepare(
            """
            SELECT account.effective_status = 'active', client.*
            FROM client CROSS JOIN account ON account.id = client.account_id
            WHERE client.account_id = ?1 AND client.id > ?2 ORDER BY client.id LIMIT 512
            """)
        let account = try connection.prepare(
            """
            SELECT sid, effective_status, (SELECT count(*) FROM client WHERE account_id = account.id)
            FROM account WHERE id = ?1
            """)
        lastChange = change
        store = Store(sharing: connection)
        self.members = members
        self.account = account
        self.version = version
        self.changes = changes
    }

    /// The changes since the last call, each client and login once with the state of now, in order; at most 4096 at a
    /// time, and empty when there is none. Where an account has changed, its clients follow in slices.
    ///
    /// - Parameter isForced: Looks even when no other connection has committed: the version does not tell of commits of
    ///   this one.
    mutating func poll(isForced: Bool = false) throws(StoreError) -> [ClientChange] {
        if let slice = try nextMembers() { return slice }
        let found = try version.step() ? version.integer(0) : 0
        version.reset()
        if found == lastVersion, !isForced { return [] }
        var result: [ClientChange] = []
        changes.bind(1, lastChange)
        defer { changes.reset() }
        var newest = lastChange
        var wanted: [(id: Int64, after: Int64)] = []
        while try changes.step() {
            newest = max(newest, changes.integer(0))
            switch changes.integer(3) {
            case 0: break
            case 1:
                wanted.append((changes.integer(1), -1))
                continue
            case let topic:
                let id = changes.integer(1)
                let name = changes.text(2)
                if let change = try applicationChange(topic, id, name) {
                    result.append(ClientChange(clientID: 0, login: "", client: nil, application: change))
                }
                continue
            }
            let isGone = changes.isNull(5)
            result.append(
                ClientChange(
                    clientID: changes.integer(1), login: changes.text(2),
                    client: isGone ? nil : ClientRow(changes, from: 5),
                    isAccountActive: isGone || changes.integer(4) != 0))
        }
        lastChange = newest
        accounts += wanted
        if result.isEmpty, let slice = try nextMembers() { return slice }
        // A full answer may have a rest: the version is noted only when there is none.
        if result.isEmpty { lastVersion = found }
        return result
    }

    /// The next clients of the accounts that have changed; nil when there are none.
    private mutating func nextMembers() throws(StoreError) -> [ClientChange]? {
        while let next = accounts.first {
            var slice: [ClientChange] = []
            members.bind(1, next.id)
            members.bind(2, next.after)
            defer { members.reset() }
            while try members.step() {
                let client = ClientRow(members, from: 1)
                slice.append(
                    ClientChange(
                        clientID: client.id, login: client.login, client: client,
                        isAccountActive: members.integer(0) != 0, isByAccount: true))
            }
            guard let last = slice.last?.clientID else {
                accounts.removeFirst()
                continue
            }
            if next.after < 0 { slice[0].account = try accountChange(next.id) }
            accounts[0].after = last
            return slice
        }
        return nil
    }

    /// The state of now of what has changed beside the clients.
    private func applicationChange(
        _ topic: Int64, _ id: Int64, _ name: String
    ) throws(StoreError) -> ApplicationChange? {
        switch topic {
        case 2: return try store.account(id: id).map { .account($0) }
        case 3: return .application(sid: name, try store.application(sid: name))
        default: return .number(name, try store.number(phoneNumber: name))
        }
    }

    private mutating func accountChange(_ id: Int64) throws(StoreError) -> AccountChange? {
        account.bind(1, id)
        defer { account.reset() }
        guard try account.step() else { return nil }
        return AccountChange(sid: account.text(0), status: account.text(1), clients: account.integer(2))
    }
}
