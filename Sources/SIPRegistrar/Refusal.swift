import Observability
import Primitives
import SIPMessage

/// Why a request is refused, with what the response must carry beyond the status.
public struct Refusal: Error, Sendable {
    /// A header that a status demands.
    public enum Detail: Sendable {
        case none
        /// Min-Expires of a 423, in seconds (RFC 3261 20.23).
        case minExpires(UInt32)
        /// Min-SE of a 422, in seconds (RFC 4028 section 5).
        case minSE(UInt32)
        /// The values of this header that are not supported, for Unsupported in a 420 (20.40).
        case unsupported(HeaderName)
        /// Retry-After of a 503 or 403, in seconds (20.33).
        case retryAfter(UInt32)
        /// Allow, for a 405 (21.4.6).
        case allow
    }

    /// The methods that we handle or relay, for Allow (20.5).
    public static let allowedMethods: ByteSlice =
        "INVITE, ACK, BYE, CANCEL, REGISTER, OPTIONS, MESSAGE, INFO, UPDATE, PRACK, REFER, SUBSCRIBE, NOTIFY"

    /// The reason.
    public let reason: Reason
    /// The header.
    public let detail: Detail

    /// A refusal with this reason.
    public init(_ reason: Reason, _ detail: Detail = .none) {
        self.reason = reason
        self.detail = detail
    }
}

extension ByteWriter {
    /// Writes the whole response of a refusal, its cause and remedy in Warning (RFC 3261 20.43, code 399) unless the
    /// peer must not know them.
    ///
    /// - Parameters:
    ///   - source: Where the request came from, for Via; nil when its Via has that already.
    ///   - toTag: The tag put on To when it has none.
    ///   - domain: Who warns.
    public mutating func writeRefusal(
        _ refusal: Refusal, of request: borrowing SIPMessage, source: SocketAddress?, toTag: ByteSlice,
        domain: ByteSlice
    ) {
        beginResponse(to: request, status: refusal.reason.status, source: source, toTag: toTag)
        switch refusal.detail {
        case .none: break
        case .allow: appendHeader("Allow", Refusal.allowedMethods)
        case .retryAfter(let seconds): appendHeader("Retry-After", number: UInt64(seconds))
        case .minExpires(let seconds): appendHeader("Min-Expires", number: UInt64(seconds))
        case .minSE(let seconds): appendHeader("Min-SE", number: UInt64(seconds))
        case .unsupported(let header):
            var tags = request.optionTags(of: header)
            append("Unsupported: ")
            var isFirst = true
            while let tag = tags.next(in: request) {
                // What a REGISTER may require of us is nothing that a proxy supports.
                if header == .require && OptionTag.isSupported(tag) { continue }
                if !isFirst { append(", ") }
                append(tag)
                isFirst = false
            }
            append("\r\n")
        }
        appendWarning(refusal.reason, domain: domain)
        endResponse()
    }

    /// Writes a Warning line with code, cause and remedy, when the reason may be disclosed.
    public mutating func appendWarning(_ reason: Reason, domain: ByteSlice) {
        guard reason.isDisclosed else { return }
        append("Warning: 399 ")
        // warn-agent is a host: an IPv6 address has brackets there.
        let isBare = domain.firstIndex(of: UInt8(ascii: ":")) != nil && domain.first != UInt8(ascii: "[")
        if isBare { append("[") }
        append(domain)
        if isBare { append("]") }
        append(" \"")
        append(reason.code)
        append(byte: ASCII.space)
        append(reason.cause)
        append(byte: ASCII.space)
        append(reason.remedy)
        append("\"\r\n")
    }
}
