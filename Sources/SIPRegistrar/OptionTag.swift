import Primitives
import SIPMessage

/// The extensions that we know by their option tags where a request is for ourselves (RFC 3261 19.2).
public enum OptionTag {
    /// The extensions that may be required of us, for Supported: Path (RFC 3327) and outbound (RFC 5626).
    public static let supported: ByteSlice = "path, outbound"

    /// True for an extension that may be required of us.
    static func isSupported(_ tag: ByteSlice) -> Bool {
        tag.equalsIgnoringCase("path") || tag.equalsIgnoringCase("outbound")
    }

    /// True when a header names an extension.
    static func isNamed(_ name: ByteSlice, by header: HeaderName, in request: borrowing SIPMessage) -> Bool {
        var tags = request.optionTags(of: header)
        while let tag = tags.next(in: request) {
            if tag.equalsIgnoringCase(name) { return true }
        }
        return false
    }

    /// True when the header names an extension that is not supported.
    public static func areUnsupported(_ header: HeaderName, in request: borrowing SIPMessage) -> Bool {
        var tags = request.optionTags(of: header)
        while let tag = tags.next(in: request) {
            if !isSupported(tag) { return true }
        }
        return false
    }
}
