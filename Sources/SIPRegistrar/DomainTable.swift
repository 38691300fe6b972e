import Primitives
import SIPMessage

/// Which hosts are ours: the domain, its aliases, and the addresses that we listen on or advertise.
public struct DomainTable: Sendable {
    /// The configured domain, which is the realm too.
    public let domain: [UInt8]
    private var names: [[UInt8]] = []
    private var addresses: [IPAddress] = []
    private var ports: [UInt16] = []

    /// The table of a domain and its aliases (names or addresses) and of the sockets that we are reached at.
    public init(domain: ByteSlice, aliases: [[UInt8]] = [], sockets: [SocketAddress] = []) {
        self.domain = domain.bytes
        for host in [domain.bytes] + aliases {
            // Without brackets too: people write addresses so.
            if let address = host.withSlice({ IPAddress($0) }) {
                addresses.append(address)
            } else if !host.isEmpty {
                names.append(host.withSlice { Self.withoutDot($0).bytes })
            }
        }
        for socket in sockets {
            if !addresses.contains(socket.address) { addresses.append(socket.address) }
            if !ports.contains(socket.port) { ports.append(socket.port) }
        }
    }

    /// True for one of our names, whatever the port, and for one of our addresses with one of our ports or none.
    ///
    /// A client on this very machine has our address, but another port.
    public func isOurs(host: ByteSlice, port: UInt16?) -> Bool {
        switch Host(host) {
        case .address(let address):
            guard addresses.contains(address) else { return false }
            guard let port else { return true }
            return ports.isEmpty || ports.contains(port)
        case .name(let name):
            let name = Self.withoutDot(name)
            for ours in names where ours.withSlice({ $0.equalsIgnoringCase(name) }) { return true }
            return false
        case nil: return false
        }
    }

    /// True for a URI whose host is ours at any port: for what names the domain and not a device. A client may have been
    /// told another port than the one that we listen on (a forwarded one), and some phones write none or their own.
    public func isOursAtAnyPort(_ uri: SIPURI) -> Bool { isOurs(host: uri.host, port: nil) }

    /// True for a URI whose host and port are ours.
    public func isOurs(_ uri: SIPURI) -> Bool { isOurs(host: uri.host, port: uri.port) }

    private static func withoutDot(_ name: ByteSlice) -> ByteSlice {
        name.last == UInt8(ascii: ".") ? name.prefix(name.count - 1) : name
    }
}
