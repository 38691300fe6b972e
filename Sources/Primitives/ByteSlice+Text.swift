/// Reading text: search, trimming, numbers, comparison without case (ASCII only, as in SIP and HTTP grammars).
extension ByteSlice {
    /// The index of the first `byte` at or after `start`.
    @inlinable
    public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var index = max(0, start)
        let pattern = 0x0101_0101_0101_0101 &* UInt64(byte)
        while index &+ 8 <= count {
            let difference = word(at: index) ^ pattern
            let zero = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zero != 0 { return index &+ zero.littleEndian.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count {
            if base[index] == byte { return index }
            index &+= 1
        }
        return nil
    }

    /// The index of the first byte at or after `start` that is `byte` or `other`.
    @inlinable
    public func firstIndex(of byte: UInt8, or other: UInt8, from start: Int = 0) -> Int? {
        var index = max(0, start)
        let pattern = 0x0101_0101_0101_0101 &* UInt64(byte)
        let otherPattern = 0x0101_0101_0101_0101 &* UInt64(other)
        while index &+ 8 <= count {
            let word = word(at: index)
            let left = word ^ pattern
            let right = word ^ otherPattern
            let zero =
                ((left &- 0x0101_0101_0101_0101) & ~left | (right &- 0x0101_0101_0101_0101) & ~right)
                & 0x8080_8080_8080_8080
            if zero != 0 { return index &+ zero.littleEndian.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count {
            if base[index] == byte || base[index] == other { return index }
            index &+= 1
        }
        return nil
    }

    /// The index of the last `byte`.
    @inlinable
    public func lastIndex(of byte: UInt8) -> Int? {
        var index = count
        while index > 0 {
            index &-= 1
            if base[index] == byte { return index }
        }
        return nil
    }

    /// True when the slice starts with these bytes.
    @inlinable
    public func starts(with other: ByteSlice) -> Bool { count >= other.count && prefix(other.count) == other }

    /// True when the slice starts with this text, ASCII letters compared without case.
    @inlinable
    public func starts(withIgnoringCase other: ByteSlice) -> Bool {
        count >= other.count && prefix(other.count).equalsIgnoringCase(other)
    }

    /// Equality with ASCII letters compared without case.
    @inlinable
    public func equalsIgnoringCase(_ other: ByteSlice) -> Bool {
        if count != other.count { return false }
        var index = 0
        while index < count {
            if ASCII.lowercase(base[index]) != ASCII.lowercase(other.base[index]) { return false }
            index &+= 1
        }
        return true
    }

    /// True when `text` occurs somewhere, without case.
    public func containsIgnoringCase(_ text: ByteSlice) -> Bool {
        if text.isEmpty { return true }
        var start = 0
        while start + text.count <= count {
            if self[start..<start + text.count].equalsIgnoringCase(text) { return true }
            start += 1
        }
        return false
    }

    /// Without linear white space (SP, HT, CR, LF: a folded line is white space) at both ends.
    @inlinable
    public func trimmed() -> ByteSlice {
        var start = 0
        var end = count
        while start < end, ASCII.isLinearWhiteSpace(base[start]) { start &+= 1 }
        while end > start, ASCII.isLinearWhiteSpace(base[end &- 1]) { end &-= 1 }
        return ByteSlice(base: base + start, count: end - start)
    }

    /// The index of the first byte at or after `start` that is not linear white space; `count` when there is none.
    @inlinable
    public func skippingWhiteSpace(from start: Int) -> Int {
        var index = start
        while index < count, ASCII.isLinearWhiteSpace(base[index]) { index &+= 1 }
        return index
    }

    /// A decimal number made of digits only, at most `limit`; nil for anything else, for overflow and for empty text.
    ///
    /// The one way by which numbers enter from the wire.
    @inlinable
    public func decimal(limit: UInt64 = UInt64.max) -> UInt64? {
        if count == 0 { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            let digit = base[index] &- UInt8(ascii: "0")
            if digit > 9 { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry || sum > limit { return nil }
            value = sum
        }
        return value
    }

    /// A hexadecimal number of at most 16 digits of either case; nil for anything else.
    @inlinable
    public func hexadecimal() -> UInt64? {
        if count == 0 || count > 16 { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            guard let digit = ASCII.hexadecimalValue(base[index]) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// True when every byte satisfies `condition`.
    @inlinable
    public func allSatisfy(_ condition: (UInt8) -> Bool) -> Bool {
        for index in 0..<count where !condition(base[index]) { return false }
        return true
    }
}
