import Primitives

extension Store {
    /// Makes an account with a new sid and a new token.
    public func createAccount(
        friendlyName: String, email: String = "", parentSID: String? = nil, at now: UnixTime
    ) throws(StoreError) -> AccountRow {
        var account = AccountRow(
            sid: Identifier.make(prefix: "AC"), parentSID: parentSID, friendlyName: friendlyName, email: email,
            authToken: Identifier.make(prefix: ""), status: "active", dateCreated: now, dateUpdated: now)
        var statement = try connection.prepare(
            """
            INSERT INTO account
                (sid, parent_sid, friendly_name, email, auth_token, status, date_created, date_updated)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """)
        statement.bind(1, account.sid)
        statement.bind(2, account.parentSID)
        statement.bind(3, account.friendlyName)
        statement.bind(4, account.email)
        statement.bind(5, account.authToken)
        statement.bind(6, account.status)
        statement.bind(7, account.dateCreated)
        statement.bind(8, account.dateUpdated)
        try statement.run()
        account.id = connection.lastInsertedID
        return account
    }

    /// The account made first, nil in a new store.
    public func firstAccount() throws(StoreError) -> AccountRow? {
        var statement = try connection.prepare(
            """
            SELECT id, sid, parent_sid, friendly_name, email, auth_token, status, date_created, date_updated
            FROM account ORDER BY id LIMIT 1
            """)
        return try statement.step() ? AccountRow(statement) : nil
    }

    /// The account with this sid, nil when there is none.
    public func account(sid: String) throws(StoreError) -> AccountRow? {
        var statement = try connection.prepare(
            """
            SELECT id, sid, parent_sid, friendly_name, email, auth_token, status, date_created, date_updated
            FROM account WHERE sid = ?1
            """)
        statement.bind(1, sid)
        return try statement.step() ? AccountRow(statement) : nil
    }

    /// Gives every account, in order of creation.
    public func forEachAccount(_ body: (AccountRow) -> Void) throws(StoreError) {
        var statement = try connection.prepare(
            """
            SELECT id, sid, parent_sid, friendly_name, email, auth_token, status, date_created, date_updated
            FROM account ORDER BY id
            """)
        while try statement.step() { body(AccountRow(statement)) }
    }
}
