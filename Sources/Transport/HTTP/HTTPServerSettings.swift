import HTTPMessage
import Primitives

/// Where the HTTP server listens, and how much its peers may take: sizes in bytes, times in milliseconds.
public struct HTTPServerSettings: Hashable, Sendable {
    /// The addresses to listen on; a port 0 is any free one.
    public var addresses: [SocketAddress]
    /// Connections open at all; one more is answered 503.
    public var connections = 500
    /// Connections that one address (one /64 of IPv6) may have open; nil for as many as there are.
    public var connectionsPerSource: Int?
    /// Threads that answer requests, each with a handler of its own.
    public var handlerThreads = 4
    /// Requests that may wait for a thread; one more is answered 503.
    public var queueLimit = 256
    /// How large the parts of a request may be.
    public var limits = HTTPLimits()
    /// How long a connection may be without a request between two.
    public var idleTime: UInt64 = 30_000
    /// How long a head may take from its first byte to its last, a new connection to its first byte, and a pause in a body.
    public var headTime: UInt64 = 10_000
    /// How long a body may take.
    public var bodyTime: UInt64 = 30_000
    /// How long a peer may take next to nothing of what waits for it.
    public var sendTime: UInt64 = 10_000
    /// How long a peer may send on after the answer that ends its connection.
    public var farewellTime: UInt64 = 1_000
    /// How long `stop` waits for running responses.
    public var stopTime: UInt64 = 2_000
    /// Proxies whose X-Forwarded-For is believed.
    public var trustedProxies = TrustedProxies()

    /// The defaults, with these addresses.
    public init(addresses: [SocketAddress]) { self.addresses = addresses }

    /// How often connections are looked over.
    var sweepTime: UInt64 {
        min(250, max(10, min(idleTime, headTime, bodyTime, sendTime, farewellTime, stopTime) / 4))
    }
}
