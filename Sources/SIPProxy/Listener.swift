import Primitives

/// One address that the server is reached at, as the proxy needs to know it: what it writes about itself.
public struct Listener: Sendable {
    /// The transport.
    public let transport: TransportProtocol
    /// The address it is bound to.
    public let address: SocketAddress
    /// The host that peers are told, IPv6 in brackets: the advertised one, else the bound address.
    public let host: [UInt8]
    /// The port that peers are told.
    public let port: UInt16
    /// `Via: SIP/2.0/UDP host:port;rport;branch=z9hG4bK`: the start of our Via line.
    let viaStart: [UInt8]
    /// `@host:port;lr>`: the end of our Record-Route value, behind the route token.
    let routeEnd: [UInt8]
    /// Our URI as the end of a call of an application, `sip:rollcall-call@host:port`.
    let contact: [UInt8]

    /// A listener bound to `address`.
    ///
    /// - Parameters:
    ///   - advertisedHost: The host to write instead of the address; empty for none.
    ///   - advertisedPort: The port to write instead of the bound one.
    public init(
        transport: TransportProtocol, address: SocketAddress, advertisedHost: [UInt8] = [],
        advertisedPort: UInt16? = nil
    ) {
        self.transport = transport
        self.address = address
        port = advertisedPort ?? address.port
        var writer = ByteWriter(capacity: 128)
        if advertisedHost.isEmpty {
            writer.append(address.address)
        } else {
            writer.append(advertisedHost)
        }
        host = writer.slice.bytes
        writer.removeAll()
        writer.append("Via: SIP/2.0/")
        writer.append(transport.viaName)
        writer.append(byte: ASCII.space)
        writer.append(host)
        writer.append(byte: UInt8(ascii: ":"))
        writer.append(decimal: UInt64(port))
        writer.append(";rport;branch=z9hG4bK")
        viaStart = writer.slice.bytes
        writer.removeAll()
        writer.append(byte: UInt8(ascii: "@"))
        writer.append(host)
        writer.append(byte: UInt8(ascii: ":"))
        writer.append(decimal: UInt64(port))
        writer.append(transport == .tcp ? ";transport=tcp;lr>" : ";lr>")
        routeEnd = writer.slice.bytes
        writer.removeAll()
        writer.append("sip:")
        writer.append(Listener.contactUser)
        writer.append(byte: UInt8(ascii: "@"))
        writer.append(host)
        writer.append(byte: UInt8(ascii: ":"))
        writer.append(decimal: UInt64(port))
        if transport == .tcp { writer.append(";transport=tcp") }
        contact = writer.slice.bytes
    }

    /// The user of `contact`.
    static let contactUser: ByteSlice = "rollcall-call"
}
