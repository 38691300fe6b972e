import Primitives

/// The value of a hash: 16 or 32 bytes.
public struct HashDigest: Sendable {
    private var bytes: InlineArray<32, UInt8>
    /// Length in bytes: 16 for MD5, 32 for the others.
    public let count: Int

    /// Zeros, to be filled by `store`.
    init(count: Int) {
        bytes = InlineArray(repeating: 0)
        self.count = count
    }

    /// The byte at `index`, below `count`.
    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "byte index out of range")
        return bytes[index]
    }

    /// The value as lower-case hexadecimal digits.
    public var hexadecimal: HexadecimalDigest {
        var text = HexadecimalDigest(count: 2 * count)
        withUnsafeBytes(of: bytes) { buffer in
            for index in 0..<count / 4 {
                text.store(UInt32(bigEndian: buffer.load(fromByteOffset: 4 * index, as: UInt32.self)), at: index)
            }
        }
        return text
    }

    /// True when every byte is zero; takes the same time for any value.
    var isZero: Bool {
        var difference: UInt8 = 0
        for index in 0..<32 { difference |= bytes[index] }
        return difference == 0
    }

    /// Calls `body` with the bytes, valid for the call.
    public func withSlice<Result>(_ body: (ByteSlice) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: bytes) { try body(ByteSlice($0).prefix(count)) }
    }

    /// Writes a number in network order at a byte offset.
    @inline(__always)
    mutating func store<Word: FixedWidthInteger & BitwiseCopyable>(_ word: Word, at offset: Int) {
        withUnsafeMutableBytes(of: &bytes) { $0.storeBytes(of: word.bigEndian, toByteOffset: offset, as: Word.self) }
    }
}

extension HashDigest: Equatable {
    /// Equality of the bytes, in a time that does not depend on them.
    public static func == (left: HashDigest, right: HashDigest) -> Bool {
        var difference: UInt8 = left.count == right.count ? 0 : 1
        for index in 0..<32 { difference |= left.bytes[index] ^ right.bytes[index] }
        return difference == 0
    }
}
