import Synchronization

/// What the transport did since its start.
public struct TransportCounters: Hashable, Sendable {
    /// Datagrams and messages of streams that were handed up.
    public var received: UInt64 = 0
    /// Datagrams and messages of streams that were handed to the kernel.
    public var sent: UInt64 = 0
    /// Datagrams too short for a message, such as keepalives.
    public var ignored: UInt64 = 0
    /// Messages that could not be sent.
    public var dropped: UInt64 = 0
    /// Datagrams that came back as undeliverable.
    public var unreachable: UInt64 = 0
    /// Connections accepted.
    public var accepted: UInt64 = 0
    /// Connections that we opened.
    public var opened: UInt64 = 0
    /// Connections refused because of a limit, or because no descriptor was left.
    public var refused: UInt64 = 0
    /// Connections closed because what came was no SIP, too large, or too slow.
    public var streamFailures: UInt64 = 0
    /// Connections open now.
    public var connections: UInt64 = 0
    /// Bytes that connections hold of messages that are not complete, or not taken yet.
    public var streamBytes: UInt64 = 0
}

/// The counters of one loop. Each has its own, so that workers do not fight for cache lines.
final class LoopCounters: Sendable {
    let received = Atomic<UInt64>(0)
    let sent = Atomic<UInt64>(0)
    let ignored = Atomic<UInt64>(0)
    let dropped = Atomic<UInt64>(0)
    let unreachable = Atomic<UInt64>(0)
    let accepted = Atomic<UInt64>(0)
    let opened = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let streamFailures = Atomic<UInt64>(0)

    /// Adds these counters to `sum`.
    func add(to sum: inout TransportCounters) {
        sum.received += received.load(ordering: .relaxed)
        sum.sent += sent.load(ordering: .relaxed)
        sum.ignored += ignored.load(ordering: .relaxed)
        sum.dropped += dropped.load(ordering: .relaxed)
        sum.unreachable += unreachable.load(ordering: .relaxed)
        sum.accepted += accepted.load(ordering: .relaxed)
        sum.opened += opened.load(ordering: .relaxed)
        sum.refused += refused.load(ordering: .relaxed)
        sum.streamFailures += streamFailures.load(ordering: .relaxed)
    }
}

extension Atomic where Value == UInt64 {
    /// Counts `number` more; the order against other memory does not matter.
    @inline(__always)
    func count(_ number: Int = 1) { wrappingAdd(UInt64(number), ordering: .relaxed) }
}
