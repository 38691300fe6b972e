import Primitives

/// One value of Warning (RFC 3261 20.43).
@frozen
public struct WarningValue: Sendable {
    /// The code, three digits: those from 300 to 399 are SIP's, 399 is any other trouble.
    public var code: UInt16
    /// Who warns: a host with or without port, or a name of its own.
    public var agent: ByteSlice
    /// The text between the quotes, escapes left in; `ByteWriter.append(unescaping:)` undoes them.
    public var text: ByteSlice

    /// Reads one of `values(of: .warning)`; nil when it is malformed.
    public init?(_ value: ByteSlice) {
        let agentStart = value.skippingWhiteSpace(from: 3)
        guard agentStart > 3, let number = value.prefix(3).decimal() else { return nil }
        var agentEnd = agentStart
        while agentEnd < value.count, WarningValue.isAgentByte(value[agentEnd]) { agentEnd += 1 }
        let quote = value.skippingWhiteSpace(from: agentEnd)
        guard agentEnd > agentStart, quote > agentEnd, quote < value.count, value[quote] == UInt8(ascii: "\""),
            let close = value.endOfQuotedString(from: quote), close == value.count - 1
        else { return nil }
        code = UInt16(number)
        agent = value[agentStart..<agentEnd]
        text = value[quote + 1..<close]
    }

    /// warn-agent = hostport / pseudonym, and a pseudonym is a token.
    private static func isAgentByte(_ byte: UInt8) -> Bool {
        ASCII.isToken(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
    }
}

extension SIPMessage {
    /// The first well-formed value of Warning; nil when there is none (20.43).
    public var firstWarning: WarningValue? {
        var values = values(of: .warning)
        while let value = values.next(in: self) {
            if let warning = WarningValue(value) { return warning }
        }
        return nil
    }
}
