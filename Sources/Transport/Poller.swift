import CLinux
import Glibc

/// An epoll instance. Other threads may add and change descriptors while its own thread waits.
final class Poller: Sendable {
    /// Bytes to read, or the peer's end of the stream.
    static let readable = EPOLLIN.rawValue | EPOLLRDHUP.rawValue
    /// Room to write.
    static let writable = EPOLLOUT.rawValue
    /// An error waits, or both directions ended. Reported always.
    static let failed = EPOLLERR.rawValue | EPOLLHUP.rawValue

    private let descriptor: FileDescriptor

    /// A new instance without descriptors.
    init() throws(SystemError) {
        descriptor = FileDescriptor(try System.check(epoll_create1(Int32(EPOLL_CLOEXEC)), "epoll_create1"))
    }

    /// Watches a descriptor; `token` comes back with its events.
    func add(_ number: Int32, events: UInt32, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_ADD, number, events, token)
    }

    /// Changes what a descriptor is watched for.
    func modify(_ number: Int32, events: UInt32, token: UInt64) throws(SystemError) {
        try control(EPOLL_CTL_MOD, number, events, token)
    }

    /// Stops watching a descriptor. Events of it that were fetched already may still be handled.
    func remove(_ number: Int32) { _ = epoll_ctl(descriptor.number, EPOLL_CTL_DEL, number, nil) }

    /// Waits up to `timeout` milliseconds and gives the number of events written to `events`.
    func wait(_ events: UnsafeMutableBufferPointer<epoll_event>, timeout: Int32) -> Int {
        let count = epoll_wait(descriptor.number, events.baseAddress, Int32(events.count), timeout)
        return max(0, Int(count))
    }

    private func control(
        _ operation: Int32, _ number: Int32, _ events: UInt32, _ token: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        try System.check(epoll_ctl(descriptor.number, operation, number, &event), "epoll_ctl")
    }
}
