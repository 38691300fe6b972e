import CallControl
import Primitives
import SIPMessage

/// Which header fields of a message on one side of a call are carried to the other side.
///
/// What is about the user or the session goes, what is about the path, the dialog or the place of one side does not: the
/// sides do not learn each other's addresses, Call-IDs and credentials. A field is taken over as its whole line from a
/// message that has passed the parser, so that it cannot hold another field.
enum EndToEndHeaders {
    /// True for a field that is carried as it is.
    static func carries(_ name: HeaderName, _ text: ByteSlice) -> Bool {
        switch name {
        case .contentType, .contentEncoding, .subject, .accept, .reason, .retryAfter, .referTo, .referredBy, .event,
            .allowEvents, .expires, .minExpires, .unsupported, .sessionExpires, .minSE:
            true
        case .other: carries(other: text)
        // Warning names the host of its maker; Date and Timestamp are of its clock. Supported, Require, Allow, RSeq, RAck and
        // Max-Forwards are written anew.
        default: false
        }
    }

    /// True for a field whose name the parser does not know.
    private static func carries(other name: ByteSlice) -> Bool {
        if name.starts(withIgnoringCase: "X-") { return true }
        // Content-Disposition, Content-Language, Content-ID and their like; Content-Length has a name of its own.
        if name.starts(withIgnoringCase: "Content-") { return true }
        let names: [10 of ByteSlice] = [
            "Accept-Encoding", "Accept-Language", "Alert-Info", "Info-Package", "MIME-Version", "Priority", "Privacy",
            "Recv-Info", "Refer-Sub", "User-to-User",
        ]
        for index in names.indices where name.equalsIgnoringCase(names[index]) { return true }
        return name.equalsIgnoringCase("Subscription-State")
    }

    /// True for an extension that works with this server between the two sides: all that it needs is carried.
    ///
    /// Not `replaces`, `join`, `tdialog` and `gruu`, which name dialogs or devices of one side (RFC 7092 section 3.1.1);
    /// nor what a proxy on the path has to do (`path`, `outbound`, `histinfo`).
    static func carries(extension tag: ByteSlice) -> Bool {
        let tags: [7 of ByteSlice] = [
            "100rel", "timer", "precondition", "norefersub", "ice", "trickle-ice", "uui",
        ]
        for index in tags.indices where tag.equalsIgnoringCase(tags[index]) { return true }
        return false
    }

    /// True for a method that is relayed between the sides of a call, or that ends, begins or confirms it.
    static func carries(method: Method) -> Bool {
        switch method {
        case .invite, .ack, .bye, .cancel, .options, .message, .info, .update, .prack, .refer, .notify: true
        case .other, .register, .subscribe, .publish: false
        }
    }

    /// The extensions that a request requires and that cannot be had through this server, as the value of Unsupported of
    /// a 420 (RFC 3261 8.2.2.3); empty for none.
    static func unsupported(in request: borrowing SIPMessage) -> [UInt8] {
        var found: [UInt8] = []
        var tags = request.optionTags(of: .require)
        while let tag = tags.next(in: request) {
            if carries(extension: tag) { continue }
            if !found.isEmpty { found += Array(", ".utf8) }
            found += tag.bytes
        }
        return found
    }
}

extension ByteWriter {
    /// Writes the header lines of a message that go to the other side. The caller adds those of the dialog, and RSeq or RAck
    /// where there is one; the body goes along as it is.
    ///
    /// - Parameters:
    ///   - hop: True for a request that forwarding takes one from Max-Forwards of: a call that comes back again and again
    ///     through a gateway ends (RFC 7332). An ACK has its own.
    ///   - withoutEvent: True when the caller writes Event.
    ///   - isReliable: False for an answer that is not sent reliably on the other side: it does not require 100rel there.
    ///   - replaced: Header fields that the caller has written itself.
    mutating func appendEndToEnd(
        of message: borrowing SIPMessage, hop: Bool = false, withoutEvent: Bool = false, isReliable: Bool = true,
        replaced: [WebhookRequest.Parameter] = []
    ) {
        if hop, message.isRequest, let left = message.maxForwards {
            appendHeader("Max-Forwards", number: UInt64(left))
        }
        for index in 0..<message.fieldCount {
            let field = message.field(index)
            if withoutEvent, field.name == .event { continue }
            if field.name == .other, !replaced.isEmpty, message.name(field).isName(ofAny: replaced) { continue }
            if EndToEndHeaders.carries(field.name, message.name(field)) { append(message.line(field)) }
        }
        appendExtensions(of: message, .supported)
        appendExtensions(of: message, .require, without: isReliable || message.isRequest ? .empty : "100rel")
        appendAllow(of: message)
    }

    /// Writes the extensions of Supported or Require that can be had through this server.
    private mutating func appendExtensions(
        of message: borrowing SIPMessage, _ name: HeaderName, without excluded: ByteSlice = .empty
    ) {
        var tags = message.optionTags(of: name)
        var isFirst = true
        while let tag = tags.next(in: message) {
            if !EndToEndHeaders.carries(extension: tag) || tag.equalsIgnoringCase(excluded) { continue }
            if isFirst {
                append(name.text)
                append(": ")
            } else {
                append(", ")
            }
            isFirst = false
            append(tag)
        }
        if !isFirst { append("\r\n") }
    }

    /// Writes the methods of Allow that are relayed.
    private mutating func appendAllow(of message: borrowing SIPMessage) {
        var methods = message.values(of: .allow)
        var isFirst = true
        while let method = methods.next(in: message) {
            if !EndToEndHeaders.carries(method: Method(method)) { continue }
            append(isFirst ? "Allow: " : ", ")
            isFirst = false
            append(method)
        }
        if !isFirst { append("\r\n") }
    }
}

extension ByteSlice {
    /// True for the name of one of these header fields.
    fileprivate func isName(ofAny fields: [WebhookRequest.Parameter]) -> Bool {
        fields.contains { field in Array(field.name.utf8).withSlice { equalsIgnoringCase($0) } }
    }
}
