import Primitives

extension ByteSlice {
    /// Why bytes with escapes are no text.
    enum DecodingError: Error { case invalidEscape, invalidText }

    /// The text that these bytes stand for, `%HH` decoded (RFC 3986 section 2.1), and `+` a space when it is a form's.
    func decodedText(plusIsSpace: Bool) throws(DecodingError) -> String {
        let percent = UInt8(ascii: "%")
        let plus = plusIsSpace ? UInt8(ascii: "+") : percent
        guard firstIndex(of: percent, or: plus) != nil else { return try Self.text(bytes) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(count)
        var index = 0
        while index < count {
            let byte = self[index]
            index += 1
            if byte == percent {
                guard index + 1 < count, let high = ASCII.hexadecimalValue(self[index]),
                    let low = ASCII.hexadecimalValue(self[index + 1])
                else { throw .invalidEscape }
                decoded.append(high << 4 | low)
                index += 2
            } else {
                decoded.append(byte == plus ? ASCII.space : byte)
            }
        }
        return try Self.text(decoded)
    }

    private static func text(_ bytes: [UInt8]) throws(DecodingError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidText }
        return text
    }
}
