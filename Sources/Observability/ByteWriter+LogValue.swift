import Primitives

extension ByteWriter {
    /// Appends a foreign text so that it stays within its field: bare when it is one plain word, else in quotes.
    ///
    /// In quotes, `"` and `\` get a backslash, control characters (also those that only terminals or right-to-left
    /// text obey) become `\n` or `\u001b`, and each byte that is no UTF-8 becomes U+FFFD: valid JSON as well. A text
    /// longer than `limit` bytes is cut at a character and marked with `...`.
    mutating func append(logValue value: ByteSlice, alwaysQuoted: Bool, limit: Int) {
        if value.count <= limit, LogCharacter.isPlainWord(value) {
            if alwaysQuoted { append(byte: UInt8(ascii: "\"")) }
            append(value)
            if alwaysQuoted { append(byte: UInt8(ascii: "\"")) }
            return
        }
        append(byte: UInt8(ascii: "\""))
        var index = 0
        while index < value.count {
            let length = LogCharacter.length(in: value, at: index)
            if index + max(1, length) > limit {
                append("...")
                break
            }
            append(logCharacter: value[index..<index + max(1, length)], isValid: length > 0)
            index += max(1, length)
        }
        append(byte: UInt8(ascii: "\""))
    }

    private mutating func append(logCharacter character: ByteSlice, isValid: Bool) {
        guard isValid else {
            append("\u{FFFD}")
            return
        }
        let first = character[0]
        if character.count == 1 {
            switch first {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case ASCII.lineFeed: append("\\n")
            case ASCII.carriageReturn: append("\\r")
            case ASCII.tab: append("\\t")
            case 0..<0x20, 0x7f: append(unicodeEscape: UInt64(first))
            default: append(byte: first)
            }
            return
        }
        let scalar = LogCharacter.scalar(character)
        if LogCharacter.isInvisibleControl(scalar) {
            append(unicodeEscape: UInt64(scalar))
        } else {
            append(character)
        }
    }

    private mutating func append(unicodeEscape scalar: UInt64) {
        append("\\u")
        append(hexadecimal: scalar, digits: 4)
    }
}

/// What the characters of a log value are.
enum LogCharacter {
    /// True for a non-empty text of visible ASCII without quote, backslash and equals sign.
    static func isPlainWord(_ value: ByteSlice) -> Bool {
        if value.isEmpty { return false }
        for index in 0..<value.count {
            let byte = value[index]
            if byte &- 0x21 > 0x7e - 0x21 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                || byte == UInt8(ascii: "=")
            {
                return false
            }
        }
        return true
    }

    /// Bytes of the UTF-8 character at `index`; 0 when there is none (RFC 3629: no overlong form, no surrogate).
    static func length(in text: ByteSlice, at index: Int) -> Int {
        let first = text[index]
        if first < 0x80 { return 1 }
        let length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
        if length == 0 || index + length > text.count { return 0 }
        for offset in 1..<length where text[index + offset] & 0xc0 != 0x80 { return 0 }
        let second = text[index + 1]
        switch first {
        case 0xe0: return second < 0xa0 ? 0 : length
        case 0xed: return second > 0x9f ? 0 : length
        case 0xf0: return second < 0x90 ? 0 : length
        case 0xf4: return second > 0x8f ? 0 : length
        default: return length
        }
    }

    /// The scalar of a valid character.
    static func scalar(_ character: ByteSlice) -> UInt32 {
        let first = UInt32(character[0])
        var value = character.count == 2 ? first & 0x1f : character.count == 3 ? first & 0x0f : first & 0x07
        for index in 1..<character.count { value = value << 6 | UInt32(character[index] & 0x3f) }
        return value
    }

    /// True for C1 controls, line separators, zero-width and direction marks: what can forge or hide text on a screen.
    static func isInvisibleControl(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x80...0x9f, 0xad, 0x61c, 0x180e, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
        default: false
        }
    }
}
