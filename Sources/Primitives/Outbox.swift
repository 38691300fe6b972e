/// The messages that a batch of events wants sent: their bytes in one buffer, written once, and where each goes.
///
/// Deciding code appends; the edge sends them in order and empties the outbox.
public struct Outbox: ~Copyable {
    /// One message of the outbox.
    @frozen
    public struct Message: Sendable {
        /// Where it goes. A stream flow without a connection asks for one to be opened, or an open one reused.
        public var flow: Flow
        /// Where its bytes start in `bytes`.
        public var start: Int
        /// How many bytes it has.
        public var length: Int
        /// The port of the peer to connect to when the flow's connection is gone (RFC 3261 18.2.2); 0 for none.
        public var reconnectPort: UInt16
        /// Whom to tell when it cannot be sent: a value that only the sender understands, 0 for nobody.
        public var origin: UInt64
    }

    /// The bytes of all messages, one behind the other.
    public var bytes: ByteWriter
    /// The messages in the order in which they are to be sent.
    public private(set) var messages: [Message] = []

    /// An empty outbox.
    public init() {
        bytes = ByteWriter(capacity: 262_144)
        messages.reserveCapacity(256)
    }

    /// Turns the bytes written since `start` into a message to `flow`.
    public mutating func send(from start: Int, to flow: Flow, origin: UInt64 = 0, reconnectPort: UInt16 = 0) {
        messages.append(
            Message(
                flow: flow, start: start, length: bytes.count - start, reconnectPort: reconnectPort, origin: origin))
    }

    /// Appends a copy of `message` as a message to `flow`.
    public mutating func send(_ message: ByteSlice, to flow: Flow, origin: UInt64 = 0) {
        let start = bytes.count
        bytes.append(message)
        send(from: start, to: flow, origin: origin)
    }

    /// Forgets all messages, keeps the memory.
    public mutating func removeAll() {
        messages.removeAll(keepingCapacity: true)
        bytes.removeAll()
    }
}
