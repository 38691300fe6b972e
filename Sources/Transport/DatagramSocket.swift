import CLinux
import Glibc
import Primitives

/// A bound UDP socket of one worker. Any thread may send on it.
final class DatagramSocket: Sendable {
    private let descriptor: FileDescriptor
    /// The address and port that it is bound to.
    let address: SocketAddress

    /// The bytes that the kernel keeps of what was not read yet, its own overhead included.
    let receiveBuffer: Int

    /// What `receiveBuffer` should be: a second's worth of a few thousand messages.
    static let wantedBuffer = 4_194_304

    /// The memory that waiting datagrams take, and how many were lost since the start; nil when the system does not tell.
    var queue: (bytes: Int, lost: UInt32)? {
        var bytes: UInt32 = 0
        var lost: UInt32 = 0
        return clinux_queue(number, &bytes, &lost) == 0 ? (Int(bytes), lost) : nil
    }

    /// The number for system calls, good while this object is held.
    var number: Int32 { descriptor.number }

    /// Binds a socket that shares its port with those of the other workers.
    init(_ address: SocketAddress) throws(SystemError) {
        descriptor = try System.socket(.udp, family: address.family)
        try System.set(descriptor.number, SOL_SOCKET, SO_REUSEPORT, 1)
        // Best effort: without privilege the kernel caps it at net.core.rmem_max.
        receiveBuffer = Int(clinux_grow_receive_buffer(descriptor.number, Int32(Self.wantedBuffer)))
        try? System.set(descriptor.number, SOL_SOCKET, SO_SNDBUF, 4_194_304)
        if address.address.isIPv4 {
            try System.set(descriptor.number, Int32(IPPROTO_IP), IP_RECVERR, 1)
        } else {
            try System.set(descriptor.number, Int32(IPPROTO_IPV6), IPV6_RECVERR, 1)
        }
        try System.bind(descriptor.number, address)
        self.address = try System.localAddress(descriptor.number)
    }

    /// The next datagram that the network returned: how many of its bytes were written to `buffer`, where it was to go, and the
    /// errno of the ICMP error; nil when there is none.
    func returned(_ buffer: UnsafeMutableRawBufferPointer) -> (length: Int, peer: SocketAddress?, error: Int32)? {
        var destination = sockaddr_storage()
        var error: Int32 = 0
        let length = clinux_read_error(number, buffer.baseAddress, buffer.count, &destination, &error)
        if length < 0 { return nil }
        let peer = withUnsafeBytes(of: &destination) { $0.baseAddress.flatMap(SocketAddress.init(system:)) }
        return (min(length, buffer.count), peer, error)
    }
}
