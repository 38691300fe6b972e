import Primitives

extension Store {
    /// Stores a new client and gives it with its number and sid (made here unless given); `constraint(.unique)` when the
    /// login exists, `constraint(.reference)` when the account does not.
    public func createClient(_ client: ClientRow) throws(StoreError) -> ClientRow {
        var created = client
        created.id = 0
        if created.sid.isEmpty { created.sid = Identifier.make(prefix: "CL") }
        var statement = try connection.prepare(
            """
            INSERT INTO client VALUES
                (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
            """)
        created.bind(to: &statement)
        try statement.run()
        created.id = connection.lastInsertedID
        return created
    }

    /// Changes the client with this row's number to this row, except for its sid and date of creation; false when there
    /// is none.
    @discardableResult
    public func updateClient(_ client: ClientRow) throws(StoreError) -> Bool {
        var statement = try connection.prepare(
            """
            UPDATE client SET
                account_id = ?3, login = ?4, friendly_name = ?5, password = ?6, ha1_md5 = ?7, ha1_sha256 = ?8,
                ha1_sha512_256 = ?9, realm = ?10, status = ?11, voice_url = ?12, voice_method = ?13,
                voice_fallback_url = ?14, voice_fallback_method = ?15, voice_application_sid = ?16, api_version = ?17,
                date_updated = ?19
            WHERE id = ?1
            """)
        client.bind(to: &statement)
        try statement.run()
        return connection.changedRows > 0
    }

    /// Removes a client with its bindings; false when there is none.
    @discardableResult
    public func removeClient(id: Int64) throws(StoreError) -> Bool {
        var statement = try connection.prepare("DELETE FROM client WHERE id = ?1")
        statement.bind(1, id)
        try statement.run()
        return connection.changedRows > 0
    }

    /// The client with this login, nil when there is none.
    public func client(login: String) throws(StoreError) -> ClientRow? {
        var statement = try connection.prepare("SELECT * FROM client WHERE login = ?1")
        statement.bind(1, login)
        return try statement.step() ? ClientRow(statement) : nil
    }

    /// The client with this number, nil when there is none.
    public func client(id: Int64) throws(StoreError) -> ClientRow? {
        try connection.row(Query("SELECT * FROM client WHERE id = ?", .integer(id))) { ClientRow($0) }
    }

    /// The client with this sid, nil when there is none.
    public func client(sid: String) throws(StoreError) -> ClientRow? {
        var statement = try connection.prepare("SELECT * FROM client WHERE sid = ?1")
        statement.bind(1, sid)
        return try statement.step() ? ClientRow(statement) : nil
    }

    /// Gives the clients of an account, or of all, in order of creation.
    public func forEachClient(ofAccount account: Int64? = nil, _ body: (ClientRow) -> Void) throws(StoreError) {
        var statement =
            if account == nil {
                try connection.prepare("SELECT * FROM client ORDER BY id")
            } else {
                try connection.prepare("SELECT * FROM client WHERE account_id = ?1 ORDER BY id")
            }
        if let account { statement.bind(1, account) }
        while try statement.step() { body(ClientRow(statement)) }
    }

    /// Gives every client with whether its account is active (`ClientChange.isAccountActive`), in order of creation: for
    /// the start.
    public func forEachClientWithAccount(_ body: (ClientRow, _ isAccountActive: Bool) -> Void) throws(StoreError) {
        // CROSS JOIN keeps SQLite from going by account, which would have to sort.
        var statement = try connection.prepare(
            """
            SELECT account.effective_status = 'active', client.*
            FROM client CROSS JOIN account ON account.id = client.account_id ORDER BY client.id
            """)
        while try statement.step() { body(ClientRow(statement, from: 1), statement.integer(0) != 0) }
    }

    /// A page of an account's clients in order of creation. Pages that each begin `after` the last row's number cost the
    /// same however far one pages, unlike those by `offset`.
    public func clients(
        ofAccount account: Int64, matching filter: ClientFilter = ClientFilter(), after id: Int64 = 0,
        offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [ClientRow] {
        try connection.rows(
            clientQuery(ofAccount: account, matching: filter, after: id, offset: offset, limit: limit)
        ) { ClientRow($0) }
    }

    /// The query of `clients`.
    func clientQuery(
        ofAccount account: Int64, matching filter: ClientFilter, after id: Int64, offset: Int64, limit: Int64
    ) -> Query {
        var query = Query("SELECT * FROM client WHERE account_id = ? AND id > ?", .integer(account), .integer(id))
        filter.add(to: &query)
        query.add(" ORDER BY id")
        query.page(offset: offset, limit: limit)
        return query
    }

    /// The number of an account's clients.
    public func clientCount(
        ofAccount account: Int64, matching filter: ClientFilter = ClientFilter()
    ) throws(StoreError) -> Int64 {
        var query = Query("SELECT count(*) FROM client WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        return try connection.number(query)
    }

    /// The number of clients.
    public func clientCount() throws(StoreError) -> Int64 {
        try connection.number("SELECT count(*) FROM client") ?? 0
    }
}
