import Primitives

/// A SIP or SIPS URI (RFC 3261 19.1), as parts of its text.
@frozen
public struct SIPURI: Sendable {
    /// True for the sips scheme.
    public var isSecure: Bool
    /// The user, escapes left in; empty when there is none.
    public var user: ByteSlice = .empty
    /// The password, escapes left in; nil when there is none.
    public var password: ByteSlice?
    /// True when there is a userinfo part.
    public var hasUser = false
    /// The host; an IPv6 address keeps its brackets.
    public var host: ByteSlice
    /// The port; nil when absent.
    public var port: UInt16?
    /// The URI parameters.
    public var parameters = Parameters()
    /// The headers behind the question mark; empty when absent.
    public var headers: ByteSlice = .empty

    /// Reads a URI; nil when it is of another scheme or malformed.
    public init?(_ text: ByteSlice) {
        var rest: ByteSlice
        if text.starts(withIgnoringCase: "sip:") {
            isSecure = false
            rest = text.from(4)
        } else if text.starts(withIgnoringCase: "sips:") {
            isSecure = true
            rest = text.from(5)
        } else {
            return nil
        }
        guard text.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }) else {
            return nil
        }
        if let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            hasUser = true
            let userinfo = rest[0..<at]
            rest = rest.from(at + 1)
            if let colon = userinfo.firstIndex(of: UInt8(ascii: ":")) {
                user = userinfo[0..<colon]
                password = userinfo.from(colon + 1)
            } else {
                user = userinfo
            }
            guard !user.isEmpty, user.hasValidEscapes, userinfo.allSatisfy({ $0 != UInt8(ascii: "\"") }) else {
                return nil
            }
        }
        guard let hostEnd = SIPURI.endOfHost(rest) else { return nil }
        host = rest[0..<hostEnd]
        var index = hostEnd
        if index < rest.count, rest[index] == UInt8(ascii: ":") {
            let start = index + 1
            index = start
            while index < rest.count, ASCII.isDigit(rest[index]) { index += 1 }
            guard let number = rest[start..<index].decimal(limit: 65535) else { return nil }
            port = UInt16(number)
        }
        let question = rest.firstIndex(of: UInt8(ascii: "?"), from: index) ?? rest.count
        parameters = Parameters(rest[index..<question])
        headers = rest.from(question + 1)
        guard parameters.isWellFormed else { return nil }
    }

    /// The transport parameter; nil when absent.
    public var transport: ByteSlice? { parameters["transport"] }

    /// True for a loose router (19.1.1).
    public var isLooseRouter: Bool { parameters["lr"] != nil }

    private static func endOfHost(_ text: ByteSlice) -> Int? {
        if text.first == UInt8(ascii: "[") {
            guard let close = text.firstIndex(of: UInt8(ascii: "]")), IPAddress(text[0...close]) != nil else {
                return nil
            }
            return close + 1
        }
        var end = 0
        while end < text.count, Host.isNameByte(text[end]) { end += 1 }
        return end > 0 && end <= 255 ? end : nil
    }
}

/// A telephone URI (RFC 3966), as parts of its text.
@frozen
public struct TelURI: Sendable {
    /// The number as written, visual separators included.
    public var number: ByteSlice
    /// The parameters, `phone-context` among them.
    public var parameters: Parameters

    /// Reads a URI; nil when it is of another scheme or malformed. A local number must have a `phone-context`.
    public init?(_ text: ByteSlice) {
        guard text.starts(withIgnoringCase: "tel:") else { return nil }
        let rest = text.from(4)
        let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.count
        number = rest[0..<end]
        parameters = Parameters(rest.from(end))
        let isGlobal = number.first == UInt8(ascii: "+")
        let digits = isGlobal ? number.from(1) : number
        guard digits.allSatisfy(TelURI.isNumberByte), digits.count > 0, digits.count <= 64, parameters.isWellFormed,
            isGlobal || parameters["phone-context"] != nil
        else { return nil }
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
            UInt8(ascii: "#"):
            true
        default: ASCII.hexadecimalValue(byte) != nil
        }
    }
}

extension ByteSlice {
    /// True when each `%` is followed by two hexadecimal digits.
    public var hasValidEscapes: Bool {
        var index = 0
        while let percent = firstIndex(of: UInt8(ascii: "%"), from: index) {
            guard percent + 2 < count, ASCII.hexadecimalValue(self[percent + 1]) != nil,
                ASCII.hexadecimalValue(self[percent + 2]) != nil
            else { return false }
            index = percent + 3
        }
        return true
    }

    /// The byte at `index` with an escape `%HH` decoded, and how many bytes of text it took.
    public func unescapedByte(at index: Int) -> (byte: UInt8, length: Int) {
        if self[index] == UInt8(ascii: "%"), index + 2 < count, let high = ASCII.hexadecimalValue(self[index + 1]),
            let low = ASCII.hexadecimalValue(self[index + 2])
        {
            return (high << 4 | low, 3)
        }
        return (self[index], 1)
    }

    /// True when the bytes are equal once `%HH` escapes are decoded, as RFC 3261 19.1.4 compares users.
    public func equalsUnescaped(_ other: ByteSlice) -> Bool {
        var left = 0
        var right = 0
        while left < count, right < other.count {
            let (leftByte, leftLength) = unescapedByte(at: left)
            let (rightByte, rightLength) = other.unescapedByte(at: right)
            if leftByte != rightByte { return false }
            left += leftLength
            right += rightLength
        }
        return left == count && right == other.count
    }
}

extension ByteWriter {
    /// Appends a text with its `%HH` escapes decoded.
    public mutating func append(unescaped text: ByteSlice) {
        var index = 0
        while index < text.count {
            let (byte, length) = text.unescapedByte(at: index)
            append(byte: byte)
            index += length
        }
    }
}
