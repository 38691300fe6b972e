/// Character classes of the SIP and HTTP grammars (RFC 3261 section 25.1).
public enum ASCII {
    /// Carriage return.
    public static let carriageReturn: UInt8 = 13
    /// Line feed.
    public static let lineFeed: UInt8 = 10
    /// Space.
    public static let space: UInt8 = 32
    /// Horizontal tab.
    public static let tab: UInt8 = 9

    /// `byte` in lower case, when it is an ASCII letter.
    @inlinable
    public static func lowercase(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    /// SP, HT, CR or LF: the bytes of LWS, folding included.
    @inlinable
    public static func isLinearWhiteSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 || byte == 10 }

    /// `0` to `9`.
    @inlinable
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// An ASCII letter.
    @inlinable
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    /// A byte of `token`.
    @inlinable
    public static func isToken(_ byte: UInt8) -> Bool { contains(byte, 0x03ff_6ca2_0000_0000, 0x47ff_ffff_87ff_fffe) }

    /// A byte of `unreserved` in URIs: letters, digits and `-_.!~*'()`.
    @inlinable
    public static func isUnreserved(_ byte: UInt8) -> Bool {
        contains(byte, 0x03ff_6782_0000_0000, 0x47ff_fffe_87ff_fffe)
    }

    /// The value of a hexadecimal digit.
    @inlinable
    public static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- UInt8(ascii: "0") }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }

    /// Lower-case hexadecimal digits.
    public static let hexadecimalDigits: ByteSlice = "0123456789abcdef"

    /// Membership of a set of ASCII characters, given as one bit a character.
    @inlinable
    static func contains(_ byte: UInt8, _ first: UInt64, _ second: UInt64) -> Bool {
        byte < 128 && (byte < 64 ? first : second) >> UInt64(byte & 63) & 1 != 0
    }
}
