import Primitives

extension FormFields {
    /// Reads `application/x-www-form-urlencoded` (URL Standard of WHATWG, section 5.1): empty parts are passed over, a part
    /// without `=` has an empty value. Unlike there, invalid escapes and text that is not UTF-8 are errors.
    public init(parsing text: ByteSlice, limit: Int = 200) throws(FormError) {
        var start = 0
        while start < text.count {
            let end = text.firstIndex(of: UInt8(ascii: "&"), from: start) ?? text.count
            let part = text[start..<end]
            start = end + 1
            if part.isEmpty { continue }
            if fields.count >= limit { throw .tooManyFields }
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.count
            fields.append(
                Field(
                    name: try Self.decoded(part.prefix(equals)), value: try Self.decoded(part.from(equals + 1))))
        }
    }

    private static func decoded(_ text: ByteSlice) throws(FormError) -> String {
        do throws(ByteSlice.DecodingError) {
            return try text.decodedText(plusIsSpace: true)
        } catch {
            switch error {
            case .invalidEscape: throw .invalidEscape
            case .invalidText: throw .invalidText
            }
        }
    }
}
