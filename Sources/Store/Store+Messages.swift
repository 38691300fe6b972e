import Primitives

extension Store {
    /// What `MessageRow` is read from, as the beginning of a query.
    static var messageColumns: StaticString {
        """
        SELECT id, account_id, from_user, to_user, body, direction, status, created_at, ended_at, sip_status, reason
        FROM message
        """
    }

    /// Stores the record of a text that the API sends; `constraint(.unique)` when its number is taken.
    public func insertMessage(_ message: MessageRow) throws(StoreError) {
        var statement = try connection.prepare(
            """
            INSERT INTO message (id, account_id, from_user, to_user, body, direction, status, created_at, ended_at,
                sip_status, reason)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """)
        statement.bind(1, message.number.value)
        statement.bind(2, message.accountID)
        statement.bind(3, wireText: Array(message.from.utf8))
        statement.bind(4, wireText: Array(message.to.utf8))
        statement.bind(5, wireText: Array(message.body.utf8))
        statement.bind(6, message.direction)
        statement.bind(7, message.status.rawValue)
        statement.bind(8, message.createdAt)
        statement.bind(9, message.endedAt?.milliseconds)
        statement.bind(10, message.sipStatus)
        statement.bind(11, message.reason)
        try statement.run()
    }

    /// The record of a text, nil when there is none.
    public func message(_ number: RecordNumber) throws(StoreError) -> MessageRow? {
        var query = Query(Store.messageColumns)
        query.add(" WHERE id = ?", .integer(number.value))
        return try connection.row(query) { MessageRow($0) }
    }

    /// A page of an account's texts.
    public func messages(
        ofAccount account: Int64, matching filter: MessageFilter = MessageFilter(),
        order: RecordOrder<MessageColumn> = RecordOrder(.number), offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [MessageRow] {
        var query = Query(Store.messageColumns)
        query.add(" WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        query.order(order.column.clause, isDescending: order.isDescending)
        query.page(offset: offset, limit: limit)
        return try connection.rows(query) { MessageRow($0) }
    }

    /// The number of an account's texts.
    public func messageCount(
        ofAccount account: Int64, matching filter: MessageFilter = MessageFilter()
    ) throws(StoreError) -> Int64 {
        var query = Query("SELECT count(*) FROM message WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        return try connection.number(query)
    }

    /// Writes the end of a text into its record, unless it has one; nothing when there is no such record.
    public func endMessage(_ number: RecordNumber, _ end: MessageEnd) throws(StoreError) {
        var statements = try RecordStatements(connection: connection)
        try statements.endMessage(number, end)
    }
}
