import Primitives

/// The value of a hash as 32 or 64 lower-case hexadecimal digits, in memory of its own.
public struct HexadecimalDigest: Sendable {
    private var words = InlineArray<8, UInt64>(repeating: 0)
    /// Number of digits: 32 for MD5, 64 for the others.
    public let count: Int

    init(count: Int) { self.count = count }

    /// Calls `body` with the digits, valid for the call.
    @inline(__always)
    public func withSlice<Result>(_ body: (ByteSlice) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: words) { try body(ByteSlice($0).prefix(count)) }
    }

    /// Compares with digits of either case, in a time that depends on the length only.
    public func matches(_ text: ByteSlice) -> Bool {
        guard text.count == count else { return false }
        return withSlice { digits in
            var difference: UInt8 = 0
            for index in 0..<digits.count { difference |= digits[index] ^ ASCII.lowercase(text[index]) }
            return difference == 0
        }
    }

    /// Sets the eight digits at `8 * index` to those of `value`.
    @inline(__always)
    mutating func store(_ value: UInt32, at index: Int) {
        // All eight nibbles at once: spread to a byte each, then made letters where they are above nine.
        var nibbles = UInt64(value)
        nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f
        let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        words[index] = (nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39).bigEndian
    }
}

extension ByteWriter {
    /// Appends the digits.
    public mutating func append(_ digest: HexadecimalDigest) { digest.withSlice { append($0) } }
}
