import Primitives

extension ByteWriter {
    /// Appends the content of a quoted string without the backslashes that escape (RFC 3261 section 25.1, `quoted-pair`).
    public mutating func append(unescaping content: ByteSlice) {
        var index = 0
        while index < content.count {
            if content[index] == UInt8(ascii: "\\"), index + 1 < content.count { index += 1 }
            append(byte: content[index])
            index += 1
        }
    }

    /// Appends text as the content of a quoted string: `"` and `\` are escaped.
    public mutating func append(escaping text: ByteSlice) {
        for index in 0..<text.count {
            if text[index] == UInt8(ascii: "\"") || text[index] == UInt8(ascii: "\\") {
                append(byte: UInt8(ascii: "\\"))
            }
            append(byte: text[index])
        }
    }
}
