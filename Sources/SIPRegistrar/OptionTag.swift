import Primitives
import SIPMessage

/// The extensions that the registrar knows by their option tags (RFC 3261 19.2).
enum OptionTag {
    /// True for an extension that a REGISTER may require: Path (RFC 3327).
    static func isSupported(_ tag: ByteSlice) -> Bool { tag.equalsIgnoringCase("path") }

    /// True when the header names an extension that is not supported.
    static func areUnsupported(_ header: HeaderName, in request: borrowing SIPMessage) -> Bool {
        var tags = request.optionTags(of: header)
        while let tag = tags.next(in: request) {
            if !isSupported(tag) { return true }
        }
        return false
    }
}
