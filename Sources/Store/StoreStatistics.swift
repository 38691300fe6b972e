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
    /// Calls ended by the limit.
    public var callsEndedByLimit: UInt64 = 0
    /// Records deleted as too old.
    public var recordsDeleted: UInt64 = 0
    /// Times that the write-ahead log was written back.
    public var checkpoints: UInt64 = 0
    /// Failures of housekeeping and of following changes.
    public var housekeepingFailures: UInt64 = 0
    /// Pages in the write-ahead log after the last commit.
    public var logPages: Int64 = 0
    /// Bytes of the pages that the writer's connection keeps in memory after the last commit: they grow with the records
    /// of calls and texts, and end at the 16 MB that `Store.open` allows.
    public var cacheBytes: Int64 = 0
}
