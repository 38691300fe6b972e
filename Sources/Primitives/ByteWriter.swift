/// A growing buffer that messages and log lines are written into; reused, so that the packet path does not allocate.
///
/// A slice taken from a writer is valid until the next append or removal.
public struct ByteWriter: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    /// Bytes written so far.
    public private(set) var count: Int

    /// An empty writer with room for `capacity` bytes before it grows.
    public init(capacity: Int) {
        self.capacity = max(64, capacity)
        base = .allocate(capacity: self.capacity)
        count = 0
    }

    deinit { base.deallocate() }

    /// Appends a copy of `slice`, which must not be a part of this writer.
    @inlinable
    public mutating func append(_ slice: ByteSlice) {
        reserve(slice.count)
        (base + count).update(from: slice.base, count: slice.count)
        advance(by: slice.count)
    }

    /// Appends the bytes of an array.
    public mutating func append(_ bytes: [UInt8]) { bytes.withSlice { append($0) } }

    /// Appends the UTF-8 of a text.
    public mutating func append(_ text: String) { text.withSlice { append($0) } }

    /// Appends one byte.
    @inlinable
    public mutating func append(byte: UInt8) {
        reserve(1)
        base[count] = byte
        advance(by: 1)
    }

    /// Appends a number in decimal digits.
    public mutating func append(decimal number: UInt64) {
        reserve(20)
        var digits = 1
        var rest = number
        while rest >= 10 {
            digits &+= 1
            rest /= 10
        }
        var position = count &+ digits
        rest = number
        repeat {
            position &-= 1
            base[position] = UInt8(truncatingIfNeeded: rest % 10) | 0x30
            rest /= 10
        } while position > count
        advance(by: digits)
    }

    /// Appends a number in lower-case hexadecimal, `digits` wide (1 to 16), leading zeros included.
    public mutating func append(hexadecimal number: UInt64, digits: Int) {
        precondition(digits > 0 && digits <= 16)
        reserve(16)
        // All 16 places are written, which is quicker than to count; those behind the last digit are free again.
        let aligned = number << UInt64(4 * (16 - digits))
        let end = UnsafeMutableRawPointer(base + count)
        end.storeBytes(of: ByteWriter.hexadecimalDigits(aligned >> 32).bigEndian, as: UInt64.self)
        end.storeBytes(
            of: ByteWriter.hexadecimalDigits(aligned & 0xffff_ffff).bigEndian, toByteOffset: 8, as: UInt64.self)
        advance(by: digits)
    }

    /// The eight digits of 32 bits, the first in the highest byte.
    private static func hexadecimalDigits(_ number: UInt64) -> UInt64 {
        // A byte for each half byte.
        var digits = (number & 0xffff_0000) << 16 | number & 0xffff
        digits = (digits & 0xff00_0000_ff00) << 8 | digits & 0xff_0000_00ff
        digits = (digits & 0xf0_00f0_00f0_00f0) << 4 | digits & 0xf_000f_000f_000f
        // 1 in each byte that is 10 or more: those are letters, 39 places behind the digits.
        let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return digits &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }

    /// Takes the bytes from `length` on out of use again, which must not be more than there are.
    public mutating func truncate(to length: Int) {
        precondition(length >= 0 && length <= count)
        count = length
    }

    /// Forgets all bytes, keeps the memory.
    @inlinable
    public mutating func removeAll() { truncate(to: 0) }

    /// The bytes of `range`, valid until the next change.
    public func slice(_ range: Range<Int>) -> ByteSlice {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return ByteSlice(base: UnsafePointer(base + range.lowerBound), count: range.count)
    }

    /// The bytes written from `start` on, valid until the next change.
    public func slice(from start: Int) -> ByteSlice { slice(start..<count) }

    /// All bytes, valid until the next change.
    public var slice: ByteSlice { slice(0..<count) }

    /// Makes room for `more` bytes.
    @inlinable
    public mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(by: more) }
    }

    @usableFromInline
    mutating func advance(by bytes: Int) { count &+= bytes }

    @usableFromInline
    mutating func grow(by more: Int) {
        let wanted = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
        capacity = wanted
    }
}
