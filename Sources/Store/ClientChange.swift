/// A change of a client that another connection or the work of the API made, as seen now.
public struct ClientChange: Equatable, Sendable {
    /// The number of the client's row.
    public var clientID: Int64
    /// The login at the time of the change.
    public var login: String
    /// The client as it is now; nil when it was deleted, or no longer has this login.
    public var client: ClientRow?
    /// False when its account, or one above that, is suspended or closed: then it may neither register nor call.
    public var isAccountActive = true
}
