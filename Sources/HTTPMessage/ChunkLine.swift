import Primitives

/// The line before a chunk (RFC 9112 section 7.1): its size, and extensions, which nobody uses and we ignore.
struct ChunkLine {
    /// The size of the chunk in bytes, 0 for the last one.
    let size: UInt64
    /// The length of the extensions in bytes.
    let extensionSize: Int

    /// Reads the line without its end; nil when it is invalid: digits only, at most 16, no sign, prefix or white space.
    init?(_ line: ByteSlice) {
        var digits = 0
        while digits < line.count, ASCII.hexadecimalValue(line[digits]) != nil { digits += 1 }
        guard let size = line.prefix(digits).hexadecimal() else { return nil }
        let rest = line.from(digits)
        if !rest.isEmpty {
            let start = rest.skippingWhiteSpace(from: 0)
            guard start < rest.count, rest[start] == UInt8(ascii: ";"),
                rest.allSatisfy({ $0 >= ASCII.space && $0 != 0x7f || $0 == ASCII.tab })
            else { return nil }
        }
        self.size = size
        extensionSize = rest.count
    }
}
