import Primitives

/// Where a header field lies in its message: offsets from the message's first byte.
@frozen
public struct HeaderField: Sendable {
    /// Which header it is.
    public var name: HeaderName
    /// The first byte of the name.
    public var lineStart: UInt32
    /// The byte behind the name.
    public var nameEnd: UInt32
    /// The first byte of the value, white space skipped.
    public var valueStart: UInt32
    /// The byte behind the value, white space skipped.
    public var valueEnd: UInt32
    /// The byte behind the line's CRLF, folded lines included.
    public var lineEnd: UInt32
}
