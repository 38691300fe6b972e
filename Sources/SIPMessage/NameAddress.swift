import Primitives

/// A name-addr or addr-spec with parameters: a value of From, To, Contact, Route, Record-Route or Path (RFC 3261 20.10).
@frozen
public struct NameAddress: Sendable {
    /// The display name without quotes, escapes left in; empty when absent.
    public var displayName: ByteSlice = .empty
    /// The URI.
    public var uri: ByteSlice = .empty
    /// The parameters behind the address: without angle brackets all parameters are the header's, not the URI's.
    public var parameters = Parameters()
    /// The tag parameter; empty for one without a value, nil when absent.
    public var tag: ByteSlice?

    /// No address.
    public init() {}

    /// Reads one value; nil when it is malformed. The `*` of Contact is no address.
    public init?(_ value: ByteSlice) {
        guard let bracket = NameAddress.openingBracket(in: value) else { return nil }
        if bracket < value.count {
            guard let name = NameAddress.displayName(value[0..<bracket].trimmed()) else { return nil }
            displayName = name
            guard let close = value.firstIndex(of: UInt8(ascii: ">"), from: bracket) else { return nil }
            uri = value[bracket + 1..<close]
            parameters = Parameters(value.from(close + 1))
        } else {
            let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
            uri = value[0..<end].trimmed()
            // 20.10: a URI with a comma, question mark or semicolon must be in angle brackets.
            if uri.firstIndex(of: UInt8(ascii: "?"), or: UInt8(ascii: ",")) != nil { return nil }
            parameters = Parameters(value.from(end))
        }
        // RFC 4475 3.1.2.14: white space inside the brackets is no addr-spec.
        guard uri.isAbsoluteURI, takeParameters() else { return nil }
    }

    /// Finds the tag; false when the parameters are malformed or have two tags, which others would read differently.
    private mutating func takeParameters() -> Bool {
        var offset = 0
        while let parameter = parameters.next(from: &offset) {
            if parameter.name.count == 3, parameter.name.equalsIgnoringCase("tag") {
                if tag != nil { return false }
                tag = parameter.value
            }
        }
        return parameters.isEnd(offset)
    }

    /// The index of `<` outside quotes; `count` when there is none; nil when a quoted string is not closed.
    private static func openingBracket(in value: ByteSlice) -> Int? {
        var index = 0
        while index < value.count {
            switch value[index] {
            case UInt8(ascii: "\""):
                guard let close = value.endOfQuotedString(from: index) else { return nil }
                index = close
            case UInt8(ascii: "<"): return index
            case UInt8(ascii: ";"): return value.count
            default: break
            }
            index += 1
        }
        return value.count
    }

    /// display-name = *(token LWS) / quoted-string.
    private static func displayName(_ text: ByteSlice) -> ByteSlice? {
        if text.first == UInt8(ascii: "\"") {
            guard let close = text.endOfQuotedString(from: 0), close == text.count - 1 else { return nil }
            return text[1..<close]
        }
        // Raw UTF-8 in an unquoted name is not in the grammar, but phones send it and it does no harm.
        let isName = text.allSatisfy { ASCII.isToken($0) || ASCII.isLinearWhiteSpace($0) || $0 >= 128 }
        return isName ? text : nil
    }
}
