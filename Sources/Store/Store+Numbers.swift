import Primitives

/// Which numbers are asked for; what is nil does not matter.
public struct NumberFilter: Equatable, Sendable {
    /// The number as it is dialled.
    public var phoneNumber: String?
    /// The name for people.
    public var friendlyName: String?

    /// All numbers unless more is said.
    public init(phoneNumber: String? = nil, friendlyName: String? = nil) {
        self.phoneNumber = phoneNumber
        self.friendlyName = friendlyName
    }

    /// Adds the conditions to a query.
    func add(to query: inout Query) {
        query.add(" AND phone_number = ?", ifSet: phoneNumber)
        query.add(" AND friendly_name = ?", ifSet: friendlyName)
    }
}

extension Store {
    /// Stores a new number and gives it with its row's number and sid (made here unless given); `constraint(.unique)` when
    /// the domain has the number already, `constraint(.reference)` when the account does not exist.
    public func createNumber(_ number: NumberRow) throws(StoreError) -> NumberRow {
        var created = number
        created.id = 0
        if created.sid.isEmpty { created.sid = Identifier.make(prefix: "PN") }
        var statement = try connection.prepare(
            """
            INSERT INTO number VALUES
                (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
            """)
        created.bind(to: &statement)
        try statement.run()
        created.id = connection.lastInsertedID
        return created
    }

    /// Changes the number with this row's number to this row, except for its sid and date of creation; false when there
    /// is none, errors as for a new one.
    @discardableResult
    public func updateNumber(_ number: NumberRow) throws(StoreError) -> Bool {
        var statement = try connection.prepare(
            """
            UPDATE number SET
                account_id = ?3, phone_number = ?4, is_sip = ?5, friendly_name = ?6, voice_url = ?7, voice_method = ?8,
                voice_fallback_url = ?9, voice_fallback_method = ?10, voice_application_sid = ?11, sms_url = ?12,
                sms_method = ?13, sms_fallback_url = ?14, sms_fallback_method = ?15, sms_application_sid = ?16,
                status_callback = ?17, status_callback_method = ?18, api_version = ?19, date_updated = ?21
            WHERE id = ?1
            """)
        number.bind(to: &statement)
        try statement.run()
        return connection.changedRows > 0
    }

    /// Removes a number; false when there is none.
    @discardableResult
    public func removeNumber(id: Int64) throws(StoreError) -> Bool {
        try connection.run(Query("DELETE FROM number WHERE id = ?", .integer(id))) > 0
    }

    /// The number with this sid, nil when there is none.
    public func number(sid: String) throws(StoreError) -> NumberRow? {
        try connection.row(Query("SELECT * FROM number WHERE sid = ?", .text(sid))) { NumberRow($0) }
    }

    /// The number that is dialled so, of any account, nil when there is none.
    public func number(phoneNumber: String) throws(StoreError) -> NumberRow? {
        try connection.row(Query("SELECT * FROM number WHERE phone_number = ?", .text(phoneNumber))) { NumberRow($0) }
    }

    /// A page of an account's numbers in order of creation.
    public func numbers(
        ofAccount account: Int64, matching filter: NumberFilter = NumberFilter(), offset: Int64 = 0, limit: Int64
    ) throws(StoreError) -> [NumberRow] {
        var query = Query("SELECT * FROM number WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        query.add(" ORDER BY id")
        query.page(offset: offset, limit: limit)
        return try connection.rows(query) { NumberRow($0) }
    }

    /// The number of an account's numbers.
    public func numberCount(
        ofAccount account: Int64, matching filter: NumberFilter = NumberFilter()
    ) throws(StoreError) -> Int64 {
        var query = Query("SELECT count(*) FROM number WHERE account_id = ?", .integer(account))
        filter.add(to: &query)
        return try connection.number(query)
    }
}
