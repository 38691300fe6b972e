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
    /// How much may wait for a peer.
    public var outputSize = 1_048_576

    /// The defaults.
    public init() {}

    /// How often connections are looked over.
    var sweepTime: UInt64 {
        min(500, max(10, min(idleTime, messageTime, connectTime, sendTime) / 4))
    }
}
