import Primitives

/// A number of the domain (IncomingPhoneNumber) as stored: what dials or texts it reaches its application.
public struct NumberRow: Equatable, Sendable {
    /// The row's number, 0 before it is stored.
    public var id: Int64 = 0
    /// `PN` and 32 hexadecimal digits; empty before it is stored.
    public var sid = ""
    /// The number of its account's row.
    public var accountID: Int64
    /// The number as it is dialled, unique in the domain: `+` and digits, or any user part for a SIP number.
    public var phoneNumber: String
    /// True for a number that is dialled within the domain only, and may have letters.
    public var isSIP: Bool
    /// The name for people.
    public var friendlyName: String
    /// What answers calls, unless `voiceApplicationSID` does.
    public var voice = ApplicationURLs()
    /// The sid of a stored application, nil for none.
    public var voiceApplicationSID: String?
    /// What answers texts, unless `smsApplicationSID` does.
    public var sms = ApplicationURLs()
    /// The sid of a stored application, nil for none.
    public var smsApplicationSID: String?
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

    /// A number that is not stored yet, without an application.
    public init(accountID: Int64, phoneNumber: String, isSIP: Bool, friendlyName: String, date: UnixTime) {
        self.accountID = accountID
        self.phoneNumber = phoneNumber
        self.isSIP = isSIP
        self.friendlyName = friendlyName
        dateCreated = date
        dateUpdated = date
    }
}

extension NumberRow {
    /// Reads all columns of the table in their order.
    init(_ statement: borrowing PreparedStatement) {
        id = statement.integer(0)
        sid = statement.text(1)
        accountID = statement.integer(2)
        phoneNumber = statement.text(3)
        isSIP = statement.integer(4) != 0
        friendlyName = statement.text(5)
        voice = ApplicationURLs(statement, from: 6)
        voiceApplicationSID = statement.optionalText(10)
        sms = ApplicationURLs(statement, from: 11)
        smsApplicationSID = statement.optionalText(15)
        statusCallback = statement.optionalText(16)
        statusCallbackMethod = statement.text(17)
        apiVersion = statement.text(18)
        dateCreated = statement.time(19)
        dateUpdated = statement.time(20)
    }

    /// Binds all columns in their order, so that `?1` is the id and `?21` the date of the last change.
    func bind(to statement: inout PreparedStatement) {
        statement.bind(1, id == 0 ? nil : id)
        statement.bind(2, sid)
        statement.bind(3, accountID)
        statement.bind(4, phoneNumber)
        statement.bind(5, isSIP ? 1 : 0)
        statement.bind(6, friendlyName)
        voice.bind(to: &statement, from: 7)
        statement.bind(11, voiceApplicationSID)
        sms.bind(to: &statement, from: 12)
        statement.bind(16, smsApplicationSID)
        statement.bind(17, statusCallback)
        statement.bind(18, statusCallbackMethod)
        statement.bind(19, apiVersion)
        statement.bind(20, dateCreated)
        statement.bind(21, dateUpdated)
    }
}
