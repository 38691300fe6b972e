import Synchronization

/// Stores for reading that threads borrow for a moment: as many as are used at the same time, however many readers there
/// are in turn.
public final class StorePool: @unchecked Sendable {
    // Unchecked: a store is in `free` or with the one thread that borrowed it.
    private let open: @Sendable () throws(StoreError) -> Store
    private let lock = Mutex(())
    private var free: [Store] = []

    /// An empty pool; `open` makes a store.
    public init(open: @escaping @Sendable () throws(StoreError) -> Store) { self.open = open }

    /// Lends a store to `body`. One with which something failed is not lent again. A body that
    /// searches for too long fails with `tooSlow`.
    public func lend<Result>(_ body: (Store) throws(StoreError) -> Result) throws(StoreError) -> Result {
        let borrowed = lock.withLock { _ in free.popLast() }
        let store = if let borrowed { borrowed } else { try open() }
        let result = try store.searching(body)
        lock.withLock { _ in free.append(store) }
        return result
    }
}
