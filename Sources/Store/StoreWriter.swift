import Primitives

/// Makes changes durable: a thread of its own with a connection of its own takes all that waits at a moment and commits
/// it in one transaction. It also follows what other connections change in the table of clients, and keeps the file in
/// order in idle moments.
public final class StoreWriter<Receipt: Sendable>: Sendable {
    /// The path of the database file.
    public let path: String
    let queue: WriterQueue<Receipt>
    let workPatience: UInt64
    let lockPatience: UInt64
    private let thread: JoinableThread
    private let limits: Replaceable<RecordLimits>

    /// Opens the database and starts the thread.
    ///
    /// - Parameters:
    ///   - change: `Store.lastChange()` as read before the clients were read; later changes are reported.
    ///   - committed: Called on the store thread: once for each group with the receipts that are durable now and no
    ///     error, and once for each failure with its receipts (empty when the change had none, or when housekeeping or
    ///     following changes failed).
    ///   - changed: Called on the store thread with changes that other connections and `perform` made, in order.
    public init(
        path: String, options: StoreOptions = StoreOptions(), after change: Int64 = 0,
        committed: @escaping @Sendable ([Receipt], StoreError?) -> Void,
        changed: @escaping @Sendable ([ClientChange]) -> Void = { _ in }
    ) throws(StoreError) {
        self.path = path
        workPatience = options.workPatienceMilliseconds
        lockPatience = options.workLockPatienceMilliseconds
        queue = WriterQueue(limit: options.queueLimit, gatherMilliseconds: options.recordGatherMilliseconds)
        limits = Replaceable(options.recordLimits)
        let connection = try Store.open(path: path, options: options)
        let body = Body(
            try StoreThread(
                connection: connection, queue: queue, options: options, limits: limits, after: change,
                committed: committed, changed: changed))
        guard let started = JoinableThread.start(named: "store", running: body) else {
            throw .cannotOpen(path: path, reason: "the store thread cannot be started")
        }
        thread = started
    }

    deinit { stop() }

    /// Adds a change from any thread; false when the queue is full or the writer stopped, and then nothing was done.
    public func enqueue(_ change: StoreChange, receipt: Receipt? = nil) -> Bool {
        queue.enqueue(change, receipt: receipt)
    }

    /// Adds a change that nobody waits for: it may gather with others for `StoreOptions.recordGatherMilliseconds`.
    public func enqueueRecord(_ change: StoreChange) -> Bool {
        queue.enqueue(change, receipt: nil, mayGather: true)
    }

    /// Adds changes that are stored all or none, from any thread; false as above.
    public func enqueue(_ changes: [StoreChange], receipt: Receipt? = nil) -> Bool {
        queue.enqueue(changes, receipt: receipt)
    }

    /// Changes for how long records are kept, and calls supposed to go on.
    public func replaceLimits(_ limits: RecordLimits) { self.limits.replace { $0 = limits } }

    /// Looks for changes of other connections now and not at the next period.
    public func followChanges() { queue.requestPoll() }

    /// Waits until everything that was added before is committed or reported. Not from the store thread.
    public func flush() { queue.waitUntilDrained() }

    /// Commits all that waits, ends the thread and closes the database; a second call does nothing. On the store thread
    /// itself it only begins the end.
    public func stop() {
        queue.requestStop()
        thread.join()
    }

    /// The counts of the writer, from any thread.
    public func statistics() -> StoreStatistics { queue.statistics() }

    private final class Body: ThreadBody {
        private var work: StoreThread<Receipt>

        init(_ work: consuming StoreThread<Receipt>) { self.work = work }

        override func run() { work.run() }
    }
}
