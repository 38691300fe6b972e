/// An address with the number of its leading bits that count, such as `10.0.0.0/8`; a lone address is a network of one.
public struct IPNetwork: Hashable, Sendable {
    /// The address; bits beyond the prefix are zero.
    public let address: IPAddress
    /// The leading bits that count, of 128: an IPv4 network has 96 more than its text says.
    public let prefixLength: Int

    /// The network of `address` with this many of 128 leading bits; nil when there are not so many.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard (0...128).contains(prefixLength) else { return nil }
        self.prefixLength = prefixLength
        self.address = Self.masked(address, prefixLength)
    }

    /// The network of one address.
    public init(_ address: IPAddress) {
        self.address = address
        prefixLength = 128
    }

    /// Reads `10.0.0.0/8`, `fd00::/8`, or an address alone; nil for anything else.
    public init?(_ text: ByteSlice) {
        guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else {
            guard let address = IPAddress(text) else { return nil }
            self.init(address)
            return
        }
        guard let address = IPAddress(text.prefix(slash)),
            let length = text.from(slash + 1).decimal(limit: address.isIPv4 ? 32 : 128)
        else { return nil }
        self.init(address, prefixLength: Int(length) + (address.isIPv4 ? 96 : 0))
    }

    /// True when `address` belongs to the network.
    public func contains(_ address: IPAddress) -> Bool { Self.masked(address, prefixLength) == self.address }

    private static func masked(_ address: IPAddress, _ length: Int) -> IPAddress {
        // Swift's shifts by 64 and more give 0, which is what is wanted here.
        IPAddress(
            high: length >= 64 ? address.high : address.high & ~(UInt64.max >> UInt64(length)),
            low: length <= 64 ? 0 : address.low & ~(UInt64.max >> UInt64(length - 64)))
    }
}
