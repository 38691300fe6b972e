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
