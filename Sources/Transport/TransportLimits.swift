/// How much peers may take: sizes in bytes, times in milliseconds.
public struct TransportLimits: Hashable, Sendable {
    /// The largest message on a stream.
    public var messageSize = 65_535
    /// Connections that one address may have open to us.
    public var connectionsPerSource = 100
    /// Connections open at all.
    public var connections = 20_000
    /// How long a connection may be without traffic.
    public var idleTime: UInt64 = 600_000
    /// How long a message may take from its first byte to its last.
    public var messageTime: UInt64 = 30_000
    /// How long connecting may take.
    public var connectTime: UInt64 = 5_000
    /// How long a peer may take nothing of what waits for it.
    public var sendTime: UInt64 = 10_000
    /// How long a connection may be open before anybody has proved on it who he is.
    public var unprovenTime: UInt64 = 30_000
    /// How much may wait for a peer.
    public var outputSize = 1_048_576
    /// How much all connections together may hold: messages that are not complete, and what was not taken yet.
    public var streamMemory = 268_435_456

    /// The defaults.
    public init() {}

    /// How many connections may be open on which nobody has proved who he is: the oldest goes for one more.
    var unprovenConnections: Int { max(connections / 4, min(connections, 64)) }

    /// How long a connection is silent before the system asks whether its peer is still there, in seconds.
    var keepaliveSeconds: Int32 { Int32(clamping: max(1, min(idleTime / 2, 300_000) / 1000)) }

    /// How often connections are looked over.
    var sweepTime: UInt64 {
        min(500, max(10, min(idleTime, messageTime, connectTime, sendTime, unprovenTime) / 4))
    }
}
