import Primitives

/// Who has an application as its own by the application's sid.
public enum ApplicationReference: Equatable, Sendable {
    /// A client, by its sid and login.
    case client(sid: String, login: String)
    /// A number, by its sid and as it is dialled.
    case number(sid: String, phoneNumber: String)
}

extension ApplicationReference: CustomStringConvertible {
    /// What it is, for people.
    public var description: String {
        switch self {
        case .client(let sid, let login): "client \(login) (\(sid))"
        case .number(let sid, let phoneNumber): "number \(phoneNumber) (\(sid))"
        }
    }
}

extension Store {
    /// Stores a new application and gives it with its number and sid (made here unless given); `constraint(.reference)`
    /// when the account does not exist.
    public func createApplication(_ application: ApplicationRow) throws(StoreError) -> ApplicationRow {
        var created = application
        created.id = 0
        if created.sid.isEmpty { created.sid = Identifier.make(prefix: "AP") }
        var statement = try connection.prepare(
            """
            INSERT INTO application VALUES
                (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
            """)
        created.bind(to: &statement)
        try statement.run()
        created.id = connection.lastInsertedID
        return created
    }

    /// Changes the application with this row's number to this row, except for its sid, account and date of creation;
    /// false when there is none.
    @discardableResult
    public func updateApplication(_ application: ApplicationRow) throws(StoreError) -> Bool {
        var statement = try connection.prepare(
            """
            UPDATE application SET
                friendly_name = ?4, voice_url = ?5, voice_method = ?6, voice_fallback_url = ?7,
                voice_fallback_method = ?8, sms_url = ?9, sms_method = ?10, sms_fallback_url = ?11,
                sms_fallback_method = ?12, status_callback = ?13, status_callback_method = ?14, api_version = ?15,
                date_updated = ?17
            WHERE id = ?1
            """)
        application.bind(to: &statement)
        try statement.run()
        return connection.changedRows > 0
    }

    /// Removes an application, whoever refers to it; false when there is none.
    @discardableResult
    public func removeApplication(id: Int64) throws(StoreError) -> Bool {
        try connection.run(Query("DELETE FROM application WHERE id = ?", .integer(id))) > 0
    }

    /// The application with this sid, nil when there is none.
    public func application(sid: String) throws(StoreError) -> ApplicationRow? {
        try connection.row(Query("SELECT * FROM application WHERE sid = ?", .text(sid))) { ApplicationRow($0) }
    }

    /// A page of an account's applications, all or those of this name, in order of creation.
    public func applications(
        ofAccount account: Int64, friendlyName: String? = nil, after id: Int64 = 0, offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [ApplicationRow] {
        var query = Query(
            "SELECT * FROM application WHERE account_id = ? AND id > ?", .integer(account), .integer(id))
        query.add(" AND friendly_name = ?", ifSet: friendlyName)
        query.add(" ORDER BY id")
        query.page(offset: offset, limit: limit)
        return try connection.rows(query) { ApplicationRow($0) }
    }

    /// The number of an account's applications, of all or of those of this name.
    public func applicationCount(ofAccount account: Int64, friendlyName: String? = nil) throws(StoreError) -> Int64 {
        var query = Query("SELECT count(*) FROM application WHERE account_id = ?", .integer(account))
        query.add(" AND friendly_name = ?", ifSet: friendlyName)
        return try connection.number(query)
    }

    /// The first clients and numbers, of any account, that refer to the application with this sid.
    public func references(toApplication sid: String, limit: Int64) throws(StoreError) -> [ApplicationReference] {
        let query = Query(
            """
            SELECT 0, sid, login FROM client WHERE voice_application_sid = ?1
            UNION ALL
            SELECT 1, sid, phone_number FROM number WHERE voice_application_sid = ?1
            UNION ALL
            SELECT 1, sid, phone_number FROM number
            WHERE sms_application_sid = ?1 AND voice_application_sid IS NOT ?1
            LIMIT ?2
            """, .text(sid), .integer(max(0, limit)))
        return try connection.rows(query) { row in
            row.integer(0) == 0
                ? .client(sid: row.text(1), login: row.text(2)) : .number(sid: row.text(1), phoneNumber: row.text(2))
        }
    }
}
