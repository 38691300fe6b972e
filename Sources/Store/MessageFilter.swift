import Primitives

/// Which texts are asked for; what is nil does not matter.
public struct MessageFilter: Equatable, Sendable {
    /// The end of the sender, or all of it.
    public var from: String?
    /// The end of the recipient as addressed, or all of it.
    public var to: String?
    /// What became of it.
    public var status: MessageStatus?
    /// It came at this time or later.
    public var createdFrom: UnixTime?
    /// It came before this time.
    public var createdTo: UnixTime?
    /// Words of the text, with their case.
    public var body: String?

    /// All texts; conditions are set one by one.
    public init() {}

    /// Adds the conditions to a query.
    func add(to query: inout Query) {
        // The time is in the number, which the index by account has.
        query.add(" AND id >= ?", ifSet: createdFrom.map { RecordNumber(notBefore: $0).value })
        query.add(" AND id < ?", ifSet: createdTo.map { RecordNumber(notBefore: $0).value })
        query.add(" AND status = ?", ifSet: status?.rawValue)
        query.add(" AND substr(from_user, ?) = ?", endingWith: from)
        query.add(" AND substr(to_user, ?) = ?", endingWith: to)
        query.add(" AND instr(body, ?) > 0", ifSet: body)
    }
}
