/// An IPv4 or IPv6 address as 128 bits; IPv4 is kept in its mapped form (::ffff:a.b.c.d).
@frozen
public struct IPAddress: Hashable, Sendable {
    /// The first eight bytes, as a big-endian number.
    public var high: UInt64
    /// The last eight bytes, as a big-endian number.
    public var low: UInt64

    /// The address with these halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The IPv4 address with this value (127.0.0.1 is 0x7f000001).
    @inlinable
    public init(ipv4 value: UInt32) { self.init(high: 0, low: 0xffff_0000_0000 | UInt64(value)) }

    /// True for an IPv4 address.
    @inlinable public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }
    /// The IPv4 value; meaningful only when `isIPv4`.
    @inlinable public var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }
    /// 0.0.0.0 or ::.
    @inlinable public var isUnspecified: Bool { high == 0 && (low == 0 || low == 0xffff_0000_0000) }
    /// 127.0.0.0/8 or ::1.
    @inlinable public var isLoopback: Bool { isIPv4 ? ipv4 >> 24 == 127 : high == 0 && low == 1 }
    /// True for an address of a private network (RFC 1918, RFC 6598, RFC 4193), which others cannot reach.
    public var isPrivate: Bool {
        if !isIPv4 { return high >> 57 == 0xfc >> 1 }
        return ipv4 >> 24 == 10 || ipv4 >> 20 == 0xac1 || ipv4 >> 16 == 0xc0a8 || ipv4 >> 22 == 0x6440_0000 >> 22
    }

    /// Reads `a.b.c.d`, an IPv6 address, or an IPv6 address in square brackets; nil for anything else.
    public init?(_ text: ByteSlice) {
        var text = text
        if text.first == UInt8(ascii: "[") {
            guard text.last == UInt8(ascii: "]"), text.count > 2 else { return nil }
            text = text[1..<text.count - 1]
            guard text.firstIndex(of: UInt8(ascii: ":")) != nil else { return nil }
        }
        if text.firstIndex(of: UInt8(ascii: ":")) != nil {
            guard let address = IPAddress.ipv6(text) else { return nil }
            self = address
        } else {
            guard let value = IPAddress.ipv4(text) else { return nil }
            self.init(ipv4: value)
        }
    }

    private static func ipv4(_ text: ByteSlice) -> UInt32? {
        if text.count < 7 || text.count > 15 { return nil }
        var value: UInt32 = 0
        var parts = 0
        var start = 0
        while true {
            let end = text.firstIndex(of: UInt8(ascii: "."), from: start) ?? text.count
            if end - start > 3 { return nil }
            guard let part = text[start..<end].decimal(limit: 255) else { return nil }
            value = value << 8 | UInt32(part)
            parts += 1
            if end == text.count { break }
            if parts == 4 { return nil }
            start = end + 1
        }
        return parts == 4 ? value : nil
    }

    private static func ipv6(_ text: ByteSlice) -> IPAddress? {
        if text.count < 2 || text.count > 45 { return nil }
        let colon = UInt8(ascii: ":")
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var filled = 0
        var gap: Int?
        var start = 0
        if text[0] == colon {
            guard text[1] == colon else { return nil }
            gap = 0
            start = 2
        }
        while start < text.count {
            let end = text.firstIndex(of: colon, from: start) ?? text.count
            let part = text[start..<end]
            if end == text.count, part.firstIndex(of: UInt8(ascii: ".")) != nil {
                guard filled <= 6, let value = ipv4(part) else { return nil }
                groups[filled] = UInt16(truncatingIfNeeded: value >> 16)
                groups[filled + 1] = UInt16(truncatingIfNeeded: value)
                filled += 2
                break
            }
            guard filled < 8, part.count <= 4, let value = part.hexadecimal() else { return nil }
            groups[filled] = UInt16(truncatingIfNeeded: value)
            filled += 1
            if end == text.count { break }
            start = end + 1
            if start == text.count { return nil }
            if text[start] == colon {
                if gap != nil { return nil }
                gap = filled
                start += 1
            }
        }
        if let gap {
            guard filled < 8 else { return nil }
            let moved = filled - gap
            for index in 0..<moved {
                groups[7 - index] = groups[filled - 1 - index]
                groups[filled - 1 - index] = 0
            }
        } else if filled != 8 {
            return nil
        }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<4 {
            high = high << 16 | UInt64(groups[index])
            low = low << 16 | UInt64(groups[index + 4])
        }
        return IPAddress(high: high, low: low)
    }
}

/// An IP address and a port.
@frozen
public struct SocketAddress: Hashable, Sendable {
    /// The address.
    public var address: IPAddress
    /// The port, 0 when unknown.
    public var port: UInt16

    /// The address and port together.
    @inlinable
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension ByteWriter {
    /// Appends an address as text; IPv6 in the form of RFC 5952, in square brackets when `bracketed` (as in URIs and Via).
    public mutating func append(_ address: IPAddress, bracketed: Bool = true) {
        if address.isIPv4 {
            for index in UInt32(0)..<4 {
                if index > 0 { append(byte: UInt8(ascii: ".")) }
                append(decimal: UInt64(address.ipv4 >> (24 - 8 * index) & 255))
            }
            return
        }
        var groups = InlineArray<8, UInt16>(repeating: 0)
        for index in 0..<4 {
            groups[index] = UInt16(truncatingIfNeeded: address.high >> UInt64(48 - 16 * index))
            groups[index + 4] = UInt16(truncatingIfNeeded: address.low >> UInt64(48 - 16 * index))
        }
        var gapStart = -1
        var gapLength = 1
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index > gapLength {
                gapStart = index
                gapLength = end - index
            }
            index = max(end, index + 1)
        }
        if bracketed { append(byte: UInt8(ascii: "[")) }
        index = 0
        while index < 8 {
            if index == gapStart {
                append("::")
                index += gapLength
                continue
            }
            if index > 0, index != gapStart + gapLength || gapStart < 0 { append(byte: UInt8(ascii: ":")) }
            let group = UInt64(groups[index])
            append(hexadecimal: group, digits: group > 0xfff ? 4 : group > 0xff ? 3 : group > 0xf ? 2 : 1)
            index += 1
        }
        if bracketed { append(byte: UInt8(ascii: "]")) }
    }

    /// Appends `address:port`.
    public mutating func append(_ address: SocketAddress) {
        append(address.address)
        append(byte: UInt8(ascii: ":"))
        append(decimal: UInt64(address.port))
    }
}

extension IPAddress: CustomStringConvertible {
    /// The address as text, without brackets.
    public var description: String {
        var writer = ByteWriter(capacity: 64)
        writer.append(self, bracketed: false)
        return writer.slice.string
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The address and port as text.
    public var description: String {
        var writer = ByteWriter(capacity: 64)
        writer.append(self)
        return writer.slice.string
    }
}
