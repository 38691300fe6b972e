import Primitives

/// How devices behind NAT are kept reachable.
public struct KeepalivePolicy: Equatable, Sendable {
    /// What a ping is.
    public enum Method: Sendable {
        /// An OPTIONS, which a device answers.
        case options
        /// An empty line, which nobody answers over UDP.
        case emptyLine
        /// There are no pings.
        case off
    }

    /// What a ping is.
    public var method = Method.options
    /// The longest time between two pings of a device, in milliseconds.
    public var interval: Int64 = 25_000
    /// Pings in a row without an answer after which a device is unreachable.
    public var unanswered: UInt8 = 3
    /// True for pings of all devices that are reached by their flow; false for those behind NAT alone.
    public var pingsAll = false
    /// The seconds between the keepalives of a phone on a connection, as it is told (RFC 5626 Flow-Timer, RFC 6223).
    public var flowTimer: UInt32 = 120
    /// How long a binding whose connection was closed waits for its device, in milliseconds.
    public var reconnectTime: UInt64 = 5_000

    /// The default settings.
    public init() {}

    /// The part of the interval in which all bindings are looked at once, in milliseconds.
    var round: Int64 { max(1, interval / 16) }

    /// True when one of the bindings is to be pinged.
    func pings(anyOf bindings: [Binding]) -> Bool { method != .off && bindings.contains { pings($0) } }

    /// True when a binding is to be pinged while it has a flow.
    func pings(_ binding: Binding) -> Bool { (binding.liveness.isNatted || pingsAll) && binding.isReachedByFlow }

    /// True when a device is to answer its pings: nobody answers an empty datagram.
    func expectsAnswer(from binding: Binding) -> Bool {
        switch method {
        case .options: true
        case .emptyLine: binding.flow.transport.isReliable
        case .off: false
        }
    }

    /// The seconds between two keepalives that a phone is told: over UDP those of our own pings, as a NAT forgets datagrams
    /// soon.
    public func seconds(_ transport: TransportProtocol) -> UInt32 {
        transport.isReliable ? flowTimer : UInt32(clamping: max(1, interval / 1000))
    }
}
