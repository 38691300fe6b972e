extension Configuration {
    /// An address to listen on.
    public struct Listener: Equatable, Sendable {
        /// A transport that listeners can have.
        public enum Transport: String, CaseIterable, Sendable {
            case udp, tcp
        }

        /// The transport.
        public var transport = Transport.udp
        /// The local address, IPv4 or IPv6; `0.0.0.0` and `::` for all.
        public var address = "0.0.0.0"
        /// The local port.
        public var port: UInt16 = 5060
        /// The `host` or `host:port` that peers reach it by, written into Via and Record-Route; empty for the local one.
        public var advertised = ""
        /// True when the server may start without it on a machine that cannot have it (no IPv6).
        public var isOptional = false

        /// A listener as an empty object in the file describes it: UDP on 0.0.0.0:5060.
        public init() {}

        /// A listener on this address.
        public init(_ transport: Transport, address: String, port: UInt16 = 5060, isOptional: Bool = false) {
            self.transport = transport
            self.address = address
            self.port = port
            self.isOptional = isOptional
        }

        /// UDP and TCP on all addresses, port 5060; those of IPv6 are optional.
        public static let defaults = [
            Listener(.udp, address: "0.0.0.0"),
            Listener(.tcp, address: "0.0.0.0"),
            Listener(.udp, address: "::", isOptional: true),
            Listener(.tcp, address: "::", isOptional: true),
        ]

        /// The advertised host without its port; empty when nothing is advertised. IPv6 keeps its brackets.
        public var advertisedHost: String { HostText.split(advertised)?.host ?? "" }
        /// The advertised port; the local one when none is given.
        public var advertisedPort: UInt16 { HostText.split(advertised)?.port ?? port }
    }
}
