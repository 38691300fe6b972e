import DNSMessage
import Primitives

/// Where a request is to go, as a URI, a Path or a gateway names it (TARGET of RFC 3263 section 4).
public struct TargetQuery: Hashable, Sendable {
    /// A host name or an address in text; IPv6 with or without brackets.
    public var host: [UInt8]
    /// The port, when one is given.
    public var port: UInt16?
    /// The transport, when one is given.
    public var transport: TransportProtocol?
    /// True for `sips`, which asks for TLS.
    public var isSecure: Bool

    /// A host with what else is given.
    public init(
        host: [UInt8], port: UInt16? = nil, transport: TransportProtocol? = nil, isSecure: Bool = false
    ) {
        self.host = host
        self.port = port
        self.transport = transport
        self.isSecure = isSecure
    }
}

/// One place to try.
public struct Candidate: Hashable, Sendable {
    /// The address and port.
    public var remote: SocketAddress
    /// The transport.
    public var transport: TransportProtocol

    /// A place with its transport.
    public init(remote: SocketAddress, transport: TransportProtocol) {
        self.remote = remote
        self.transport = transport
    }

    /// Places that one query gives at the most.
    public static let limit = 16
}

/// What the listeners can reach, in their order.
public struct Reachability: Hashable, Sendable {
    /// A transport over one version of IP.
    public struct Way: Hashable, Sendable {
        /// The transport.
        public var transport: TransportProtocol
        /// True for IPv4, false for IPv6.
        public var isIPv4: Bool

        /// A transport over IPv4 or IPv6.
        public init(_ transport: TransportProtocol, isIPv4: Bool) {
            self.transport = transport
            self.isIPv4 = isIPv4
        }
    }

    /// Each way once, the preferred first.
    public private(set) var ways: [Way] = []

    /// The ways of some listeners; repetitions are left out.
    public init(_ ways: [Way]) {
        for way in ways where !self.ways.contains(way) { self.ways.append(way) }
    }

    /// True when a transport can be used at all.
    func has(_ transport: TransportProtocol) -> Bool { ways.contains { $0.transport == transport } }

    /// The record types of the addresses that a transport can reach, the preferred first.
    func addressTypes(_ transport: TransportProtocol) -> [RecordType] {
        ways.lazy.filter { $0.transport == transport }.map { $0.isIPv4 ? .a : .aaaa }
    }
}

/// Why a name gave no place to try.
public enum ResolutionFailure: Hashable, Sendable {
    /// The host is no name that DNS could know.
    case badName
    /// There is no such name, or it has no address.
    case noAddress
    /// The name has addresses, but no listener reaches any.
    case notReachable
    /// SRV says that the domain has no SIP service (RFC 2782: a target of ".").
    case noService
    /// It asks for TLS.
    case needsTLS
    /// No server could answer: the last one asked, and what became of it.
    case servers(LookupFailure)
    /// Too many names are being resolved.
    case busy

    /// The words of a log line.
    public var text: ByteSlice {
        switch self {
        case .badName: "no DNS name has this form"
        case .noAddress: "the name does not exist, or has no address that a listener reaches"
        case .notReachable: "no listener has the transport and IP version of its addresses"
        case .noService: "SRV says that there is no SIP service (target \".\")"
        case .needsTLS: "TLS is not supported"
        case .servers(let failure): failure.cause.text
        case .busy: "too many names are being resolved"
        }
    }

    /// The DNS server that failed.
    public var server: SocketAddress? {
        if case .servers(let failure) = self { failure.server } else { nil }
    }
}

/// What became of the last try of a question that no server answered.
public struct LookupFailure: Hashable, Sendable {
    /// What went wrong.
    public enum Cause: Hashable, Sendable {
        case timeout
        case unreachable
        case malformed
        case code(DNSResponse.Code)

        var text: ByteSlice {
            switch self {
            case .timeout: "the DNS server does not answer"
            case .unreachable: "the DNS server cannot be reached"
            case .malformed: "the DNS server's answer is broken"
            case .code(.serverFailure): "the DNS server answers SERVFAIL"
            case .code(.refused): "the DNS server answers REFUSED"
            case .code: "the DNS server answers with an error"
            }
        }
    }

    /// The server that was asked last.
    public var server: SocketAddress
    /// What went wrong.
    public var cause: Cause

    /// A server with what went wrong.
    public init(server: SocketAddress, cause: Cause) {
        self.server = server
        self.cause = cause
    }
}

/// What a query gives: places in the order in which they are to be tried, or why there is none.
public enum TargetAnswer: Hashable, Sendable {
    case candidates([Candidate])
    case failure(ResolutionFailure)
}
