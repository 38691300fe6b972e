import Primitives

/// One value of Reason: why a request is sent, above all a BYE or a CANCEL (RFC 3326 section 2).
@frozen
public struct ReasonValue: Sendable {
    /// Whose cause it is, for example `SIP` or `Q.850`; compared without case.
    public var protocolName: ByteSlice
    /// The cause: a status code for SIP, a cause of ITU-T Q.850 for that; nil when absent.
    public var cause: UInt16?
    /// The text for people, between the quotes, escapes left in; `ByteWriter.append(unescaping:)` undoes them. Nil when
    /// absent.
    public var text: ByteSlice?
    /// All parameters, those above included.
    public var parameters: Parameters

    /// Reads one of `values(of: .reason)`; nil when it is malformed or has two causes or texts, which others would read
    /// differently.
    public init?(_ value: ByteSlice) {
        let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        protocolName = value[0..<end].trimmed()
        parameters = Parameters(value.from(end))
        guard !protocolName.isEmpty, protocolName.allSatisfy(ASCII.isToken) else { return nil }
        var offset = 0
        while let parameter = parameters.next(from: &offset) {
            if parameter.name.equalsIgnoringCase("cause") {
                guard cause == nil, let number = parameter.value.decimal(limit: UInt64(UInt16.max)) else { return nil }
                cause = UInt16(number)
            } else if parameter.name.equalsIgnoringCase("text") {
                if text != nil { return nil }
                text = parameter.value
            }
        }
        guard parameters.isEnd(offset) else { return nil }
    }
}

extension SIPMessage {
    /// The first well-formed value of Reason for this protocol; nil when there is none (RFC 3326 section 2).
    public func reason(_ protocolName: ByteSlice) -> ReasonValue? {
        var values = values(of: .reason)
        while let value = values.next(in: self) {
            if let reason = ReasonValue(value), reason.protocolName.equalsIgnoringCase(protocolName) { return reason }
        }
        return nil
    }
}
