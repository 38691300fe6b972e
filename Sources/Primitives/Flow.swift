/// A transport protocol of SIP.
public enum TransportProtocol: UInt8, Sendable {
    case udp = 0
    case tcp = 1

    /// True for a transport that neither loses nor reorders messages: no retransmission is needed on it.
    @inlinable public var isReliable: Bool { self != .udp }

    /// The name in Via, `UDP` or `TCP`.
    public var viaName: ByteSlice { self == .udp ? "UDP" : "TCP" }
    /// The name in URI parameters and logs, `udp` or `tcp`.
    public var name: ByteSlice { self == .udp ? "udp" : "tcp" }
}

/// A way to a peer: which listener, which transport, which address, and for a stream which connection (RFC 5626's flow).
@frozen
public struct Flow: Hashable, Sendable {
    /// The peer.
    public var remote: SocketAddress
    /// The connection, 0 for UDP and for a stream that is still to be opened.
    public var connection: UInt64
    /// The index of the listener that the peer reached us by, or that we leave from.
    public var listener: UInt16
    /// The transport.
    public var transport: TransportProtocol

    /// All parts of the flow.
    @inlinable
    public init(transport: TransportProtocol, listener: UInt16, remote: SocketAddress, connection: UInt64 = 0) {
        self.remote = remote
        self.connection = connection
        self.listener = listener
        self.transport = transport
    }
}
