/// A secret of 128 bits for `SipHash`.
@frozen
public struct HashKey: Sendable {
    /// The first half.
    public var first: UInt64
    /// The second half.
    public var second: UInt64

    /// The key with these halves.
    @inlinable
    public init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }
}

/// A keyed hash value of 128 bits. Two different inputs are taken to have different values.
@frozen
public struct HashValue: Hashable, Sendable {
    /// The first half.
    public var first: UInt64
    /// The second half.
    public var second: UInt64

    /// The value with these halves.
    @inlinable
    public init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    /// The value is already uniformly spread: one half is enough for a table.
    @inlinable
    public func hash(into hasher: inout Hasher) { hasher.combine(first) }
}

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein): a keyed hash for tables that strangers can fill, and a
/// message authentication code for nonces, branches and route tokens that only we read.
@frozen
public struct SipHash {
    @usableFromInline var v0: UInt64
    @usableFromInline var v1: UInt64
    @usableFromInline var v2: UInt64
    @usableFromInline var v3: UInt64
    @usableFromInline var pending: UInt64 = 0
    @usableFromInline var length: UInt64 = 0

    /// A hash in its initial state.
    @inlinable
    public init(key: HashKey) {
        v0 = key.first ^ 0x736f_6d65_7073_6575
        v1 = key.second ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key.first ^ 0x6c79_6765_6e65_7261
        v3 = key.second ^ 0x7465_6462_7974_6573
    }

    /// Adds bytes.
    @inlinable
    public mutating func update(_ slice: ByteSlice) {
        var index = 0
        while index &+ 8 <= slice.count {
            update(slice.word(at: index).littleEndian)
            index &+= 8
        }
        while index < slice.count {
            update(byte: slice.base[index])
            index &+= 1
        }
    }

    /// Adds bytes with ASCII letters in lower case, for names that are compared without case.
    @inlinable
    public mutating func update(ignoringCase slice: ByteSlice) {
        var index = 0
        while index &+ 8 <= slice.count {
            let word = slice.word(at: index).littleEndian
            // Bit 7 of each byte of `letters`: the byte is ASCII, at least "A" and not above "Z".
            let low = word & 0x7f7f_7f7f_7f7f_7f7f
            let fromA = low &+ 0x3f3f_3f3f_3f3f_3f3f
            let aboveZ = low &+ 0x2525_2525_2525_2525
            let letters = fromA & ~aboveZ & ~word & 0x8080_8080_8080_8080
            update(word | letters >> 2)
            index &+= 8
        }
        while index < slice.count {
            update(byte: ASCII.lowercase(slice.base[index]))
            index &+= 1
        }
    }

    /// Adds one byte, for example a separator.
    @inlinable
    public mutating func update(byte: UInt8) {
        pending |= UInt64(byte) << (8 &* (length & 7))
        length &+= 1
        if length & 7 == 0 {
            compress(pending)
            pending = 0
        }
    }

    /// Adds a number as eight bytes.
    @inlinable
    public mutating func update(_ number: UInt64) {
        let filled = 8 &* (length & 7)
        compress(pending | number << filled)
        // A shift by 64, when nothing is pending, gives 0.
        pending = number >> (64 - filled)
        length &+= 8
    }

    /// The value of all that was added.
    @inlinable
    public consuming func finalize() -> HashValue {
        compress(pending | (length & 255) << 56)
        v2 ^= 0xee
        round()
        round()
        round()
        round()
        let first = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        round()
        round()
        round()
        round()
        return HashValue(first, v0 ^ v1 ^ v2 ^ v3)
    }

    @inlinable
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inlinable
    mutating func round() {
        v0 = v0 &+ v1
        v1 = v1 << 13 | v1 >> 51
        v1 ^= v0
        v0 = v0 << 32 | v0 >> 32
        v2 = v2 &+ v3
        v3 = v3 << 16 | v3 >> 48
        v3 ^= v2
        v0 = v0 &+ v3
        v3 = v3 << 21 | v3 >> 43
        v3 ^= v0
        v2 = v2 &+ v1
        v1 = v1 << 17 | v1 >> 47
        v1 ^= v2
        v2 = v2 << 32 | v2 >> 32
    }
}
