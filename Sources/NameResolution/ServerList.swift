import Primitives

/// The servers of a resolv.conf(5) file.
///
/// Of the options none is obeyed: the time of a try and their number are `dns.timeout` and `dns.attempts`. Names are
/// taken as they are, without `search` and `ndots`: a URI has the whole name.
public enum ServerList {
    /// The port of DNS.
    public static let port: UInt16 = 53
    /// Servers that are used, as many as the system's resolver takes.
    public static let limit = 3

    /// The `nameserver` lines of a file, at most three; this machine when there is none, as resolv.conf(5) says.
    public static func servers(file: ByteSlice) -> [SocketAddress] {
        var servers: [SocketAddress] = []
        var start = 0
        while start < file.count, servers.count < limit {
            let end = file.firstIndex(of: ASCII.lineFeed, from: start) ?? file.count
            let words = file[start..<end].words(commentAt: [UInt8(ascii: "#"), UInt8(ascii: ";")])
            start = end + 1
            guard words.count >= 2, words[0] == "nameserver" else { continue }
            // A scope (fe80::1%eth0) cannot be kept in an address: such a server is left out.
            guard let address = IPAddress(words[1]) else { continue }
            let server = SocketAddress(address: address, port: port)
            if !servers.contains(server) { servers.append(server) }
        }
        return servers.isEmpty ? [SocketAddress(address: IPAddress(ipv4: 0x7f00_0001), port: port)] : servers
    }
}
