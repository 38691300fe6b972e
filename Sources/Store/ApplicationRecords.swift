import Primitives

/// The beginning of a call of an application, of the API or of a gateway, or of a leg of one, for its record.
public struct ApplicationCallStart: Sendable {
    /// The record's number.
    public var number: RecordNumber
    /// The call that it is a leg of, nil for none.
    public var parent: RecordNumber?
    /// The number of the row of the account that pays.
    public var accountID: Int64
    /// The number of the row of the client that called, nil for none: its login and name are then those of the record.
    public var clientID: Int64?
    /// The caller, when it is no client.
    public var from: [UInt8]
    /// What was dialled.
    public var to: [UInt8]
    /// The caller's name for people, when it is no client.
    public var callerName: [UInt8]
    /// Which way it went: the word of the API.
    public var direction: String
    /// When it began.
    public var startedAt: UnixTime
    /// The Call-ID.
    public var callID: [UInt8]

    /// All parts.
    public init(
        number: RecordNumber, parent: RecordNumber? = nil, accountID: Int64, clientID: Int64? = nil, from: [UInt8],
        to: [UInt8], callerName: [UInt8] = [], direction: String, startedAt: UnixTime, callID: [UInt8]
    ) {
        self.number = number
        self.parent = parent
        self.accountID = accountID
        self.clientID = clientID
        self.from = from
        self.to = to
        self.callerName = callerName
        self.direction = direction
        self.startedAt = startedAt
        self.callID = callID
    }
}

/// The beginning of a text to or from an application, for its record.
public struct ApplicationTextStart: Sendable {
    /// The record's number.
    public var number: RecordNumber
    /// The number of the row of the account that pays.
    public var accountID: Int64
    /// The number of the row of the client that sent it, nil for none: its login is then that of the record.
    public var clientID: Int64?
    /// The sender, when it is no client.
    public var from: [UInt8]
    /// The recipient as addressed.
    public var to: [UInt8]
    /// The text.
    public var body: [UInt8]
    /// Which way it went: the word of the API.
    public var direction: String
    /// When it began.
    public var createdAt: UnixTime

    /// All parts.
    public init(
        number: RecordNumber, accountID: Int64, clientID: Int64? = nil, from: [UInt8], to: [UInt8], body: [UInt8],
        direction: String, createdAt: UnixTime
    ) {
        self.number = number
        self.accountID = accountID
        self.clientID = clientID
        self.from = from
        self.to = to
        self.body = body
        self.direction = direction
        self.createdAt = createdAt
    }
}

/// The prepared statements for records of applications: their calls and texts, and what went wrong in them.
struct ApplicationRecordStatements: ~Copyable {
    private var startCall: PreparedStatement
    private var closeCall: PreparedStatement
    private var startText: PreparedStatement
    private var note: PreparedStatement

    /// Prepares all statements.
    init(connection: SQLiteConnection) throws(StoreError) {
        let startCall = try connection.prepare(
            """
            INSERT OR FAIL INTO call (id, account_id, client_id, parent, from_user, to_user, caller_name, direction, status,
                started_at, call_id)
            VALUES (?1, ?2, ?3, ?4, coalesce((SELECT login FROM client WHERE id = ?3), ?5), ?6,
                coalesce((SELECT friendly_name FROM client WHERE id = ?3), ?7), ?8, 'queued', ?9, ?10)
            """)
        let closeCall = try connection.prepare(
            """
            UPDATE call SET
                status = iif(answered_at IS NULL, 'failed', 'completed'), ended_at = ?2, reason = ?3, by_limit = 0
            WHERE id = ?1 AND (ended_at IS NULL OR by_limit = 1)
            """)
        let startText = try connection.prepare(
            """
            INSERT OR FAIL INTO message (id, account_id, client_id, from_user, to_user, body, direction, status, created_at)
            VALUES (?1, ?2, ?3, coalesce((SELECT login FROM client WHERE id = ?3), ?4), ?5, ?6, ?7, 'sending', ?8)
            """)
        let note = try connection.prepare(NotificationStatement.sql)
        self.startCall = startCall
        self.closeCall = closeCall
        self.startText = startText
        self.note = note
    }

    /// Makes the record of a call that begins.
    mutating func start(_ call: ApplicationCallStart) throws(StoreError) {
        startCall.bind(1, call.number.value)
        startCall.bind(2, call.accountID)
        startCall.bind(3, call.clientID)
        startCall.bind(4, call.parent?.value)
        startCall.bind(5, wireText: call.from)
        startCall.bind(6, wireText: call.to)
        startCall.bind(7, wireText: call.callerName)
        startCall.bind(8, call.direction)
        startCall.bind(9, call.startedAt)
        startCall.bind(10, wireText: call.callID)
        try startCall.run()
    }

    /// Notes the end of a call that the server ended by itself.
    mutating func close(_ number: RecordNumber, at time: UnixTime, reason: Int64?) throws(StoreError) {
        closeCall.bind(1, number.value)
        closeCall.bind(2, time)
        closeCall.bind(3, reason)
        try closeCall.run()
    }

    /// Makes the record of a text that begins.
    mutating func start(_ text: ApplicationTextStart) throws(StoreError) {
        startText.bind(1, text.number.value)
        startText.bind(2, text.accountID)
        startText.bind(3, text.clientID)
        startText.bind(4, wireText: text.from)
        startText.bind(5, wireText: text.to)
        startText.bind(6, wireText: text.body)
        startText.bind(7, text.direction)
        startText.bind(8, text.createdAt)
        try startText.run()
    }

    /// Keeps a notification.
    mutating func keep(_ notification: NotificationRow) throws(StoreError) {
        NotificationStatement.bind(notification, to: &note)
        try note.run()
    }
}
