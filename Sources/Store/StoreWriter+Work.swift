import Synchronization

extension StoreWriter: StoreTransactions {
    /// Runs `body` on the store thread, in the transaction of the group that it comes into, and waits. A failure undoes the
    /// work alone. When this returns, the changes are durable, and `changed` has been called for all clients in them, so
    /// that SIP goes by them already.
    ///
    /// Blocks the calling thread: never from a thread of SIP, and never from the store thread, which would wait for itself.
    ///
    /// Throws what `body` throws, the failure of the group (`full`, `busy`), `busy` when its turn does not come in
    /// time (`StoreOptions.workPatienceMilliseconds`, or another process's lock), or `overloaded`.
    public func perform<Result: Sendable>(
        _ body: @escaping @Sendable (Store) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let result = WorkResult<Result>()
        let work = StoreWork { store throws(StoreError) in result.set(try body(store)) }
        if queue.isLocked(forMilliseconds: lockPatience) { throw .busy(path: path) }
        guard enqueue(.work(work)) else { throw .overloaded(path: path) }
        let begun = StoreOptions.monotonicMilliseconds()
        try work.wait(path: path) {
            StoreOptions.monotonicMilliseconds() &- begun < workPatience
                && !queue.isLocked(forMilliseconds: lockPatience)
        }
        guard let value = result.value else { throw .overloaded(path: path) }
        return value
    }
}

/// Where the store thread leaves the result of work.
private final class WorkResult<Value: Sendable>: Sendable {
    private let content = Mutex<Value?>(nil)

    var value: Value? { content.withLock { $0 } }

    func set(_ value: Value) { content.withLock { $0 = value } }
}
