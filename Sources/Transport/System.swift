import CLinux
import Glibc
import Primitives

/// The system calls of this target, with their failures as typed errors.
public enum System {
    /// The clocks, now.
    public static func now() -> Now {
        Now(
            instant: Instant(milliseconds: milliseconds(CLOCK_MONOTONIC)),
            unix: UnixTime(milliseconds: Int64(milliseconds(CLOCK_REALTIME))))
    }

    /// A clock that nobody can set, and that goes on while the machine sleeps.
    public static func bootInstant() -> Instant { Instant(milliseconds: milliseconds(CLOCK_BOOTTIME)) }

    /// The monotonic clock with the accuracy of the scheduler's tick (4 ms), which is a third of the price.
    static func coarseInstant() -> Instant { Instant(milliseconds: milliseconds(CLOCK_MONOTONIC_COARSE)) }

    private static func milliseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1000 &+ UInt64(time.tv_nsec) / 1_000_000
    }

    /// A non-blocking socket for this transport and address family.
    static func socket(_ transport: TransportProtocol, family: Int32) throws(SystemError) -> FileDescriptor {
        let kind = transport == .udp ? SOCK_DGRAM : SOCK_STREAM
        let flags = Int32(kind.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = FileDescriptor(try check(Glibc.socket(family, flags, 0), "socket"))
        if family == AF_INET6 { try set(descriptor.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        return descriptor
    }

    /// Sets a socket option that is a number.
    static func set(_ socket: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        try check(setsockopt(socket, level, name, &value, socklen_t(MemoryLayout<Int32>.size)), "setsockopt")
    }

    /// Sets what all SIP connections have: no delay, and an end in time when the peer is gone without a word.
    static func prepareStream(_ socket: Int32, _ limits: TransportLimits) {
        let tcp = Int32(IPPROTO_TCP)
        try? set(socket, tcp, TCP_NODELAY, 1)
        // What the peer does not acknowledge for so long fails, with what else waits: RFC 5482.
        try? set(socket, tcp, TCP_USER_TIMEOUT, Int32(clamping: limits.sendTime))
        try? set(socket, SOL_SOCKET, SO_KEEPALIVE, 1)
        try? set(socket, tcp, TCP_KEEPIDLE, limits.keepaliveSeconds)
        try? set(socket, tcp, TCP_KEEPINTVL, 30)
    }

    /// The error that a socket has waiting (SO_ERROR), 0 for none.
    static func pendingError(_ socket: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_ERROR, &value, &length) == 0 ? value : errno
    }

    /// Binds a socket.
    static func bind(_ socket: Int32, _ address: SocketAddress) throws(SystemError) {
        try check(address.withSystemAddress { Glibc.bind(socket, $0, $1) }, "bind")
    }

    /// Starts to connect a socket: true when it is connected, false when that is still going on.
    @discardableResult
    static func connect(_ socket: Int32, _ address: SocketAddress) throws(SystemError) -> Bool {
        if address.withSystemAddress({ Glibc.connect(socket, $0, $1) }) == 0 { return true }
        if errno == EINPROGRESS || errno == EINTR { return false }
        throw SystemError(errno, "connect")
    }

    /// Lets a bound stream socket accept connections; the kernel caps the queue at net.core.somaxconn.
    static func listen(_ socket: Int32) throws(SystemError) { try check(Glibc.listen(socket, 4096), "listen") }

    /// The address that a socket is bound to.
    static func localAddress(_ socket: Int32) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        try check(result, "getsockname")
        guard let address = withUnsafeBytes(of: &storage, { $0.baseAddress.flatMap(SocketAddress.init(system:)) })
        else { throw SystemError(EAFNOSUPPORT, "getsockname") }
        return address
    }

    /// The next waiting connection with its peer, or nil when there is none.
    static func accept(_ socket: Int32) throws(SystemError) -> (number: Int32, peer: SocketAddress)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let number = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { clinux_accept(socket, $0, &length) }
        }
        if number < 0 {
            if errno == EAGAIN { return nil }
            throw SystemError(errno, "accept")
        }
        guard let peer = withUnsafeBytes(of: &storage, { $0.baseAddress.flatMap(SocketAddress.init(system:)) }) else {
            close(number)
            throw SystemError(ECONNABORTED, "accept")
        }
        return (number, peer)
    }

    /// Reads what a stream has, without waiting: 0 at its end, nil when there is nothing yet.
    static func read(_ socket: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int? {
        while true {
            let length = recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            if length >= 0 { return length }
            if errno == EAGAIN { return nil }
            if errno != EINTR { throw SystemError(errno, "recv") }
        }
    }

    /// Writes what a stream takes, without waiting: the number of bytes, 0 when it takes none now.
    static func write(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        while true {
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            let length = Glibc.send(socket, bytes.baseAddress, bytes.count, flags)
            if length >= 0 { return length }
            if errno == EAGAIN { return 0 }
            if errno != EINTR { throw SystemError(errno, "send") }
        }
    }

    /// Throws errno when `result` is negative.
    @discardableResult
    static func check(_ result: Int32, _ operation: String) throws(SystemError) -> Int32 {
        if result < 0 { throw SystemError(errno, operation) }
        return result
    }
}
