import Primitives

/// Which calls are asked for; what is nil does not matter.
public struct CallFilter: Equatable, Sendable {
    /// The end of the caller's login, or all of it.
    public var from: String?
    /// The end of the callee as dialled, or all of it.
    public var to: String?
    /// What became of it.
    public var status: CallStatus?
    /// It began at this time or later.
    public var startedFrom: UnixTime?
    /// It began before this time.
    public var startedTo: UnixTime?
    /// It ended at this time or later.
    public var endedFrom: UnixTime?
    /// It ended before this time.
    public var endedTo: UnixTime?
    /// It is a part of this call.
    public var parent: RecordNumber?

    /// All calls; conditions are set one by one.
    public init() {}

    /// Adds the conditions to a query.
    func add(to query: inout Query) {
        // The beginning is in the number, which the index by account has.
        query.add(" AND id >= ?", ifSet: startedFrom.map { RecordNumber(notBefore: $0).value })
        query.add(" AND id < ?", ifSet: startedTo.map { RecordNumber(notBefore: $0).value })
        query.add(" AND ended_at >= ?", ifSet: endedFrom?.milliseconds)
        query.add(" AND ended_at < ?", ifSet: endedTo?.milliseconds)
        query.add(" AND parent = ?", ifSet: parent?.value)
        query.add(" AND status = ?", ifSet: status?.rawValue)
        query.add(" AND substr(from_user, ?) = ?", endingWith: from)
        query.add(" AND substr(to_user, ?) = ?", endingWith: to)
    }
}
