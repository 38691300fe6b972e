import Primitives

/// Something that went wrong while an application ran, as stored.
public struct NotificationRow: Equatable, Sendable {
    /// Its number, which gives its sid with the prefix `NO`; given when it is stored.
    public var number = RecordNumber(0)
    /// The number of the row of the account that the call or text belongs to.
    public var accountID: Int64
    /// The call or text that it is about.
    public var record: RecordNumber
    /// True when `record` is a text; known when it is read.
    public var isOfText = false
    /// 0 for an error, 1 for a warning.
    public var level: Int64
    /// What kind it is: the number of `CallNotification.code`.
    public var code: Int64
    /// What happened, why, and what to do.
    public var message: String
    /// The URL that it is about, empty for none.
    public var url: String
    /// The line in the document, from 1; 0 for none.
    public var line: Int64
    /// The column in the document, from 1; 0 for none.
    public var column: Int64
    /// When it happened.
    public var createdAt: UnixTime

    /// A notification that is not stored yet.
    public init(
        accountID: Int64, record: RecordNumber, level: Int64, code: Int64, message: String, url: String = "",
        line: Int64 = 0, column: Int64 = 0, createdAt: UnixTime
    ) {
        self.accountID = accountID
        self.record = record
        self.level = level
        self.code = code
        self.message = message
        self.url = url
        self.line = line
        self.column = column
        self.createdAt = createdAt
    }
}

/// Which notifications are asked for; what is nil does not matter.
public struct NotificationFilter: Equatable, Sendable {
    /// The call or text that they are about.
    public var record: RecordNumber?
    /// 0 for errors, 1 for warnings.
    public var level: Int64?
    /// What kind they are.
    public var code: Int64?
    /// Words of the message, with their case.
    public var text: String?
    /// They came at this time or later.
    public var createdFrom: UnixTime?
    /// They came before this time.
    public var createdTo: UnixTime?

    /// All notifications; conditions are set one by one.
    public init() {}

    /// Adds the conditions to a query.
    func add(to query: inout Query) {
        query.add(" AND record = ?", ifSet: record?.value)
        // The time is in the number, which the indexes have.
        query.add(" AND id >= ?", ifSet: createdFrom.map { RecordNumber(notBefore: $0).value })
        query.add(" AND id < ?", ifSet: createdTo.map { RecordNumber(notBefore: $0).value })
        query.add(" AND level = ?", ifSet: level)
        query.add(" AND code = ?", ifSet: code)
        query.add(" AND instr(message, ?) > 0", ifSet: text)
    }
}

extension NotificationRow {
    /// Reads the columns of `Store.notificationColumns`.
    init(_ statement: borrowing PreparedStatement) {
        self.init(
            accountID: statement.integer(1), record: RecordNumber(statement.integer(2)), level: statement.integer(3),
            code: statement.integer(4), message: statement.text(5), url: statement.text(6), line: statement.integer(7),
            column: statement.integer(8), createdAt: statement.time(9))
        number = RecordNumber(statement.integer(0))
        isOfText = statement.integer(10) != 0
    }
}
