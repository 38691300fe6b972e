import Glibc
import Primitives

/// What a commit promises.
public enum Durability: Sendable {
    /// A commit survives the end of the process, and after a power failure the database is whole but may lack the last
    /// moments.
    case commit
    /// A commit has reached the disk and survives a power failure; each group of changes waits for the disk.
    case synced
}

/// How the store is opened and how its writer works.
public struct StoreOptions: Sendable {
    /// What a commit promises.
    public var durability = Durability.commit
    /// How long SQLite itself waits for another process's lock.
    public var busyMilliseconds: Int32 = 5000
    /// The largest file that is checked at the start, in bytes.
    public var checkLimit: Int64 = 1 << 30
    /// How long the writer keeps a group that meets a lock before it reports `busy`; below 32 s, a client's patience.
    public var lockPatienceMilliseconds: UInt64 = 15_000
    /// How long work of the API waits for its turn before it reports `busy` and is not done: the threads that wait for it
    /// have others to answer.
    public var workPatienceMilliseconds: UInt64 = 5_000
    /// For how long the writer may have waited for another process's lock before work is given up, and new work refused.
    public var workLockPatienceMilliseconds: UInt64 = 250
    /// How long the writer waits for a lock once it is to end, all groups together.
    public var endPatienceMilliseconds: UInt64 = 300
    /// How long a search of the API may take.
    public var searchMilliseconds: UInt64 = 5_000
    /// The most units that wait for the writer; more are refused.
    public var queueLimit = 200_000
    /// The most changes in one transaction.
    public var groupLimit = 4096
    /// How long the writer lets a group gather after it was woken: less work a change for a later answer.
    public var gatherMicroseconds: UInt32 = 0
    /// How long changes of records may gather, as nobody waits for them: one commit for many. The end of the process
    /// loses what gathers at that moment.
    public var recordGatherMilliseconds: UInt64 = 2
    /// How often changes of other processes are looked for.
    public var pollMilliseconds: UInt64 = 250
    /// How often a search for expired bindings begins.
    public var sweepMilliseconds: UInt64 = 30_000
    /// The most rows looked at, or deleted, in one step of housekeeping.
    public var sliceRows: Int64 = 256
    /// How long records are kept, and calls supposed to go on; `StoreWriter.replaceLimits` changes it later.
    public var recordLimits = RecordLimits()
    /// The number of the reason (`Reason.rawValue`) of an end by these limits, 0 for none.
    public var callLimitReason: Int64 = 0
    /// The size of the write-ahead log at which it is written back even under load.
    public var checkpointBytes: Int64 = 32 << 20
    /// What tests do to a connection after it was opened, for example limit its size in place of a full disk.
    var didOpen: @Sendable (SQLiteConnection) throws(StoreError) -> Void = { _ in }
    /// The calendar clock, by which bindings expire.
    public var clock: @Sendable () -> UnixTime = StoreOptions.systemTime

    /// The defaults.
    public init() {}

    /// The system's calendar clock.
    @Sendable
    public static func systemTime() -> UnixTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UnixTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    static func monotonicMilliseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
