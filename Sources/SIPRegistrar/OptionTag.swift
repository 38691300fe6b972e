import Primitives
import SIPMessage

/// The extensions that we know by their option tags where a request is for ourselves (RFC 3261 19.2).
public enum OptionTag {
    /// True for an extension that may be required of us: Path (RFC 3327).
    static func isSupported(_ tag: ByteSlice) -> Bool { tag.equalsIgnoringCase("path") }

    /// True when the header names an extension that is not supported.
    public static func areUnsupported(_ header: HeaderName, in request: borrowing SIPMessage) -> Bool {
        var tags = request.optionTags(of: header)
        while let tag = tags.next(in: request) {
            if !isSupported(tag) { return true }
        }
        return false
    }
}
