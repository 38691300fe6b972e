import Primitives

/// A change that the writer makes durable.
public enum StoreChange: Sendable {
    /// Stores a binding, or refreshes the one with the same client and key (its `createdAt` stays).
    case upsertBinding(BindingRow)
    /// Removes one binding; no error when it is gone already.
    case deleteBinding(clientID: Int64, key: [UInt8])
    /// Removes all bindings of a client.
    case deleteBindings(clientID: Int64)
}

/// A change of a client that another connection made, as seen now.
public struct ClientChange: Equatable, Sendable {
    /// The number of the client's row.
    public var clientID: Int64
    /// The login at the time of the change.
    public var login: String
    /// The client as it is now; nil when it was deleted, or no longer has this login.
    public var client: ClientRow?
}

/// Counts of the writer since its start.
public struct StoreStatistics: Equatable, Sendable {
    /// Units that wait now.
    public var queued = 0
    /// Units accepted.
    public var accepted: UInt64 = 0
    /// Units refused because the queue was full.
    public var refused: UInt64 = 0
    /// Units committed.
    public var committed: UInt64 = 0
    /// Units reported with an error.
    public var failed: UInt64 = 0
    /// Transactions.
    public var groups: UInt64 = 0
    /// Expired bindings deleted.
    public var expired: UInt64 = 0
    /// Times that the write-ahead log was written back.
    public var checkpoints: UInt64 = 0
    /// Failures of housekeeping and of following changes.
    public var housekeepingFailures: UInt64 = 0
    /// Pages in the write-ahead log after the last commit.
    public var logPages: Int64 = 0
}
