import Primitives

/// A client as stored.
public struct ClientRow: Equatable, Sendable {
    /// The row's number, never used again after a deletion; 0 before it is stored.
    public var id: Int64 = 0
    /// `CL` and 32 hexadecimal digits; empty before it is stored.
    public var sid: String = ""
    /// The number of its account's row.
    public var accountID: Int64
    /// The user part of its address-of-record, unique in the domain.
    public var login: String
    /// The name for people.
    public var friendlyName: String
    /// The password, nil in the mode that keeps only the digests.
    public var password: String?
    /// The digest of `login:realm:password` by MD5, 16 bytes.
    public var ha1MD5: [UInt8]
    /// The digest by SHA-256, 32 bytes.
    public var ha1SHA256: [UInt8]
    /// The digest by SHA-512/256, 32 bytes.
    public var ha1SHA512_256: [UInt8]
    /// The realm that the digests were made for.
    public var realm: String
    /// 1 for a client that may register and call, 0 for a disabled one.
    public var status: Int64 = 1
    /// The application's address, nil for none.
    public var voiceURL: String?
    /// The method by which it is fetched.
    public var voiceMethod: String = "POST"
    /// The address tried when the first fails, nil for none.
    public var voiceFallbackURL: String?
    /// The method by which that is fetched.
    public var voiceFallbackMethod: String = "POST"
    /// The sid of a stored application, nil for none.
    public var voiceApplicationSID: String?
    /// The version of the API that made it.
    public var apiVersion: String = "2012-04-24"
    /// When it was made.
    public var dateCreated: UnixTime
    /// When it was last changed.
    public var dateUpdated: UnixTime

    /// A client that is not stored yet, with the rest at the defaults.
    public init(
        accountID: Int64, login: String, friendlyName: String, password: String?, ha1MD5: [UInt8], ha1SHA256: [UInt8],
        ha1SHA512_256: [UInt8], realm: String, date: UnixTime
    ) {
        self.accountID = accountID
        self.login = login
        self.friendlyName = friendlyName
        self.password = password
        self.ha1MD5 = ha1MD5
        self.ha1SHA256 = ha1SHA256
        self.ha1SHA512_256 = ha1SHA512_256
        self.realm = realm
        dateCreated = date
        dateUpdated = date
    }
}

extension ClientRow {
    /// Reads all columns of the table in their order, from column `first` on.
    init(_ statement: borrowing PreparedStatement, from first: Int32 = 0) {
        id = statement.integer(first)
        sid = statement.text(first + 1)
        accountID = statement.integer(first + 2)
        login = statement.text(first + 3)
        friendlyName = statement.text(first + 4)
        password = statement.optionalText(first + 5)
        ha1MD5 = statement.bytes(first + 6)
        ha1SHA256 = statement.bytes(first + 7)
        ha1SHA512_256 = statement.bytes(first + 8)
        realm = statement.text(first + 9)
        status = statement.integer(first + 10)
        voiceURL = statement.optionalText(first + 11)
        voiceMethod = statement.text(first + 12)
        voiceFallbackURL = statement.optionalText(first + 13)
        voiceFallbackMethod = statement.text(first + 14)
        voiceApplicationSID = statement.optionalText(first + 15)
        apiVersion = statement.text(first + 16)
        dateCreated = statement.time(first + 17)
        dateUpdated = statement.time(first + 18)
    }

    /// Binds all columns in their order, so that `?1` is the id and `?19` the date of the last change.
    func bind(to statement: inout PreparedStatement) {
        statement.bind(1, id == 0 ? nil : id)
        statement.bind(2, sid)
        statement.bind(3, accountID)
        statement.bind(4, login)
        statement.bind(5, friendlyName)
        statement.bind(6, password)
        statement.bind(7, ha1MD5)
        statement.bind(8, ha1SHA256)
        statement.bind(9, ha1SHA512_256)
        statement.bind(10, realm)
        statement.bind(11, status)
        statement.bind(12, voiceURL)
        statement.bind(13, voiceMethod)
        statement.bind(14, voiceFallbackURL)
        statement.bind(15, voiceFallbackMethod)
        statement.bind(16, voiceApplicationSID)
        statement.bind(17, apiVersion)
        statement.bind(18, dateCreated)
        statement.bind(19, dateUpdated)
    }
}
