import Primitives

/// The prepared statements for records of calls and texts. They are on the way of a call: each finds its row by number.
struct RecordStatements: ~Copyable {
    private var start: PreparedStatement
    private var ring: PreparedStatement
    private var answer: PreparedStatement
    private var end: PreparedStatement
    private var record: PreparedStatement
    private var endText: PreparedStatement

    /// Prepares all statements.
    init(connection: SQLiteConnection) throws(StoreError) {
        // OR FAIL, as there is one row to insert: otherwise SQLite keeps a copy of each page, in case that a later row of the
        // SELECT is refused, which costs more than all the rest.
        let start = try connection.prepare(
            """
            INSERT OR FAIL INTO call (id, account_id, client_id, from_user, to_user, caller_name, direction, status, started_at,
                call_id)
            SELECT ?1, account_id, id, login, ?3, friendly_name, ?4, 'queued', ?5, ?6 FROM client WHERE id = ?2
            """)
        let ring = try connection.prepare(
            "UPDATE call SET status = 'ringing', ringing_at = ?2 WHERE id = ?1 AND status = 'queued'")
        // Two workers may tell of an answer and of a BYE right behind it in either order.
        let answer = try connection.prepare(
            """
            UPDATE call SET
                status = iif(ended_at IS NULL, 'in-progress', status), answered_at = ?2, tag = ?3, sip_status = 200
            WHERE id = ?1 AND answered_at IS NULL AND (ended_at IS NULL OR status = 'completed')
            """)
        let end = try connection.prepare(
            """
            UPDATE call SET
                status = ?2, ended_at = ?3, sip_status = coalesce(sip_status, ?4), reason = ?5, by_limit = 0
            WHERE id = ?1 AND (ended_at IS NULL OR by_limit = 1) AND (?6 IS NULL OR tag IS NULL OR tag = ?6)
            """)
        let record = try connection.prepare(
            """
            INSERT OR FAIL INTO message (id, account_id, client_id, from_user, to_user, body, direction, status, created_at,
                ended_at, sip_status, reason)
            SELECT ?1, account_id, id, login, ?3, ?4, 'outbound-call', ?5, ?6, ?7, ?8, ?9 FROM client WHERE id = ?2
            """)
        let endText = try connection.prepare(
            """
            UPDATE message SET status = ?2, ended_at = ?3, sip_status = ?4, reason = ?5
            WHERE id = ?1 AND status = 'sending'
            """)
        self.start = start
        self.ring = ring
        self.answer = answer
        self.end = end
        self.record = record
        self.endText = endText
    }

    /// Makes the record of a call that begins.
    mutating func startCall(_ call: CallStart) throws(StoreError) {
        start.bind(1, call.number.value)
        start.bind(2, call.clientID)
        start.bind(3, wireText: call.to)
        start.bind(4, call.direction)
        start.bind(5, call.startedAt)
        start.bind(6, wireText: call.callID)
        try start.run()
    }

    /// Notes the first ringing.
    mutating func ringCall(_ number: RecordNumber, at time: UnixTime) throws(StoreError) {
        ring.bind(1, number.value)
        ring.bind(2, time)
        try ring.run()
    }

    /// Notes the first answer.
    mutating func answerCall(_ number: RecordNumber, at time: UnixTime, tag: Int64) throws(StoreError) {
        answer.bind(1, number.value)
        answer.bind(2, time)
        answer.bind(3, tag)
        try answer.run()
    }

    /// Notes the end of a call.
    mutating func endCall(_ number: RecordNumber, _ how: CallEnd) throws(StoreError) {
        end.bind(1, number.value)
        end.bind(2, how.status.rawValue)
        end.bind(3, how.endedAt)
        end.bind(4, how.sipStatus)
        end.bind(5, how.reason)
        end.bind(6, how.tag)
        try end.run()
    }

    /// Makes the record of a text whose end is known.
    mutating func recordMessage(_ message: ClientMessage) throws(StoreError) {
        record.bind(1, message.number.value)
        record.bind(2, message.clientID)
        record.bind(3, wireText: message.to)
        record.bind(4, wireText: message.body)
        record.bind(5, message.end.status.rawValue)
        record.bind(6, message.createdAt)
        record.bind(7, message.end.endedAt)
        record.bind(8, message.end.sipStatus)
        record.bind(9, message.end.reason)
        try record.run()
    }

    /// Notes the end of a text on its way.
    mutating func endMessage(_ number: RecordNumber, _ how: MessageEnd) throws(StoreError) {
        endText.bind(1, number.value)
        endText.bind(2, how.status.rawValue)
        endText.bind(3, how.endedAt)
        endText.bind(4, how.sipStatus)
        endText.bind(5, how.reason)
        try endText.run()
    }
}
