import Primitives
import Synchronization

/// The part of an event loop that other threads may touch: its poller, its mailbox and its connections.
final class ConnectionOwner: Sendable {
    /// The position among the loops.
    let index: Int
    /// What the loop waits on.
    let poller: Poller
    /// What other threads leave for the loop.
    let mailbox: Mailbox
    private let connections = Mutex<[UInt64: Connection]>([:])

    /// The owner for the loop at `index`.
    init(index: Int) throws(SystemError) {
        self.index = index
        poller = try Poller()
        mailbox = try Mailbox()
    }

    /// The connection with this identifier.
    func connection(_ identifier: UInt64) -> Connection? { connections.withLock { $0[identifier] } }

    /// All connections now.
    var all: [Connection] { connections.withLock { Array($0.values) } }

    /// The number of connections.
    var count: Int { connections.withLock { $0.count } }

    /// Keeps a connection under its identifier.
    func insert(_ connection: Connection) { connections.withLock { $0[connection.identifier] = connection } }

    /// Forgets a connection.
    func remove(_ identifier: UInt64) { _ = connections.withLock { $0.removeValue(forKey: identifier) } }
}
