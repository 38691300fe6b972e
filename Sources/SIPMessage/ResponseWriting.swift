import Primitives

/// Writing a response of our own (RFC 3261 8.2.6): `beginResponse`, any further header lines, `endResponse`.
extension ByteWriter {
    /// Writes the Status-Line and the headers that a response takes over from its request.
    ///
    /// - Parameters:
    ///   - request: The request, which needs at least what `SIPMessage.isAnswerable` asks for.
    ///   - phrase: The reason phrase; the usual one when nil.
    ///   - source: Where the request came from, for received and rport in the topmost Via (18.2.1, RFC 3581); nil when
    ///     the Via already has them.
    ///   - toTag: The tag put on To when it has none; empty for none (100 Trying).
    ///   - withoutTopVia: True for a request as we have forwarded it, with a Via line of ours on top.
    ///   - keepalive: The value for `keep` in the topmost Via, in seconds (RFC 6223); 0 for none.
    public mutating func beginResponse(
        to request: borrowing SIPMessage, status: UInt16, phrase: ByteSlice? = nil, source: SocketAddress?,
        toTag: ByteSlice, withoutTopVia: Bool = false, keepalive: UInt32 = 0
    ) {
        append("SIP/2.0 ")
        append(decimal: UInt64(status))
        append(byte: ASCII.space)
        append(phrase ?? StatusPhrase.phrase(of: status))
        append("\r\n")
        var isTop = true
        for index in 0..<request.fieldCount {
            let field = request.field(index)
            guard field.name == .via else { continue }
            if isTop, withoutTopVia {
                isTop = false
                continue
            }
            if isTop, let source {
                appendTopVia(of: request, field, receivedFrom: source, keepalive: keepalive)
            } else {
                append(request.line(field))
            }
            isTop = false
        }
        appendFirst(.from, of: request)
        if let index = request.firstIndex(of: .to) {
            append("To: ")
            append(request.value(request.field(index)))
            if request.toTag.isEmpty, !toTag.isEmpty {
                append(";tag=")
                append(toTag)
            }
            append("\r\n")
        }
        appendFirst(.callID, of: request)
        appendFirst(.cSeq, of: request)
        // 8.2.6.1: only 100 takes over the Timestamp.
        if status == 100 { appendFirst(.timestamp, of: request) }
    }

    /// Writes one header line.
    public mutating func appendHeader(_ name: ByteSlice, _ value: ByteSlice) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    /// Writes one header line with a number.
    public mutating func appendHeader(_ name: ByteSlice, number: UInt64) {
        append(name)
        append(": ")
        append(decimal: number)
        append("\r\n")
    }

    /// Ends a response without body.
    public mutating func endResponse() { append("Content-Length: 0\r\n\r\n") }

    /// Writes the Via line that holds the topmost value, with received and rport as of 18.2.1 and RFC 3581 section 4.
    ///
    /// Values of received and rport that the peer wrote are replaced: they would send the response elsewhere. With a
    /// `keepalive` in seconds, a peer that offers to send keepalives is told how often (RFC 6223 section 4.4).
    public mutating func appendTopVia(
        of message: borrowing SIPMessage, _ field: HeaderField, receivedFrom source: SocketAddress,
        keepalive: UInt32 = 0
    ) {
        let via = message.topVia
        let line = message.line(field)
        guard !via.text.isEmpty else {
            append(line)
            return
        }
        let viaEnd = via.text.offset(in: line) + via.text.count
        append(line[0..<viaEnd - via.parameters.text.count])
        var offset = 0
        var copied = 0
        while let parameter = via.parameters.next(from: &offset) {
            if parameter.name.equalsIgnoringCase("rport") {
                append(";rport=")
                append(decimal: UInt64(source.port))
            } else if !parameter.name.equalsIgnoringCase("received") {
                append(via.parameters.text[copied..<parameter.end])
                if keepalive > 0, !parameter.hasValue, parameter.name.equalsIgnoringCase("keep") {
                    append("=")
                    append(decimal: UInt64(keepalive))
                }
            }
            copied = parameter.end
        }
        append(via.parameters.text.from(copied))
        if via.hasResponsePort || via.needsReceived(from: source.address) {
            append(";received=")
            append(source.address, bracketed: false)
        }
        append(line.from(viaEnd))
    }

    private mutating func appendFirst(_ name: HeaderName, of message: borrowing SIPMessage) {
        guard let index = message.firstIndex(of: name) else { return }
        append(message.line(message.field(index)))
    }
}

extension Via {
    /// True when sent-by is not the address that the message came from (18.2.1). A peer cannot bring its own received.
    func needsReceived(from source: IPAddress) -> Bool {
        guard case .address(let address) = Host(host) else { return true }
        return address != source
    }

    /// Where a response goes whose request came over `source` with this topmost Via (18.2.2, RFC 3581 section 4).
    public func responseFlow(source: Flow) -> Flow {
        if source.transport.isReliable { return source }
        var flow = source
        if !hasResponsePort { flow.remote.port = port ?? 5060 }
        return flow
    }
}
