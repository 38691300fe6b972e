import Synchronization

extension StoreWriter: StoreTransactions {
    /// Runs `body` on the store thread, in the transaction of the group that it comes into, and waits. A failure undoes the
    /// work alone. When this returns, the changes are durable, and `changed` has been called for all clients in them, so
    /// that SIP goes by them already.
    ///
    /// Blocks the calling thread: never from a thread of SIP, and never from the store thread, which would wait for itself.
    ///
    /// Throws what `body` throws, the failure of the group (`full`, `busy`), or `overloaded`.
    public func perform<Result: Sendable>(
        _ body: @escaping @Sendable (Store) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let result = WorkResult<Result>()
        let work = StoreWork { store throws(StoreError) in result.set(try body(store)) }
        guard enqueue(.work(work)) else { throw .overloaded(path: path) }
        try work.wait()
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
