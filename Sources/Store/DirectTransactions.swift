import Synchronization

/// Work on a store of its own: for the command line when no server runs.
public final class DirectTransactions: StoreTransactions, @unchecked Sendable {
    // Unchecked: the store is used under the lock only, by one thread at a time.
    private let store: Store
    private let lock = Mutex(())

    /// Opens the store as `Store` does.
    public init(path: String, options: StoreOptions = StoreOptions(), checked: Bool = true) throws(StoreError) {
        store = try Store(path: path, options: options, checked: checked)
    }

    /// Runs `body` in a transaction on this thread.
    public func perform<Result: Sendable>(
        _ body: @escaping @Sendable (Store) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try lock.withLock { _ throws(StoreError) in
            try store.transaction { () throws(StoreError) in try body(store) }
        }
    }
}
