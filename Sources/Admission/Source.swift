import Primitives

/// Who is counted together: an IPv4 address, or an IPv6 network of 64 bits, of which one host has any number of
/// addresses (RFC 4291 section 2.5.1).
public struct Source: Hashable, Sendable {
    /// 0 is nobody. IPv4 addresses have bit 32 set, which no IPv6 network in use has alone (0000::/8 is reserved).
    let number: UInt64

    /// Where nobody is.
    public static let none = Source(number: 0)

    private init(number: UInt64) { self.number = number }

    /// The source that an address belongs to.
    @inline(__always)
    public init(_ address: IPAddress) {
        number = address.isIPv4 ? 1 << 32 | UInt64(address.ipv4) : max(2, address.high)
    }

    /// A number for keyed hashes.
    public var keyed: UInt64 { number }

    /// The address, or the first one of the network.
    public var address: IPAddress {
        if number >> 32 == 1 { return IPAddress(ipv4: UInt32(truncatingIfNeeded: number)) }
        return IPAddress(high: number == 2 ? 0 : number, low: 0)
    }
}

extension Source: CustomStringConvertible {
    /// `203.0.113.7`, `2001:db8:1:2::/64`.
    public var description: String { address.isIPv4 ? address.description : "\(address.description)/64" }
}
