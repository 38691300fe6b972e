/// By what a page of records is sorted. Records that are equal in it are in order of creation.
public struct RecordOrder<Column: Sendable & Equatable>: Equatable, Sendable {
    /// What is compared.
    public var column: Column
    /// The greatest first.
    public var isDescending: Bool

    /// The order by a column, the least first unless said otherwise.
    public init(_ column: Column, isDescending: Bool = false) {
        self.column = column
        self.isDescending = isDescending
    }
}

/// What calls can be sorted by.
public enum CallColumn: CaseIterable, Sendable {
    /// The order of creation, which needs no sorting.
    case number
    /// The caller.
    case from
    /// The callee as dialled.
    case to
    /// What became of it.
    case status
    /// The time from the answer to the end; calls without one are least.
    case duration
    /// The direction.
    case direction

    /// The beginning of the clause.
    var clause: StaticString {
        switch self {
        case .number: " ORDER BY id"
        case .from: " ORDER BY from_user"
        case .to: " ORDER BY to_user"
        case .status: " ORDER BY status"
        case .duration: " ORDER BY ended_at - answered_at"
        case .direction: " ORDER BY direction"
        }
    }
}

/// What texts can be sorted by.
public enum MessageColumn: CaseIterable, Sendable {
    /// The order of creation, which needs no sorting.
    case number
    /// The sender.
    case from
    /// The recipient as addressed.
    case to
    /// The text.
    case body
    /// What became of it.
    case status
    /// The direction.
    case direction

    /// The beginning of the clause.
    var clause: StaticString {
        switch self {
        case .number: " ORDER BY id"
        case .from: " ORDER BY from_user"
        case .to: " ORDER BY to_user"
        case .body: " ORDER BY body"
        case .status: " ORDER BY status"
        case .direction: " ORDER BY direction"
        }
    }
}
