import Synchronization

/// What all connections together hold of messages begun and not complete, and of messages not taken yet, in bytes.
final class StreamMemory: Sendable {
    private let used = Atomic(0)
    private let limit: Int

    /// None used.
    init(limit: Int) { self.limit = limit }

    /// The bytes in use.
    var count: Int { used.load(ordering: .relaxed) }

    /// Counts bytes more or less.
    func add(_ bytes: Int) {
        if bytes != 0 { used.add(bytes, ordering: .relaxed) }
    }

    /// True when there is no room for more. Strangers have the first quarter.
    func isFull(forProven: Bool) -> Bool { count > (forProven ? limit : limit / 4) }
}
