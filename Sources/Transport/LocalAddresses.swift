import Glibc
import Primitives

/// The addresses of this machine.
public enum LocalAddresses {
    /// The addresses that `address` stands for: itself, or for 0.0.0.0 and :: those of all interfaces of its family that are
    /// up, without link-local ones. Each listener then knows the address that its Via and Contact must show.
    public static func expand(_ address: IPAddress) throws(SystemError) -> [IPAddress] {
        if !address.isUnspecified { return [address] }
        var list: UnsafeMutablePointer<ifaddrs>?
        try System.check(getifaddrs(&list), "getifaddrs")
        defer { freeifaddrs(list) }
        var result: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard entry.ifa_flags & UInt32(IFF_UP) != 0, let pointer = entry.ifa_addr,
                let found = SocketAddress(system: UnsafeRawPointer(pointer))?.address,
                found.isIPv4 == address.isIPv4, !isLinkLocal(found), !result.contains(found)
            else { continue }
            result.append(found)
        }
        return result
    }

    /// The address by which this machine reaches the world, as its routing table says; loopback when it has no route.
    ///
    /// Connecting a datagram socket sends nothing; it only makes the kernel choose. The destinations are the
    /// documentation networks of RFC 5737 and RFC 3849.
    public static func primary() -> IPAddress {
        let destinations: [IPAddress] = [
            IPAddress(ipv4: 0xc000_0201), IPAddress(high: 0x2001_0db8_0000_0000, low: 1),
        ]
        for destination in destinations {
            let remote = SocketAddress(address: destination, port: 9)
            guard let socket = try? System.socket(.udp, family: remote.family),
                (try? System.connect(socket.number, remote)) != nil,
                let local = try? System.localAddress(socket.number)
            else { continue }
            return local.address
        }
        return IPAddress(ipv4: 0x7f00_0001)
    }

    /// 169.254.0.0/16 and fe80::/10: they mean nothing outside of one link, and IPv6 would need the interface with it.
    static func isLinkLocal(_ address: IPAddress) -> Bool {
        address.isIPv4 ? address.ipv4 >> 16 == 0xa9fe : address.high >> 54 == 0x3fa
    }
}
