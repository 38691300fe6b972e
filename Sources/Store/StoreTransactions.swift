/// Who runs work on the store as one transaction: the writer of a server, or the command line by itself.
public protocol StoreTransactions: Sendable {
    /// Runs `body` with a store as one transaction and gives its result when that is durable.
    ///
    /// To return is to commit; to throw is to undo all of it, and the error comes out of this call. A body that finds a
    /// request wrong returns that as its value while it has changed nothing; after a change it throws
    /// `StoreError.withdrawn`.
    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (Store) throws(StoreError) -> Result
    ) throws(StoreError) -> Result
}
