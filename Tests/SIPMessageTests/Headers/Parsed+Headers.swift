import Primitives
import SIPMessage

extension Parsed {
    var expires: UInt32? { message.expires?.seconds }
    var minExpires: UInt32? { message.minExpires?.seconds }
    /// `type/subtype`.
    var contentType: String? { message.contentType.map { "\($0.type.string)/\($0.subtype.string)" } }
    var userAgent: String? { message.userAgent?.text.string }
    var server: String? { message.server?.text.string }
    /// The code and the text of the first warning.
    var firstWarning: String? { message.firstWarning.map { "\($0.code) \($0.text.string)" } }
    var retryAfterComment: String? { message.retryAfter?.comment?.string }
    var hasRetryAfter: Bool { message.retryAfter != nil }

    /// The cause of the first reason of this protocol.
    func cause(_ protocolName: ByteSlice) -> UInt16? { message.reason(protocolName)?.cause }

    /// All option tags of a header.
    func optionTags(_ name: HeaderName) -> [String] {
        var tags = message.optionTags(of: name)
        var found: [String] = []
        while let tag = tags.next(in: message) { found.append(tag.string) }
        return found
    }

    func supports(_ tag: ByteSlice) -> Bool { message.supports(tag) }
    func requires(_ tag: ByteSlice) -> Bool { message.requires(tag) }
    func hasOptionTag(_ tag: ByteSlice, in name: HeaderName) -> Bool { message.hasOptionTag(tag, in: name) }
}
