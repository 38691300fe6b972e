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
