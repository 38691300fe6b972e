import Primitives

/// A hash that takes its input piece by piece and allocates nothing.
public protocol HashFunction: Sendable {
    /// The hash of no bytes yet.
    init()

    /// Adds bytes.
    mutating func update(_ slice: ByteSlice)

    /// Adds one byte, for example a separator.
    mutating func update(byte: UInt8)

    /// The value; nothing may be added afterwards.
    mutating func finalize() -> HashDigest
}

extension HashFunction {
    /// Adds the hexadecimal digits of another hash, as the formulas of RFC 7616 section 3.4.1 do.
    public mutating func update(hexadecimal digest: HashDigest) {
        digest.hexadecimal.withSlice { update($0) }
    }
}
