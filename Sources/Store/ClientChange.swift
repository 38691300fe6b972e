/// A change of a client, or of what answers calls, that another connection or the work of the API made, as seen now.
public struct ClientChange: Equatable, Sendable {
    /// The number of the client's row.
    public var clientID: Int64
    /// The login at the time of the change.
    public var login: String
    /// The client as it is now; nil when it was deleted, or no longer has this login.
    public var client: ClientRow?
    /// False when its account, or one above that, is suspended or closed: then it may neither register nor call.
    public var isAccountActive = true
    /// True when not the client was changed, but the status of its account.
    public var isByAccount = false
    /// The change of the account, with the first of its clients.
    public var account: AccountChange?
    /// When set, nothing of a client was changed, but this.
    public var application: ApplicationChange?
}

/// A change of what counts for an account, its own status or that of one above.
public struct AccountChange: Equatable, Sendable {
    /// The account's Sid.
    public var sid: String
    /// What counts for it now (`AccountStatus`).
    public var status: String
    /// How many clients it has.
    public var clients: Int64
}
