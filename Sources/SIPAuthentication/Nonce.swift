import Primitives

/// A nonce with its signature: 48 bits of time, 32 of counter, 112 of message authentication code.
///
/// Its text form is 32 letters of base64url without padding: it needs no escape, and in the usual MD5 response it leaves
/// room for two blocks where hexadecimal needs three.
public struct Nonce: Sendable {
    /// Length of the text form.
    public static let textLength = 32

    /// Which nonce it is.
    public let identifier: NonceIdentifier
    private let code: HashValue

    /// A nonce signed with the first 112 bits of `code`.
    init(identifier: NonceIdentifier, code: HashValue) {
        self.identifier = identifier
        self.code = HashValue(code.first, code.second & 0xffff_ffff_ffff_0000)
    }

    /// Reads the text form, without checking the signature; nil for any other text.
    init?(_ text: ByteSlice) {
        guard text.count == Self.textLength,
            let time = Self.quarter(text, 0), let second = Self.quarter(text, 8),
            let third = Self.quarter(text, 16), let last = Self.quarter(text, 24)
        else { return nil }
        identifier = NonceIdentifier(
            time: UnixTime(milliseconds: Int64(time)), counter: UInt32(truncatingIfNeeded: second >> 16))
        code = HashValue(second << 48 | third, last << 16)
    }

    /// True when both were signed the same; takes the same time for any two.
    func hasSignature(of other: Nonce) -> Bool {
        (code.first ^ other.code.first) | (code.second ^ other.code.second) == 0
    }

    /// The text form as four numbers of 48 bits.
    fileprivate var quarters: InlineArray<4, UInt64> {
        [
            identifier.milliseconds, UInt64(identifier.counter) << 16 | code.first >> 48,
            code.first & 0xffff_ffff_ffff, code.second >> 16,
        ]
    }

    /// The 48 bits in the eight letters at `start`.
    private static func quarter(_ text: ByteSlice, _ start: Int) -> UInt64? {
        var value: UInt64 = 0
        for index in start..<start + 8 {
            let sextet: UInt8
            switch text[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): sextet = text[index] - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): sextet = text[index] - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): sextet = text[index] - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): sextet = 62
            case UInt8(ascii: "_"): sextet = 63
            default: return nil
            }
            value = value << 6 | UInt64(sextet)
        }
        return value
    }

    fileprivate static let alphabet: ByteSlice = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
}

extension ByteWriter {
    /// Appends the text form of a nonce, `Nonce.textLength` bytes.
    public mutating func append(_ nonce: Nonce) {
        reserve(Nonce.textLength)
        let alphabet = Nonce.alphabet
        let quarters = nonce.quarters
        for index in quarters.indices {
            for position in 0..<8 {
                append(byte: alphabet[Int(quarters[index] >> UInt64(42 - 6 * position) & 63)])
            }
        }
    }
}
