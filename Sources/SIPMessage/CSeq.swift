import Primitives

/// The value of CSeq (RFC 3261 20.16).
@frozen
public struct CSeq: Sendable {
    /// The sequence number, below 2^31 (8.1.1.5).
    public var number: UInt32
    /// The method's text.
    public var method: ByteSlice

    /// Reads the value; nil when it is malformed or the number is out of range.
    public init?(_ value: ByteSlice) {
        var end = 0
        while end < value.count, ASCII.isDigit(value[end]) { end += 1 }
        let methodStart = value.skippingWhiteSpace(from: end)
        guard methodStart > end, let number = value[0..<end].decimal(limit: 0x7fff_ffff) else { return nil }
        method = value.from(methodStart)
        self.number = UInt32(number)
        guard !method.isEmpty, method.allSatisfy(ASCII.isToken) else { return nil }
    }
}
