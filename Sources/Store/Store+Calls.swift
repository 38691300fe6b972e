import Primitives

extension Store {
    /// What `CallRow` is read from, as the beginning of a query.
    static var callColumns: StaticString {
        """
        SELECT id, account_id, parent, from_user, to_user, caller_name, direction, status, started_at, ringing_at,
            answered_at, ended_at, sip_status, reason, call_id
        FROM call
        """
    }

    /// Stores the record of a call that no client began; `constraint(.unique)` when its number is taken.
    public func insertCall(_ call: CallRow) throws(StoreError) {
        var statement = try connection.prepare(
            """
            INSERT INTO call (id, account_id, parent, from_user, to_user, caller_name, direction, status, started_at,
                ringing_at, answered_at, ended_at, sip_status, reason, call_id)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
            """)
        statement.bind(1, call.number.value)
        statement.bind(2, call.accountID)
        statement.bind(3, call.parent?.value)
        statement.bind(4, wireText: Array(call.from.utf8))
        statement.bind(5, wireText: Array(call.to.utf8))
        statement.bind(6, wireText: Array(call.callerName.utf8))
        statement.bind(7, call.direction)
        statement.bind(8, call.status.rawValue)
        statement.bind(9, call.startedAt)
        statement.bind(10, call.ringingAt?.milliseconds)
        statement.bind(11, call.answeredAt?.milliseconds)
        statement.bind(12, call.endedAt?.milliseconds)
        statement.bind(13, call.sipStatus)
        statement.bind(14, call.reason)
        statement.bind(15, wireText: Array(call.callID.utf8))
        try statement.run()
    }

    /// The record of a call, nil when there is none.
    public func call(_ number: RecordNumber) throws(StoreError) -> CallRow? {
        var query = Query(Store.callColumns)
        query.add(" WHERE id = ?", .integer(number.value))
        return try connection.row(query) { CallRow($0) }
    }

    /// A page of an account's calls.
    public func calls(
        ofAccount account: Int64, matching filter: CallFilter = CallFilter(),
        order: RecordOrder<CallColumn> = RecordOrder(.number), offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [CallRow] {
        try connection.rows(
            callQuery(ofAccount: account, matching: filter, order: order, offset: offset, limit: limit)
        ) { CallRow($0) }
    }

    /// The query of `calls`.
    func callQuery(
        ofAccount account: Int64, matching filter: CallFilter, order: RecordOrder<CallColumn>, offset: Int64,
        limit: Int64
    ) -> Query {
        var query = Query(Store.callColumns)
        query.add(" WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        query.order(order.column.clause, isDescending: order.isDescending)
        query.page(offset: offset, limit: limit)
        return query
    }

    /// The number of an account's calls.
    public func callCount(
        ofAccount account: Int64, matching filter: CallFilter = CallFilter()
    ) throws(StoreError) -> Int64 {
        var query = Query("SELECT count(*) FROM call WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        return try connection.number(query)
    }

    /// Ends, at the start, the records of what ended with the process before: calls that were not answered, and texts
    /// that were on their way. Calls of clients that were answered go on without us; those of applications and gateways do not.
    ///
    /// - Returns: how many records were ended.
    @discardableResult
    public func closeInterruptedCalls(at now: UnixTime, reason: Int64?) throws(StoreError) -> Int64 {
        try transaction { () throws(StoreError) in
            var calls = try connection.prepare(
                """
                UPDATE call INDEXED BY call_open SET status = 'failed', ended_at = ?1, reason = ?2, by_limit = 1
                WHERE ended_at IS NULL AND answered_at IS NULL
                """)
            calls.bind(1, now)
            calls.bind(2, reason)
            try calls.run()
            var count = connection.changedRows
            var answered = try connection.prepare(
                """
                UPDATE call INDEXED BY call_open SET status = 'completed', ended_at = ?1, reason = ?2
                WHERE ended_at IS NULL AND answered_at IS NOT NULL AND direction <> 'client-to-client'
                """)
            answered.bind(1, now)
            answered.bind(2, reason)
            try answered.run()
            count += connection.changedRows
            var messages = try connection.prepare(
                """
                UPDATE message INDEXED BY message_sending SET status = 'failed', ended_at = ?1, reason = ?2
                WHERE status = 'sending'
                """)
            messages.bind(1, now)
            messages.bind(2, reason)
            try messages.run()
            return count + connection.changedRows
        }
    }
}
