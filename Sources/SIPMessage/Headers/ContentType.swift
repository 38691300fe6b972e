import Primitives

/// The value of Content-Type: the media type of the body (RFC 3261 20.15).
@frozen
public struct ContentType: Sendable {
    /// The type, for example `application`; compared without case.
    public var type: ByteSlice
    /// The subtype, for example `sdp`; compared without case.
    public var subtype: ByteSlice
    /// The parameters, for example `charset` and `boundary`.
    public var parameters: Parameters

    /// Reads the value; nil when it is malformed.
    public init?(_ value: ByteSlice) {
        let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        // SLASH = SWS "/" SWS: white space may stand around it.
        guard let slash = value[0..<end].firstIndex(of: UInt8(ascii: "/")) else { return nil }
        type = value[0..<slash].trimmed()
        subtype = value[slash + 1..<end].trimmed()
        parameters = Parameters(value.from(end))
        guard !type.isEmpty, type.allSatisfy(ASCII.isToken), !subtype.isEmpty, subtype.allSatisfy(ASCII.isToken),
            parameters.isWellFormed
        else { return nil }
    }

    /// True for this media type, whatever its parameters.
    public func matches(_ type: ByteSlice, _ subtype: ByteSlice) -> Bool {
        self.type.equalsIgnoringCase(type) && self.subtype.equalsIgnoringCase(subtype)
    }
}

extension SIPMessage {
    /// Content-Type; nil when absent or malformed (20.15).
    public var contentType: ContentType? { value(of: .contentType).flatMap { ContentType($0) } }
}
