import Primitives

/// One value of Via (RFC 3261 20.42, rport of RFC 3581).
@frozen
public struct Via: Sendable {
    /// The whole value as it came, parameters included.
    public var text: ByteSlice = .empty
    /// The transport's name, for example `UDP`.
    public var transport: ByteSlice = .empty
    /// The host of sent-by; an IPv6 address keeps its brackets.
    public var host: ByteSlice = .empty
    /// The port of sent-by; nil when absent.
    public var port: UInt16?
    /// The parameters.
    public var parameters = Parameters()
    /// The branch; empty when absent.
    public var branch: ByteSlice = .empty
    /// True when there is an rport parameter, with or without value.
    public var hasResponsePort = false
    /// The value of rport; nil when absent or empty.
    public var responsePort: UInt16?
    /// The offset in `text` behind an rport parameter without a value, where the value can be put.
    public var responsePortOffset: Int?
    /// The received parameter; empty when absent.
    public var received: ByteSlice = .empty
    /// The maddr parameter; empty when absent.
    public var multicastAddress: ByteSlice = .empty

    /// True when the branch was made by RFC 3261 rules: it begins with the magic cookie.
    public var hasMagicCookie: Bool { branch.count > 7 && branch.starts(withIgnoringCase: "z9hG4bK") }

    /// No value.
    public init() {}

    /// Reads the first value of a Via line; nil when it is malformed.
    public init?(firstOf line: ByteSlice) {
        let value = line[0..<line.endOfValue(from: 0)].trimmed()
        var index = 0
        // sent-protocol = "SIP" SLASH "2.0" SLASH transport, white space allowed around the slashes.
        guard Via.token(value, &index).equalsIgnoringCase("SIP"), Via.skip(UInt8(ascii: "/"), value, &index),
            Via.token(value, &index) == "2.0", Via.skip(UInt8(ascii: "/"), value, &index)
        else { return nil }
        transport = Via.token(value, &index)
        let hostStart = value.skippingWhiteSpace(from: index)
        if transport.isEmpty || hostStart == index { return nil }
        index = hostStart
        guard let end = Via.endOfHost(value, index) else { return nil }
        host = value[index..<end]
        index = value.skippingWhiteSpace(from: end)
        if index < value.count, value[index] == UInt8(ascii: ":") {
            index = value.skippingWhiteSpace(from: index + 1)
            let start = index
            while index < value.count, ASCII.isDigit(value[index]) { index += 1 }
            guard let number = value[start..<index].decimal(limit: 65535) else { return nil }
            port = UInt16(number)
        }
        text = value
        parameters = Parameters(value.from(index))
        guard takeParameters(offset: min(index, value.count)) else { return nil }
    }

    private mutating func takeParameters(offset base: Int) -> Bool {
        var offset = 0
        while let parameter = parameters.next(from: &offset) {
            switch parameter.name.count {
            case 5 where parameter.name.equalsIgnoringCase("rport"):
                hasResponsePort = true
                if parameter.value.isEmpty {
                    responsePortOffset = base + parameter.end
                } else {
                    guard let number = parameter.value.decimal(limit: 65535) else { return false }
                    responsePort = UInt16(number)
                }
            case 5 where parameter.name.equalsIgnoringCase("maddr"): multicastAddress = parameter.value
            case 6 where parameter.name.equalsIgnoringCase("branch"): branch = parameter.value
            case 8 where parameter.name.equalsIgnoringCase("received"): received = parameter.value
            default: break
            }
        }
        return parameters.text.skippingWhiteSpace(from: offset) == parameters.text.count
    }

    private static func token(_ value: ByteSlice, _ index: inout Int) -> ByteSlice {
        let start = value.skippingWhiteSpace(from: index)
        index = start
        while index < value.count, ASCII.isToken(value[index]) { index += 1 }
        return value[start..<index]
    }

    private static func skip(_ byte: UInt8, _ value: ByteSlice, _ index: inout Int) -> Bool {
        index = value.skippingWhiteSpace(from: index)
        guard index < value.count, value[index] == byte else { return false }
        index += 1
        return true
    }

    private static func endOfHost(_ value: ByteSlice, _ start: Int) -> Int? {
        guard start < value.count else { return nil }
        if value[start] == UInt8(ascii: "[") {
            guard let close = value.firstIndex(of: UInt8(ascii: "]"), from: start),
                IPAddress(value[start...close]) != nil
            else { return nil }
            return close + 1
        }
        var end = start
        while end < value.count, Host.isNameByte(value[end]) { end += 1 }
        return end > start ? end : nil
    }
}

extension ByteSlice {
    /// The part in a closed range.
    @inlinable
    public subscript(range: ClosedRange<Int>) -> ByteSlice { self[range.lowerBound..<range.upperBound + 1] }
}
