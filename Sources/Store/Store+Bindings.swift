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
