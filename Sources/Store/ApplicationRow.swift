import Primitives

/// Where an application is fetched: an address with its method, and a second one for when the first fails.
public struct ApplicationURLs: Equatable, Sendable {
    /// The address, nil for none.
    public var url: String?
    /// `GET` or `POST`.
    public var method = "POST"
    /// The address tried when the first fails, nil for none.
    public var fallbackURL: String?
    /// `GET` or `POST`.
    public var fallbackMethod = "POST"

    /// No address.
    public init() {}
}

/// An application as stored.
public struct ApplicationRow: Equatable, Sendable {
    /// The row's number, 0 before it is stored.
    public var id: Int64 = 0
    /// `AP` and 32 hexadecimal digits; empty before it is stored.
    public var sid = ""
    /// The number of its account's row.
    public var accountID: Int64
    /// The name for people.
    public var friendlyName: String
    /// What answers calls.
    public var voice = ApplicationURLs()
    /// What answers texts.
    public var sms = ApplicationURLs()
    /// Who is told of each change of a call's state, nil for nobody.
    public var statusCallback: String?
    /// `GET` or `POST`.
    public var statusCallbackMethod = "POST"
    /// The version of the API that made it.
    public var apiVersion = "2012-04-24"
    /// When it was made.
    public var dateCreated: UnixTime
    /// When it was last changed.
    public var dateUpdated: UnixTime

    /// An application that is not stored yet, without addresses.
    public init(accountID: Int64, friendlyName: String, date: UnixTime) {
        self.accountID = accountID
        self.friendlyName = friendlyName
        dateCreated = date
        dateUpdated = date
    }
}

extension ApplicationURLs {
    /// Reads four columns from column `first` on.
    init(_ statement: borrowing PreparedStatement, from first: Int32) {
        url = statement.optionalText(first)
        method = statement.text(first + 1)
        fallbackURL = statement.optionalText(first + 2)
        fallbackMethod = statement.text(first + 3)
    }

    /// Binds four columns from parameter `first` on.
    func bind(to statement: inout PreparedStatement, from first: Int32) {
        statement.bind(first, url)
        statement.bind(first + 1, method)
        statement.bind(first + 2, fallbackURL)
        statement.bind(first + 3, fallbackMethod)
    }
}

extension ApplicationRow {
    /// Reads all columns of the table in their order.
    init(_ statement: borrowing PreparedStatement) {
        id = statement.integer(0)
        sid = statement.text(1)
        accountID = statement.integer(2)
        friendlyName = statement.text(3)
        voice = ApplicationURLs(statement, from: 4)
        sms = ApplicationURLs(statement, from: 8)
        statusCallback = statement.optionalText(12)
        statusCallbackMethod = statement.text(13)
        apiVersion = statement.text(14)
        dateCreated = statement.time(15)
        dateUpdated = statement.time(16)
    }

    /// Binds all columns in their order, so that `?1` is the id and `?17` the date of the last change.
    func bind(to statement: inout PreparedStatement) {
        statement.bind(1, id == 0 ? nil : id)
        statement.bind(2, sid)
        statement.bind(3, accountID)
        statement.bind(4, friendlyName)
        voice.bind(to: &statement, from: 5)
        sms.bind(to: &statement, from: 9)
        statement.bind(13, statusCallback)
        statement.bind(14, statusCallbackMethod)
        statement.bind(15, apiVersion)
        statement.bind(16, dateCreated)
        statement.bind(17, dateUpdated)
    }
}
