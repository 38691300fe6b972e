import Primitives

/// What an account may do: the words of the API, from good to worse.
public enum AccountStatus: String, CaseIterable, Sendable {
    /// In use.
    case active
    /// Stopped for a while: its clients neither register nor call.
    case suspended
    /// Ended for ever, with all that belonged to it.
    case closed
}

/// An account as stored.
public struct AccountRow: Equatable, Sendable {
    /// The row's number, 0 before it is stored.
    public var id: Int64 = 0
    /// `AC` and 32 hexadecimal digits.
    public var sid: String
    /// The sid of the account that this one belongs to; nil for a top account.
    public var parentSID: String?
    /// The name for people.
    public var friendlyName: String
    /// The address of its owner, may be empty.
    public var email: String
    /// The secret of the API, 32 hexadecimal digits.
    public var authToken: String
    /// Its own status (`AccountStatus`).
    public var status: String
    /// When it was made.
    public var dateCreated: UnixTime
    /// When it was last changed.
    public var dateUpdated: UnixTime
    /// The worst of its own status and those of all accounts above it: what counts for its clients.
    public var effectiveStatus: String
}

extension AccountRow {
    /// Reads all columns of the table in their order.
    init(_ statement: borrowing PreparedStatement) {
        id = statement.integer(0)
        sid = statement.text(1)
        parentSID = statement.optionalText(2)
        friendlyName = statement.text(3)
        email = statement.text(4)
        authToken = statement.text(5)
        status = statement.text(6)
        dateCreated = statement.time(7)
        dateUpdated = statement.time(8)
        effectiveStatus = statement.text(9)
    }
}

extension AccountRow {
    /// Makes a new token; the old one ends when the row is stored.
    public mutating func renewAuthToken() { authToken = Identifier.make(prefix: "") }
}
