/// Which accounts are asked for, each value exactly; what is nil does not matter.
public struct AccountFilter: Equatable, Sendable {
    /// The name for people.
    public var friendlyName: String?
    /// The status that counts: its own, or the worse one of an account above it.
    public var status: AccountStatus?

    /// All accounts unless more is said.
    public init(friendlyName: String? = nil, status: AccountStatus? = nil) {
        self.friendlyName = friendlyName
        self.status = status
    }

    /// Adds the conditions to a query.
    func add(to query: inout Query) {
        query.add(" AND friendly_name = ?", ifSet: friendlyName)
        query.add(" AND effective_status = ?", ifSet: status?.rawValue)
    }
}
