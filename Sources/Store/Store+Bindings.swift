import Primitives

extension Store {
    /// Gives the bindings of a client, or of all, that are live at `now`, in order of client, with the client's login.
    public func forEachBinding(
        ofClient client: Int64? = nil, liveAt now: UnixTime, _ body: (BindingRow, _ login: String) -> Void
    ) throws(StoreError) {
        var statement =
            if client == nil {
                try connection.prepare(
                    """
                    SELECT binding.*, client.login FROM binding JOIN client ON client.id = binding.client_id
                    WHERE binding.expires_at > ?1 ORDER BY binding.client_id, binding.key
                    """)
            } else {
                try connection.prepare(
                    """
                    SELECT binding.*, client.login FROM binding JOIN client ON client.id = binding.client_id
                    WHERE binding.expires_at > ?1 AND binding.client_id = ?2 ORDER BY binding.key
                    """)
            }
        statement.bind(1, now)
        if let client { statement.bind(2, client) }
        while try statement.step() { body(BindingRow(statement), statement.text(17)) }
    }

    /// The bindings of one client that are live at `now`.
    public func bindings(ofClient client: Int64, liveAt now: UnixTime) throws(StoreError) -> [BindingRow] {
        var rows: [BindingRow] = []
        try forEachBinding(ofClient: client, liveAt: now) { row, _ in rows.append(row) }
        return rows
    }

    /// A page of the bindings of an account's clients that are live at `now`, in order of client and key, behind the
    /// binding of this client and key.
    public func bindings(
        ofAccount account: Int64, liveAt now: UnixTime, after: (client: Int64, key: [UInt8])? = nil,
        offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [BindingListing] {
        var query = Query(
            """
            SELECT client.login, client.sid, binding.*
            FROM client CROSS JOIN binding ON binding.client_id = client.id WHERE client.account_id = ?
            """, .integer(account))
        if let after {
            query.add(
                " AND client.id >= ? AND (client.id > ? OR binding.key > ?)", .integer(after.client),
                .integer(after.client), .bytes(after.key))
        }
        query.add(" AND binding.expires_at > ? ORDER BY client.id, binding.key", .integer(now.milliseconds))
        query.page(offset: offset, limit: limit)
        return try connection.rows(query) { BindingListing($0) }
    }

    /// A page of the bindings of a client that are live at `now`, in order of their keys, behind the one with this key.
    public func bindings(
        ofClient client: Int64, liveAt now: UnixTime, after key: [UInt8]? = nil, offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [BindingListing] {
        var query = Query(
            """
            SELECT client.login, client.sid, binding.*
            FROM client CROSS JOIN binding ON binding.client_id = client.id WHERE client.id = ?
            """, .integer(client))
        if let key { query.add(" AND binding.key > ?", .bytes(key)) }
        query.add(" AND binding.expires_at > ? ORDER BY binding.key", .integer(now.milliseconds))
        query.page(offset: offset, limit: limit)
        return try connection.rows(query) { BindingListing($0) }
    }

    /// The number of bindings of an account's clients that are live at `now`.
    public func bindingCount(ofAccount account: Int64, liveAt now: UnixTime) throws(StoreError) -> Int64 {
        try connection.number(
            Query(
                """
                SELECT count(*) FROM client CROSS JOIN binding ON binding.client_id = client.id
                WHERE client.account_id = ? AND binding.expires_at > ?
                """, .integer(account), .integer(now.milliseconds)))
    }

    /// The binding with this key, live or not; nil when there is none.
    public func binding(ofClient client: Int64, key: [UInt8]) throws(StoreError) -> BindingListing? {
        try connection.row(
            Query(
                """
                SELECT client.login, client.sid, binding.*
                FROM client CROSS JOIN binding ON binding.client_id = client.id WHERE client.id = ? AND binding.key = ?
                """, .integer(client), .bytes(key))
        ) { BindingListing($0) }
    }

    /// Removes one binding; false when there is none. The server's memory does not learn of it.
    @discardableResult
    public func removeBinding(client: Int64, key: [UInt8]) throws(StoreError) -> Bool {
        try connection.run(
            Query("DELETE FROM binding WHERE client_id = ? AND key = ?", .integer(client), .bytes(key))) > 0
    }

    /// Removes all bindings of a client and gives their number.
    @discardableResult
    public func removeBindings(ofClient client: Int64) throws(StoreError) -> Int64 {
        var statement = try connection.prepare("DELETE FROM binding WHERE client_id = ?1")
        statement.bind(1, client)
        try statement.run()
        return connection.changedRows
    }

    /// Takes the listener off all bindings on a stream: the connections that they were made on ended with the process, so
    /// their devices cannot be reached until they register again. Gives their number.
    @discardableResult
    public func detachStreamBindings() throws(StoreError) -> Int64 {
        var statement = try connection.prepare(
            "UPDATE binding SET listener = '' WHERE transport <> ?1 AND listener <> ''")
        statement.bind(1, Int64(TransportProtocol.udp.rawValue))
        try statement.run()
        return connection.changedRows
    }

    /// Removes all bindings that have ended by `now` and gives their number.
    @discardableResult
    public func removeExpiredBindings(at now: UnixTime) throws(StoreError) -> Int64 {
        var statement = try connection.prepare("DELETE FROM binding WHERE expires_at <= ?1")
        statement.bind(1, now)
        try statement.run()
        return connection.changedRows
    }
}
