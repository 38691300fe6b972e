import Primitives

/// The known parameters of a digest header value, found in one pass over any bytes.
struct DigestParameters {
    private var values = InlineArray<11, ByteSlice>(repeating: .empty)
    private var present: UInt16 = 0

    /// Reads `Digest name=value, name="value"...`; unknown parameters are skipped, empty list elements too.
    init(_ value: ByteSlice) throws(DigestCredentialsError) {
        let text = value.trimmed()
        let scheme: ByteSlice = "Digest"
        guard text.starts(withIgnoringCase: scheme) else { throw .notDigest }
        if text.count > scheme.count, !ASCII.isLinearWhiteSpace(text[scheme.count]) { throw .notDigest }

        var position = scheme.count
        while true {
            position = text.skippingWhiteSpace(from: position)
            if position == text.count { return }
            if text[position] == UInt8(ascii: ",") {
                position += 1
                continue
            }
            let name = text[position..<Self.endOfToken(text, from: position)]
            if name.isEmpty { throw .malformed }
            position = text.skippingWhiteSpace(from: position + name.count)
            guard position < text.count, text[position] == UInt8(ascii: "=") else { throw .malformed }
            position = text.skippingWhiteSpace(from: position + 1)
            guard position < text.count else { throw .malformed }

            let content: ByteSlice
            if text[position] == UInt8(ascii: "\"") {
                let end = try Self.closingQuote(text, from: position + 1)
                content = text[position + 1..<end]
                position = end + 1
            } else {
                let end = try Self.endOfBareValue(text, from: position)
                content = text[position..<end]
                position = end
            }
            position = text.skippingWhiteSpace(from: position)
            if position < text.count, text[position] != UInt8(ascii: ",") { throw .malformed }
            if let field = Self.field(named: name) { try set(field, content) }
        }
    }

    /// The value of a parameter, nil when it is absent.
    subscript(field: DigestCredentials.Field) -> ByteSlice? {
        present >> UInt16(field.rawValue) & 1 == 0 ? nil : values[field.rawValue]
    }

    /// The value of a parameter that must be there.
    func required(_ field: DigestCredentials.Field) throws(DigestCredentialsError) -> ByteSlice {
        guard let value = self[field] else { throw .missing(field) }
        return value
    }

    private mutating func set(_ field: DigestCredentials.Field, _ value: ByteSlice) throws(DigestCredentialsError) {
        if self[field] != nil { throw .duplicate(field) }
        present |= 1 << UInt16(field.rawValue)
        values[field.rawValue] = value
    }

    private static func endOfToken(_ text: ByteSlice, from start: Int) -> Int {
        var index = start
        while index < text.count, ASCII.isToken(text[index]) { index += 1 }
        return index
    }

    /// The index of the quote that ends a quoted string whose content starts at `start`.
    private static func closingQuote(_ text: ByteSlice, from start: Int) throws(DigestCredentialsError) -> Int {
        var index = start
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") { return index }
            if byte == UInt8(ascii: "\\") {
                // A quoted-pair may not hide a line end.
                index += 1
                guard index < text.count, !isControl(text[index]) else { throw .malformed }
            } else if isControl(byte) {
                index = try endOfFolding(text, from: index)
            }
            index += 1
        }
        throw .malformed
    }

    /// The last byte of a folding (CRLF or LF, then SP or HT) within a quoted string; any other control byte is a fault.
    private static func endOfFolding(_ text: ByteSlice, from start: Int) throws(DigestCredentialsError) -> Int {
        var index = start
        if text[index] == ASCII.carriageReturn { index += 1 }
        guard index + 1 < text.count, text[index] == ASCII.lineFeed else { throw .malformed }
        guard text[index + 1] == ASCII.space || text[index + 1] == ASCII.tab else { throw .malformed }
        return index + 1
    }

    /// The end of a value without quotes. More than tokens is let in: some clients leave the quotes of URIs away.
    private static func endOfBareValue(_ text: ByteSlice, from start: Int) throws(DigestCredentialsError) -> Int {
        var index = start
        while index < text.count, text[index] != UInt8(ascii: ","), !ASCII.isLinearWhiteSpace(text[index]) {
            if isControl(text[index]) || text[index] == UInt8(ascii: "\"") { throw .malformed }
            index += 1
        }
        if index == start { throw .malformed }
        return index
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 32 && byte != ASCII.tab || byte == 127 }

    private static func field(named name: ByteSlice) -> DigestCredentials.Field? {
        switch name.count {
        case 2 where name.equalsIgnoringCase("nc"): .nonceCount
        case 3 where name.equalsIgnoringCase("uri"): .uri
        case 3 where name.equalsIgnoringCase("qop"): .qop
        case 5 where name.equalsIgnoringCase("realm"): .realm
        case 5 where name.equalsIgnoringCase("nonce"): .nonce
        case 5 where name.equalsIgnoringCase("stale"): .stale
        case 6 where name.equalsIgnoringCase("cnonce"): .clientNonce
        case 6 where name.equalsIgnoringCase("opaque"): .opaque
        case 8 where name.equalsIgnoringCase("username"): .username
        case 8 where name.equalsIgnoringCase("response"): .response
        case 9 where name.equalsIgnoringCase("algorithm"): .algorithm
        default: nil
        }
    }
}
