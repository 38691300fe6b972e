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
    /// The port, never 0; nil when absent.
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
        guard text.allSatisfy(ASCII.isURIByte) else { return nil }
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
            guard !user.isEmpty, userinfo.hasValidEscapes else { return nil }
        }
        guard let hostEnd = SIPURI.endOfHost(rest) else { return nil }
        host = rest[0..<hostEnd]
        var index = hostEnd
        if index < rest.count, rest[index] == UInt8(ascii: ":") {
            let start = index + 1
            index = start
            while index < rest.count, ASCII.isDigit(rest[index]) { index += 1 }
            guard let number = rest[start..<index].decimal(limit: 65535), number > 0 else { return nil }
            port = UInt16(number)
        }
        let question = rest.firstIndex(of: UInt8(ascii: "?"), from: index) ?? rest.count
        parameters = Parameters(rest[index..<question])
        headers = rest.from(question + 1)
        guard parameters.isWellFormed else { return nil }
    }

    /// The transport parameter; nil when absent.
    public var transport: ByteSlice? { parameter("transport") }

    /// True for a loose router (19.1.1).
    public var isLooseRouter: Bool { parameter("lr") != nil }

    /// The value of the first parameter with this name, which may be written with escapes (RFC 4475 3.1.1.3); empty for
    /// one without a value; nil when absent.
    public func parameter(_ name: ByteSlice) -> ByteSlice? {
        var offset = 0
        while let parameter = parameters.next(from: &offset) {
            if parameter.name.isEquivalentURIPart(to: name, ignoringCase: true) { return parameter.value }
        }
        return nil
    }

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
