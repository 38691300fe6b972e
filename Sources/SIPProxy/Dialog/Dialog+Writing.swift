import Primitives
import SIPMessage

/// Writing requests and answers of a dialog (RFC 3261 12.2.1.1, 13.2.2.4 and 8.2.6).
extension Dialog {
    /// The Request-URI of our requests: the remote target, or a first proxy that is a strict router (12.2.1.1).
    var requestURI: [UInt8] {
        strictRouter { router, _ in router.map(Dialog.requestURI(ofRouter:)) } ?? remoteTarget
    }

    /// Writes a request up to its further header lines, which the caller appends, then an empty line and the body
    /// (`endRequest`).
    ///
    /// - Parameters:
    ///   - method: The method's text.
    ///   - sequence: Its number: of `nextSequence`, or that of the INVITE for an ACK.
    ///   - contact: Our URI, for a request that refreshes the target; nil writes none.
    func beginRequest(
        _ method: ByteSlice, sequence: UInt32, contact: [UInt8]? = nil, into writer: inout ByteWriter
    ) {
        writer.append(method)
        writer.append(byte: ASCII.space)
        writer.append(requestURI)
        writer.append(" SIP/2.0\r\n")
        appendDialogHeaders(method, sequence, contact, &writer)
    }

    /// Writes the ACK to a 2xx as it is sent, over `flow`, without a transaction; the caller ends it with `endMessage`.
    ///
    /// The same ACK has the same branch each time, so that a repeated one is known as such.
    ///
    /// - Parameters:
    ///   - sequence: The number of the INVITE.
    ///   - viaStart: That of the listener that it leaves by.
    ///   - key: The secret of branches.
    func beginAcknowledgement(
        sequence: UInt32, viaStart: [UInt8], key: HashKey, into writer: inout ByteWriter
    ) {
        writer.append("ACK ")
        writer.append(requestURI)
        writer.append(" SIP/2.0\r\n")
        writer.append(viaStart)
        var hash = SipHash(key: key)
        hash.update("ack")
        callID.withSlice { hash.update($0) }
        hash.update(byte: 0)
        localTag.withSlice { hash.update($0) }
        hash.update(byte: 0)
        remoteTag.withSlice { hash.update($0) }
        hash.update(UInt64(sequence))
        writer.appendBranch(.none, hash.finalize().first)
        writer.append("Max-Forwards: 70\r\n")
        appendDialogHeaders("ACK", sequence, nil, &writer)
    }

    /// Writes the answer to a request of the peer up to its further header lines; the caller ends it with `endMessage`.
    ///
    /// - Parameters:
    ///   - source: Where the request came from; nil when its Via says so already.
    ///   - contact: Our URI: for an answer that makes the dialog or refreshes the target; nil writes none.
    func beginResponse(
        to request: borrowing SIPMessage, status: UInt16, phrase: ByteSlice? = nil, source: SocketAddress?,
        contact: [UInt8]?, into writer: inout ByteWriter
    ) {
        localTag.withSlice {
            writer.beginResponse(to: request, status: status, phrase: phrase, source: source, toTag: $0)
        }
        // 12.1.1: in all answers that make the dialog, in their order.
        if status < 300, request.method == .invite, request.toTag.isEmpty { writer.appendRecordedRoute(of: request) }
        if let contact { writer.appendContact(contact) }
    }

    private func appendDialogHeaders(
        _ method: ByteSlice, _ sequence: UInt32, _ contact: [UInt8]?, _ writer: inout ByteWriter
    ) {
        appendRoute(&writer)
        local.withSlice { writer.appendHeader("From", $0) }
        remote.withSlice { writer.appendHeader("To", $0) }
        callID.withSlice { writer.appendHeader("Call-ID", $0) }
        writer.append("CSeq: ")
        writer.append(decimal: UInt64(sequence))
        writer.append(byte: ASCII.space)
        writer.append(method)
        writer.append("\r\n")
        if let contact { writer.appendContact(contact) }
    }

    private func appendRoute(_ writer: inout ByteWriter) {
        if routeSet.isEmpty { return }
        strictRouter { router, rest in
            guard router != nil else {
                routeSet.withSlice { writer.appendHeader("Route", $0) }
                return
            }
            // 12.2.1.1: what should be the Request-URI is the last Route value.
            writer.append("Route: ")
            writer.append(rest)
            if !rest.isEmpty { writer.append(", ") }
            writer.append(byte: UInt8(ascii: "<"))
            writer.append(remoteTarget)
            writer.append(">\r\n")
        }
    }

    /// Calls `body` with the URI of the first route when that is a strict router, and the routes behind it.
    private func strictRouter<Result>(_ body: (ByteSlice?, ByteSlice) -> Result) -> Result {
        routeSet.withSlice { routes in
            let end = routes.endOfValue(from: 0)
            guard let first = NameAddress(routes[0..<end].trimmed()), let uri = SIPURI(first.uri), !uri.isLooseRouter
            else { return body(nil, routes) }
            return body(first.uri, routes.from(end + 1).trimmed())
        }
    }

    /// 12.2.1.1: without parameters that a Request-URI must not have, and without headers.
    private static func requestURI(ofRouter uri: ByteSlice) -> [UInt8] {
        uri[0..<(uri.firstIndex(of: UInt8(ascii: "?")) ?? uri.count)].bytes
    }
}

extension ByteWriter {
    /// Ends a request that is forwarded: an empty line and the body.
    mutating func endRequest(body: ByteSlice = .empty) {
        append("\r\n")
        append(body)
    }

    /// Ends a message that is sent as it is: Content-Length, an empty line and the body.
    mutating func endMessage(body: ByteSlice = .empty) {
        appendHeader("Content-Length", number: UInt64(body.count))
        append("\r\n")
        append(body)
    }

    /// Writes our Contact.
    mutating func appendContact(_ uri: [UInt8]) {
        append("Contact: <")
        append(uri)
        append(">\r\n")
    }

    /// Writes the Record-Route lines of a request into its answer.
    mutating func appendRecordedRoute(of request: borrowing SIPMessage) {
        for index in 0..<request.fieldCount where request.field(index).name == .recordRoute {
            append(request.line(request.field(index)))
        }
    }
}
