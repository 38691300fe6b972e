import Primitives

/// A STUN Binding Request (RFC 5389), as phones send it to the SIP port to keep their NAT open (RFC 5626 section 4.4.2), and
/// its answer. No authentication, as none is asked for there; never a state.
public struct STUNMessage: Sendable {
    /// The transaction identifier, 12 bytes.
    public let transaction: ByteSlice
    /// True when the request has a FINGERPRINT, so that the answer has one too.
    public let hasFingerprint: Bool
    /// The first attribute that must be understood and is not; 0 for none.
    public let unknownAttribute: UInt16

    /// The length of the header.
    public static let headerLength = 20
    static let magicCookie: UInt32 = 0x2112_a442

    /// True for a datagram that begins like a Binding Request. Its first byte is 0, which no SIP message has.
    public static func isLikely(_ bytes: ByteSlice) -> Bool {
        bytes.count >= headerLength && bytes.number(at: 0) == 0x0001 && bytes.longNumber(at: 4) == magicCookie
    }

    /// Reads a datagram; nil when it is no Binding Request.
    public init?(_ bytes: ByteSlice) {
        // The longest request that a phone has reason to send is far shorter.
        guard Self.isLikely(bytes), bytes.count <= 548, bytes.count % 4 == 0,
            Int(bytes.number(at: 2)) == bytes.count - Self.headerLength
        else { return nil }
        transaction = bytes[8..<Self.headerLength]
        var unknown: UInt16 = 0
        var hasFingerprint = false
        var offset = Self.headerLength
        while offset < bytes.count {
            guard bytes.count - offset >= 4 else { return nil }
            let type = bytes.number(at: offset)
            let length = Int(bytes.number(at: offset + 2))
            let next = offset + 4 + (length + 3) / 4 * 4
            guard next <= bytes.count else { return nil }
            if type == Attribute.fingerprint {
                // Section 15.5: the last attribute, and right.
                guard length == 4, next == bytes.count,
                    bytes.longNumber(at: offset + 4) == Self.fingerprint(of: bytes[0..<offset])
                else { return nil }
                hasFingerprint = true
            } else if type < 0x8000, !Attribute.isKnown(type), unknown == 0 {
                unknown = type
            }
            offset = next
        }
        self.hasFingerprint = hasFingerprint
        unknownAttribute = unknown
    }

    /// Writes the answer: the address that the request came from, or 420 for what is not understood. At most 24 bytes
    /// longer than the request.
    public func writeAnswer(to source: SocketAddress, into writer: inout ByteWriter) {
        let start = writer.count
        let isRefused = unknownAttribute != 0
        var length = isRefused ? 16 : source.address.isIPv4 ? 12 : 24
        if hasFingerprint { length += 8 }
        writer.append(number: isRefused ? 0x0111 : 0x0101)
        writer.append(number: UInt16(length))
        writer.append(longNumber: Self.magicCookie)
        writer.append(transaction)
        if isRefused {
            writer.append(number: Attribute.errorCode)
            writer.append(number: 4)
            writer.append(longNumber: 4 << 8 | 20)
            writer.append(number: Attribute.unknownAttributes)
            writer.append(number: 2)
            writer.append(number: unknownAttribute)
            writer.append(number: 0)
        } else {
            appendMappedAddress(source, &writer)
        }
        if hasFingerprint {
            let value = Self.fingerprint(of: writer.slice(from: start))
            writer.append(number: Attribute.fingerprint)
            writer.append(number: 4)
            writer.append(longNumber: value)
        }
    }

    /// XOR-MAPPED-ADDRESS (15.2).
    private func appendMappedAddress(_ source: SocketAddress, _ writer: inout ByteWriter) {
        let isIPv4 = source.address.isIPv4
        writer.append(number: Attribute.mappedAddress)
        writer.append(number: isIPv4 ? 8 : 20)
        writer.append(number: isIPv4 ? 1 : 2)
        writer.append(number: source.port ^ UInt16(Self.magicCookie >> 16))
        if isIPv4 {
            writer.append(longNumber: source.address.ipv4 ^ Self.magicCookie)
            return
        }
        writer.append(longNumber: UInt32(source.address.high >> 32) ^ Self.magicCookie)
        writer.append(longNumber: UInt32(truncatingIfNeeded: source.address.high) ^ transaction.longNumber(at: 0))
        writer.append(longNumber: UInt32(source.address.low >> 32) ^ transaction.longNumber(at: 4))
        writer.append(longNumber: UInt32(truncatingIfNeeded: source.address.low) ^ transaction.longNumber(at: 8))
    }

    private enum Attribute {
        static let errorCode: UInt16 = 0x0009
        static let unknownAttributes: UInt16 = 0x000a
        static let mappedAddress: UInt16 = 0x0020
        static let fingerprint: UInt16 = 0x8028

        /// What may be there and says nothing to us: USERNAME, MESSAGE-INTEGRITY, and PRIORITY and USE-CANDIDATE of ICE.
        static func isKnown(_ type: UInt16) -> Bool {
            type == 0x0006 || type == 0x0008 || type == 0x0024 || type == 0x0025
        }
    }

    /// FINGERPRINT of the bytes before it (15.5): CRC-32 of ISO 3309, and "STUN".
    static func fingerprint(of bytes: ByteSlice) -> UInt32 {
        var value: UInt32 = 0xffff_ffff
        for index in 0..<bytes.count {
            value ^= UInt32(bytes[index])
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xedb8_8320 }
        }
        return ~value ^ 0x5354_554e
    }
}

extension ByteSlice {
    /// Two bytes at an offset that was checked, the highest first.
    fileprivate func number(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    /// Four bytes at an offset that was checked, the highest first.
    fileprivate func longNumber(at offset: Int) -> UInt32 {
        UInt32(number(at: offset)) << 16 | UInt32(number(at: offset + 2))
    }
}

extension ByteWriter {
    fileprivate mutating func append(number: UInt16) {
        append(byte: UInt8(number >> 8))
        append(byte: UInt8(truncatingIfNeeded: number))
    }

    fileprivate mutating func append(longNumber number: UInt32) {
        append(number: UInt16(number >> 16))
        append(number: UInt16(truncatingIfNeeded: number))
    }
}
