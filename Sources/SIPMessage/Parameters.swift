import Primitives

/// The `;name=value` parameters behind a header value or in a URI.
@frozen
public struct Parameters: Sendable {
    /// The text from the first semicolon on; empty when there are none.
    public var text: ByteSlice

    /// The parameters in `text`, which is empty or begins with a semicolon (white space allowed before it).
    public init(_ text: ByteSlice = .empty) { self.text = text }

    /// One parameter.
    @frozen
    public struct Parameter: Sendable {
        /// The name.
        public var name: ByteSlice
        /// The value: what is between the quotes for a quoted string, empty when there is no `=`.
        public var value: ByteSlice
        /// True when there is an `=`.
        public var hasValue: Bool
        /// The offset in `text` behind the parameter.
        public var end: Int
    }

    /// The value of the first parameter with this name (without case); empty for one without a value; nil when absent.
    public subscript(name: ByteSlice) -> ByteSlice? {
        var offset = 0
        while let parameter = next(from: &offset) {
            if parameter.name.equalsIgnoringCase(name) { return parameter.value }
        }
        return nil
    }

    /// The parameter at `offset`, which moves behind it; nil at the end and where the text is malformed.
    public func next(from offset: inout Int) -> Parameter? {
        var index = text.skippingWhiteSpace(from: offset)
        guard index < text.count, text[index] == UInt8(ascii: ";") else { return nil }
        index = text.skippingWhiteSpace(from: index + 1)
        let nameStart = index
        while index < text.count, Parameters.isNameByte(text[index]) { index += 1 }
        guard index > nameStart else { return nil }
        let name = text[nameStart..<index]
        let afterName = index
        index = text.skippingWhiteSpace(from: index)
        guard index < text.count, text[index] == UInt8(ascii: "=") else {
            offset = afterName
            return Parameter(name: name, value: .empty, hasValue: false, end: afterName)
        }
        index = text.skippingWhiteSpace(from: index + 1)
        if index < text.count, text[index] == UInt8(ascii: "\"") {
            guard let close = text.endOfQuotedString(from: index) else { return nil }
            offset = close + 1
            return Parameter(name: name, value: text[index + 1..<close], hasValue: true, end: close + 1)
        }
        let valueStart = index
        while index < text.count, Parameters.isValueByte(text[index]) { index += 1 }
        guard index > valueStart else { return nil }
        offset = index
        return Parameter(name: name, value: text[valueStart..<index], hasValue: true, end: index)
    }

    /// True when the whole text is well-formed.
    public var isWellFormed: Bool {
        var offset = 0
        while next(from: &offset) != nil {}
        return isEnd(offset)
    }

    /// True when nothing but white space follows `offset`: where `next` gave nil because it was through.
    func isEnd(_ offset: Int) -> Bool { text.skippingWhiteSpace(from: offset) == text.count }

    /// True when there are more than `limit` parameters.
    func exceeds(_ limit: Int) -> Bool {
        var offset = 0
        var count = 0
        while count <= limit, next(from: &offset) != nil { count += 1 }
        return count > limit
    }

    /// Visible ASCII but `"`, `,`, `;`, `<`, `=`, `>` and `?`: wider than both token and paramchar, yet nothing in it
    /// could end the parameter, the value or the address for somebody who reads differently.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        let set: UInt64 = byte < 64 ? 0x07ff_effa_0000_0000 : 0x7fff_ffff_ffff_ffff
        return byte < 128 && set >> UInt64(byte & 63) & 1 != 0
    }

    /// As in names, with `=` and `?`, and with UTF-8 that some peers leave unquoted.
    private static func isValueByte(_ byte: UInt8) -> Bool {
        let set: UInt64 = byte < 64 ? 0xa7ff_effa_0000_0000 : 0x7fff_ffff_ffff_ffff
        return byte >= 128 || set >> UInt64(byte & 63) & 1 != 0
    }
}

extension ByteSlice {
    /// The index of the quote that closes the quoted string which opens at `start`; nil when it is not closed.
    public func endOfQuotedString(from start: Int) -> Int? {
        var index = start + 1
        while index < count {
            if self[index] == UInt8(ascii: "\\") {
                index += 2
                continue
            }
            if self[index] == UInt8(ascii: "\"") { return index }
            index += 1
        }
        return nil
    }
}
