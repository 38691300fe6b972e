import Primitives

/// A few bytes without a heap allocation, and their base64url text (RFC 4648 section 5, no padding).
struct InlineBytes<let capacity: Int> {
    private var storage = InlineArray<capacity, UInt8>(repeating: 0)
    private(set) var count = 0

    init() {}

    /// Reads base64url text; nil when it is malformed or too long.
    init?(base64URL text: ByteSlice) {
        if text.count > (capacity * 4 + 2) / 3 { return nil }
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for index in 0..<text.count {
            guard let value = InlineBytes.value(of: text[index]) else { return nil }
            pending = (pending << 6 | UInt32(value)) & 0xfff
            bits += 6
            if bits >= 8 {
                bits -= 8
                if count == capacity { return nil }
                storage[count] = UInt8(truncatingIfNeeded: pending >> bits)
                count += 1
            }
        }
        // Digits left over that are no whole byte would be a second text for the same bytes.
        if bits >= 6 || pending & ((1 << bits) - 1) != 0 { return nil }
    }

    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return storage[index]
    }

    /// Appends the low `length` bytes of a number, the highest first.
    mutating func append(_ number: UInt64, length: Int) {
        precondition(count + length <= capacity)
        for index in 0..<length {
            storage[count + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * (length - 1 - index)))
        }
        count += length
    }

    /// The number in `length` bytes from `offset` on; nil when there are not as many.
    func number(at offset: Int, length: Int) -> UInt64? {
        if offset < 0 || offset + length > count { return nil }
        var number: UInt64 = 0
        for index in 0..<length { number = number << 8 | UInt64(storage[offset + index]) }
        return number
    }

    /// Forgets all bytes from `length` on.
    mutating func truncate(to length: Int) {
        precondition(length >= 0 && length <= count)
        count = length
    }

    /// Appends the bytes as base64url text.
    func writeBase64URL(to writer: inout ByteWriter) {
        let digits: ByteSlice = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for index in 0..<count {
            pending = pending << 8 | UInt32(storage[index])
            bits += 8
            while bits >= 6 {
                bits -= 6
                writer.append(byte: digits[Int(pending >> bits & 63)])
            }
            pending &= 0xff
        }
        if bits > 0 { writer.append(byte: digits[Int(pending << (6 - bits) & 63)]) }
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
