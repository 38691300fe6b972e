import CLinux
import Glibc
import Primitives

/// The arrays of a recvmmsg or sendmmsg call, made once: message headers that point to vectors and addresses.
struct DatagramBatch: ~Copyable {
    /// How many datagrams one system call moves at most.
    static let capacity = 64
    /// Room for the largest datagram. The odd rest spreads the buffers over the sets of the caches.
    private static let stride = 65_536 + 17 * 64

    private let messages = UnsafeMutablePointer<clinux_message>.allocate(capacity: capacity)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: capacity)
    private let addresses = UnsafeMutableRawPointer.allocate(
        byteCount: capacity * SocketAddress.systemSize, alignment: 64)
    private let buffers: UnsafeMutableRawPointer?

    /// A batch to send from, or with `receiving` one that has a buffer for each datagram (4 MB of address space, of which
    /// memory is used as far as datagrams need it).
    init(receiving: Bool) {
        buffers =
            receiving ? .allocate(byteCount: Self.capacity * Self.stride, alignment: 4096) : nil
        messages.initialize(repeating: clinux_message(), count: Self.capacity)
        vectors.initialize(repeating: iovec(), count: Self.capacity)
        addresses.initializeMemory(as: UInt8.self, repeating: 0, count: Self.capacity * SocketAddress.systemSize)
        for index in 0..<Self.capacity {
            messages[index].header.msg_name = addresses + index * SocketAddress.systemSize
            messages[index].header.msg_namelen = socklen_t(SocketAddress.systemSize)
            messages[index].header.msg_iov = vectors + index
            messages[index].header.msg_iovlen = 1
            if let buffers {
                vectors[index].iov_base = buffers + index * Self.stride
                vectors[index].iov_len = 65_536
            }
        }
    }

    deinit {
        messages.deallocate()
        vectors.deallocate()
        addresses.deallocate()
        buffers?.deallocate()
    }

    /// Receives what waits, without waiting: the number of datagrams.
    @inline(__always)
    mutating func receive(from socket: Int32) -> Int {
        // An ICMP error for an earlier datagram is reported once by any call. Here it means nothing, for the error queue has it
        // too; the next call receives.
        for _ in 0..<4 {
            let count = clinux_receive(socket, messages, UInt32(Self.capacity))
            if count >= 0 { return Int(count) }
            if errno == EAGAIN { return 0 }
        }
        return 0
    }

    /// The received datagram at `index`, valid until the next `receive`.
    @inline(__always)
    func datagram(_ index: Int) -> ByteSlice {
        precondition(index < Self.capacity)
        // recvmmsg wrote at most the buffer's length there.
        let length = min(Int(messages[index].length), 65_536)
        return ByteSlice(UnsafeRawBufferPointer(start: vectors[index].iov_base, count: length))
    }

    /// The bytes of the first datagrams together.
    func byteCount(of count: Int) -> Int {
        precondition(count <= Self.capacity)
        return (0..<count).reduce(0) { $0 + Int(messages[$1].length) }
    }

    /// The sender of the received datagram at `index`; makes its place ready for the next `receive`.
    @inline(__always)
    mutating func peer(_ index: Int) -> SocketAddress? {
        precondition(index < Self.capacity)
        messages[index].header.msg_namelen = socklen_t(SocketAddress.systemSize)
        return SocketAddress(system: addresses + index * SocketAddress.systemSize)
    }

    /// Sets the datagram at `index` to be sent: `bytes` must stay in place until then.
    @inline(__always)
    mutating func set(_ index: Int, _ bytes: UnsafeRawBufferPointer, to peer: SocketAddress) {
        precondition(index < Self.capacity)
        vectors[index].iov_base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        vectors[index].iov_len = bytes.count
        messages[index].header.msg_namelen = peer.write(to: addresses + index * SocketAddress.systemSize)
    }

    /// Sends the datagrams of `range` without waiting: how many the kernel took, or the errno of the first.
    @inline(__always)
    mutating func send(_ range: Range<Int>, on socket: Int32) -> Result<Int, SystemError> {
        precondition(range.upperBound <= Self.capacity)
        let count = clinux_send(socket, messages + range.lowerBound, UInt32(range.count))
        return count >= 0 ? .success(Int(count)) : .failure(SystemError(errno, "sendmmsg"))
    }
}
