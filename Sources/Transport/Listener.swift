import Glibc
import Primitives

/// A transport and an address to listen on, as configured. The address may be 0.0.0.0 or ::, the port 0 for any.
public struct ListenerConfiguration: Hashable, Sendable {
    /// The transport.
    public var transport: TransportProtocol
    /// The address and port to bind.
    public var address: SocketAddress

    /// A listener for `transport` on `address`.
    public init(transport: TransportProtocol, address: SocketAddress) {
        self.transport = transport
        self.address = address
    }

    /// False when this machine does not have the address, or its family, whatever the port.
    public var isPossible: Bool {
        do throws(SystemError) {
            let socket = try System.socket(transport, family: address.family)
            try System.bind(socket.number, SocketAddress(address: address.address, port: 0))
            return true
        } catch {
            return error.number != EADDRNOTAVAIL && error.number != EAFNOSUPPORT
        }
    }

    /// One configuration for each concrete address that this one stands for.
    public func expanded() throws(SystemError) -> [ListenerConfiguration] {
        try LocalAddresses.expand(address.address).map { concrete in
            ListenerConfiguration(
                transport: transport, address: SocketAddress(address: concrete, port: address.port))
        }
    }
}

/// A listener that is open: its index is `Flow.listener`, its address is concrete.
public struct Listener: Hashable, Sendable {
    /// The position among the listeners of the transport.
    public var index: UInt16
    /// The transport.
    public var transport: TransportProtocol
    /// The address and port that it is bound to.
    public var address: SocketAddress
}
