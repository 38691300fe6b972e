import Glibc
import Primitives

/// A listening TCP socket of one worker, or of the HTTP server.
final class StreamSocket: Sendable {
    private let descriptor: FileDescriptor
    /// The address and port that it is bound to.
    let address: SocketAddress

    /// The number for system calls, good while this object is held.
    var number: Int32 { descriptor.number }

    /// Binds a socket, which shares its port with those of the other workers unless it is alone, and listens.
    init(_ address: SocketAddress, isAlone: Bool = false) throws(SystemError) {
        descriptor = try System.socket(.tcp, family: address.family)
        // Connections of an earlier process in TIME_WAIT must not stop a restart.
        try System.set(descriptor.number, SOL_SOCKET, SO_REUSEADDR, 1)
        if !isAlone { try System.set(descriptor.number, SOL_SOCKET, SO_REUSEPORT, 1) }
        try System.bind(descriptor.number, address)
        try System.listen(descriptor.number)
        self.address = try System.localAddress(descriptor.number)
    }
}
