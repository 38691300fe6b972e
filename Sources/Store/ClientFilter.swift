/// Which clients are asked for, each value exactly; what is nil does not matter.
public struct ClientFilter: Equatable, Sendable {
    /// The login.
    public var login: String?
    /// The name for people.
    public var friendlyName: String?
    /// 1 for those that may register and call, 0 for disabled ones.
    public var status: Int64?

    /// All clients unless more is said.
    public init(login: String? = nil, friendlyName: String? = nil, status: Int64? = nil) {
        self.login = login
        self.friendlyName = friendlyName
        self.status = status
    }

    /// Adds the conditions to a query.
    func add(to query: inout Query) {
        query.add(" AND login = ?", ifSet: login)
        query.add(" AND friendly_name = ?", ifSet: friendlyName)
        query.add(" AND status = ?", ifSet: status)
    }
}
