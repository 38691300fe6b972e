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
    /// The port of sent-by, never 0; nil when absent.
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
        guard let (via, isValid) = Via.read(line), isValid else { return nil }
        self = via
    }

    /// Reads the first value of a Via line as far as it goes: nil without a sent-by, not valid when the SIP version is
    /// another or the parameters are malformed. An answer that says so can still be sent.
    static func read(_ line: ByteSlice) -> (via: Via, isValid: Bool)? {
        let value = line[0..<line.endOfValue(from: 0)].trimmed()
        var via = Via()
        var index = 0
        // sent-protocol = "SIP" SLASH "2.0" SLASH transport, white space allowed around the slashes.
        guard token(value, &index).equalsIgnoringCase("SIP"), skip(UInt8(ascii: "/"), value, &index) else { return nil }
        let version = token(value, &index)
        guard skip(UInt8(ascii: "/"), value, &index) else { return nil }
        via.transport = token(value, &index)
        let hostStart = value.skippingWhiteSpace(from: index)
        if via.transport.isEmpty || hostStart == index { return nil }
        guard let end = endOfHost(value, hostStart) else { return nil }
        via.host = value[hostStart..<end]
        index = value.skippingWhiteSpace(from: end)
        if index < value.count, value[index] == UInt8(ascii: ":") {
            let start = value.skippingWhiteSpace(from: index + 1)
            index = start
            while index < value.count, ASCII.isDigit(value[index]) { index += 1 }
            guard let number = value[start..<index].decimal(limit: 65535), number > 0 else { return nil }
            via.port = UInt16(number)
        }
        via.text = value
        via.parameters = Parameters(value.from(index))
        let isValid = via.takeParameters(offset: index) && version == "2.0"
        return (via, isValid)
    }

    private mutating func takeParameters(offset base: Int) -> Bool {
        var offset = 0
        var isUnambiguous = true
        while let parameter = parameters.next(from: &offset) {
            switch parameter.name.count {
            case 5 where parameter.name.equalsIgnoringCase("rport"):
                if hasResponsePort { isUnambiguous = false }
                hasResponsePort = true
                if parameter.hasValue {
                    guard let number = parameter.value.decimal(limit: 65535) else { return false }
                    responsePort = UInt16(number)
                } else {
                    responsePortOffset = base + parameter.end
                }
            case 5 where parameter.name.equalsIgnoringCase("maddr"): multicastAddress = parameter.value
            case 6 where parameter.name.equalsIgnoringCase("branch"):
                // Two branches would make one transaction here and another one elsewhere.
                if !branch.isEmpty { isUnambiguous = false }
                branch = parameter.value
            case 8 where parameter.name.equalsIgnoringCase("received"): received = parameter.value
            default: break
            }
        }
        return isUnambiguous && parameters.isEnd(offset)
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
