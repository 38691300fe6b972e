import Primitives

extension Store {
    /// Notifications that one call or text may have; what comes beyond is not stored.
    static let notificationLimit: Int64 = 200

    /// What `NotificationRow` is read from, as the beginning of a query.
    static var notificationColumns: StaticString {
        """
        SELECT id, account_id, record, level, code, message, url, line, column_number, created_at,
            EXISTS (SELECT 1 FROM message WHERE message.id = notification.record)
        FROM notification
        """
    }

    /// Stores a notification, whose number grows with its time; nothing when its call or text has `notificationLimit`.
    ///
    /// - Returns: The number, nil when nothing was stored.
    @discardableResult
    public func insertNotification(_ notification: NotificationRow) throws(StoreError) -> RecordNumber? {
        var statement = try connection.prepare(NotificationStatement.sql)
        NotificationStatement.bind(notification, to: &statement)
        try statement.run()
        return connection.changedRows > 0 ? RecordNumber(connection.lastInsertedID) : nil
    }

    /// A notification, nil when there is none.
    public func notification(_ number: RecordNumber) throws(StoreError) -> NotificationRow? {
        var query = Query(Store.notificationColumns)
        query.add(" WHERE id = ?", .integer(number.value))
        return try connection.row(query) { NotificationRow($0) }
    }

    /// A page of an account's notifications, in order of creation.
    public func notifications(
        ofAccount account: Int64, matching filter: NotificationFilter = NotificationFilter(),
        isDescending: Bool = false, offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [NotificationRow] {
        var query = Query(Store.notificationColumns)
        query.add(" WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        query.add(isDescending ? " ORDER BY id DESC" : " ORDER BY id")
        query.page(offset: offset, limit: limit)
        return try connection.rows(query) { NotificationRow($0) }
    }

    /// The number of an account's notifications.
    public func notificationCount(
        ofAccount account: Int64, matching filter: NotificationFilter = NotificationFilter()
    ) throws(StoreError) -> Int64 {
        var query = Query("SELECT count(*) FROM notification WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        return try connection.number(query)
    }
}

/// The statement that stores a notification: for the API's connection and for the writer's.
enum NotificationStatement {
    /// Two of the same moment get numbers one after the other.
    static let sql: StaticString = """
        INSERT INTO notification (id, account_id, record, level, code, message, url, line, column_number, created_at)
        SELECT max(?1, coalesce((SELECT max(id) FROM notification), 0) + 1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
        WHERE (SELECT count(*) FROM notification WHERE record = ?3) < ?11
        """

    /// Binds all parameters.
    static func bind(_ notification: NotificationRow, to statement: inout PreparedStatement) {
        statement.bind(1, RecordNumber(notBefore: notification.createdAt).value)
        statement.bind(2, notification.accountID)
        statement.bind(3, notification.record.value)
        statement.bind(4, notification.level)
        statement.bind(5, notification.code)
        statement.bind(6, wireText: Array(notification.message.utf8))
        statement.bind(7, wireText: Array(notification.url.utf8))
        statement.bind(8, notification.line)
        statement.bind(9, notification.column)
        statement.bind(10, notification.createdAt)
        statement.bind(11, Store.notificationLimit)
    }
}
