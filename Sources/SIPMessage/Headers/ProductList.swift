import Primitives

/// The value of User-Agent or Server: products and comments that name a program (RFC 3261 20.35 and 20.41).
@frozen
public struct ProductList: Sendable {
    /// A part of the value.
    @frozen
    public enum Element: Sendable {
        /// A product and its version, which may be absent.
        case product(name: ByteSlice, version: ByteSlice?)
        /// What is between the parentheses of a comment, escapes and comments within it left in.
        case comment(ByteSlice)
    }

    /// The whole value as it came.
    public var text: ByteSlice

    /// Reads the value; nil when it is malformed, as those of not a few phones are: show the header's text then.
    public init?(_ value: ByteSlice) {
        text = value
        var offset = 0
        while next(from: &offset) != nil {}
        guard offset > 0, value.skippingWhiteSpace(from: offset) == value.count else { return nil }
    }

    /// The element at `offset`, which moves behind it; nil at the end.
    public func next(from offset: inout Int) -> Element? {
        let start = text.skippingWhiteSpace(from: offset)
        // No white space is asked for before a comment: `Name(1.0)` is common.
        if let close = text.endOfComment(from: start) {
            offset = close + 1
            return .comment(text[start + 1..<close])
        }
        let end = text.endOfToken(from: start)
        guard end > start else { return nil }
        let name = text[start..<end]
        // SLASH = SWS "/" SWS: white space may stand around it.
        let slash = text.skippingWhiteSpace(from: end)
        guard slash < text.count, text[slash] == UInt8(ascii: "/") else {
            offset = end
            return .product(name: name, version: nil)
        }
        let versionStart = text.skippingWhiteSpace(from: slash + 1)
        let versionEnd = text.endOfToken(from: versionStart)
        guard versionEnd > versionStart else { return nil }
        offset = versionEnd
        return .product(name: name, version: text[versionStart..<versionEnd])
    }
}

extension ByteSlice {
    /// The index of the first byte at or after `start` that no token has; `count` when there is none.
    fileprivate func endOfToken(from start: Int) -> Int {
        var index = start
        while index < count, ASCII.isToken(self[index]) { index += 1 }
        return index
    }
}

extension SIPMessage {
    /// User-Agent; nil when absent or malformed (20.41).
    public var userAgent: ProductList? { value(of: .userAgent).flatMap { ProductList($0) } }

    /// Server; nil when absent or malformed (20.35).
    public var server: ProductList? { value(of: .server).flatMap { ProductList($0) } }
}
