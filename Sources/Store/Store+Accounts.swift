import Primitives

extension Store {
    /// Makes an account with a new sid and a new token, and the sid as its name when that is empty; `constraint(.unique)`
    /// when another has the email.
    public func createAccount(
        friendlyName: String, email: String = "", parentSID: String? = nil, at now: UnixTime
    ) throws(StoreError) -> AccountRow {
        var account = AccountRow(
            sid: Identifier.make(prefix: "AC"), parentSID: parentSID, friendlyName: friendlyName, email: email,
            authToken: Identifier.make(prefix: ""), status: AccountStatus.active.rawValue, dateCreated: now,
            dateUpdated: now, effectiveStatus: AccountStatus.active.rawValue)
        if friendlyName.isEmpty { account.friendlyName = account.sid }
        var statement = try connection.prepare(
            """
            INSERT INTO account
                (sid, parent_sid, friendly_name, email, auth_token, status, date_created, date_updated,
                effective_status)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                coalesce((SELECT parent.effective_status FROM account AS parent WHERE parent.sid = ?2), 'active'))
            RETURNING id, effective_status
            """)
        statement.bind(1, account.sid)
        statement.bind(2, account.parentSID)
        statement.bind(3, account.friendlyName)
        statement.bind(4, account.email)
        statement.bind(5, account.authToken)
        statement.bind(6, account.status)
        statement.bind(7, account.dateCreated)
        statement.bind(8, account.dateUpdated)
        while try statement.step() {
            account.id = statement.integer(0)
            account.effectiveStatus = statement.text(1)
        }
        return account
    }

    /// Changes the name, the email, the token and the date of the last change of the account with this row's number;
    /// false when there is none, `constraint(.unique)` when another has the email.
    @discardableResult
    public func updateAccount(_ account: AccountRow) throws(StoreError) -> Bool {
        try connection.run(
            Query(
                "UPDATE account SET friendly_name = ?, email = ?, auth_token = ?, date_updated = ? WHERE id = ?",
                .text(account.friendlyName), .text(account.email), .text(account.authToken),
                .integer(account.dateUpdated.milliseconds), .integer(account.id))) > 0
    }

    /// The account made first, nil in a new store.
    public func firstAccount() throws(StoreError) -> AccountRow? {
        try connection.row(Query("SELECT * FROM account ORDER BY id LIMIT 1")) { AccountRow($0) }
    }

    /// The account with this row's number, nil when there is none.
    public func account(id: Int64) throws(StoreError) -> AccountRow? {
        try connection.row(Query("SELECT * FROM account WHERE id = ?", .integer(id))) { AccountRow($0) }
    }

    /// The account with this sid, nil when there is none.
    public func account(sid: String) throws(StoreError) -> AccountRow? {
        try connection.row(Query("SELECT * FROM account WHERE sid = ?", .text(sid))) { AccountRow($0) }
    }

    /// The account with this email whatever the case of its letters, nil when there is none or the email is empty.
    public func account(email: String) throws(StoreError) -> AccountRow? {
        try connection.row(
            Query("SELECT * FROM account WHERE email = ? COLLATE NOCASE AND email <> ''", .text(email))
        ) { AccountRow($0) }
    }

    /// A page of the accounts directly below the one with this sid, in order of creation.
    public func accounts(
        childrenOf sid: String, matching filter: AccountFilter = AccountFilter(), after id: Int64 = 0,
        offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [AccountRow] {
        var query = Query("SELECT * FROM account WHERE parent_sid = ? AND id > ?", .text(sid), .integer(id))
        filter.add(to: &query)
        query.add(" ORDER BY id")
        query.page(offset: offset, limit: limit)
        return try connection.rows(query) { AccountRow($0) }
    }

    /// The number of accounts directly below the one with this sid.
    public func accountCount(childrenOf sid: String) throws(StoreError) -> Int64 {
        try connection.number(Query("SELECT count(*) FROM account WHERE parent_sid = ?", .text(sid)))
    }

    /// The accounts above this one, its parent first. Their number is its depth; at most 16, so that a circle, which
    /// only a foreign hand can make, ends.
    public func ancestors(of account: AccountRow) throws(StoreError) -> [AccountRow] {
        var ancestors: [AccountRow] = []
        var parentSID = account.parentSID
        while let sid = parentSID, ancestors.count < 16, let parent = try self.account(sid: sid) {
            ancestors.append(parent)
            parentSID = parent.parentSID
        }
        return ancestors
    }

    /// Gives every account, in order of creation.
    public func forEachAccount(_ body: (AccountRow) -> Void) throws(StoreError) {
        var statement = try connection.prepare("SELECT * FROM account ORDER BY id")
        while try statement.step() { body(AccountRow(statement)) }
    }
}
