import Primitives
import SIPMessage

/// What a message of one side becomes on the other.
extension InDialogRelay {
    /// Writes a request of `side` as the other side gets it, for forwarding.
    ///
    /// - Parameters:
    ///   - dialog: That of the other side.
    ///   - sequence: Its number there.
    ///   - contact: Our URI there.
    ///   - credentials: A header line with credentials; empty for none.
    func write(
        _ request: borrowing SIPMessage, from side: CallSide, to dialog: Dialog, sequence: UInt32, contact: [UInt8],
        credentials: [UInt8] = [], into writer: inout ByteWriter
    ) {
        dialog.beginRequest(
            request.methodText, sequence: sequence, contact: request.method.hasContact ? contact : nil, into: &writer)
        appendHeaders(of: request, from: side, hop: true, &writer)
        writer.append(credentials)
        if let answer = reliableAnswer(acknowledgedBy: request, from: side), request.method == .prack {
            writer.append("RAck: ")
            writer.append(decimal: UInt64(answer.otherSequence))
            writer.append(byte: ASCII.space)
            writer.append(decimal: UInt64(answer.invite))
            writer.append(" INVITE\r\n")
        }
        writer.endRequest(body: request.body)
    }

    /// Writes the ACK of a 2xx as the other side gets it, complete.
    ///
    /// - Parameters:
    ///   - dialog: That of the other side.
    ///   - sequence: The number of the INVITE there.
    ///   - credentials: Those of the INVITE, which its ACK has too (RFC 3261 22.1).
    static func writeAcknowledgement(
        _ request: borrowing SIPMessage, to dialog: Dialog, sequence: UInt32, credentials: [UInt8] = [],
        viaStart: [UInt8], key: HashKey, into writer: inout ByteWriter
    ) {
        dialog.beginAcknowledgement(sequence: sequence, viaStart: viaStart, key: key, into: &writer)
        writer.append(credentials)
        writer.appendEndToEnd(of: request)
        writer.endMessage(body: request.body)
    }

    /// Writes an answer of one side as the sender of the request gets it.
    ///
    /// - Parameters:
    ///   - request: The request that it answers, as its sender has sent it.
    ///   - dialog: That of the request's sender.
    ///   - contact: Our URI there.
    ///   - reliableSequence: Its RSeq there (`reliableSequence`), nil for one that is not sent reliably.
    static func write(
        _ response: borrowing SIPMessage, to request: borrowing SIPMessage, in dialog: Dialog, contact: [UInt8],
        reliableSequence: UInt32?, into writer: inout ByteWriter
    ) {
        let status = InDialogRelay.status(of: response)
        let hasContact = request.method.hasContact && status < 300
        dialog.beginResponse(
            to: request, status: status,
            phrase: status == response.status && !response.reasonPhrase.isEmpty ? response.reasonPhrase : nil,
            source: nil, contact: hasContact ? contact : nil, into: &writer)
        writer.appendEndToEnd(of: response, isReliable: reliableSequence != nil)
        if let seconds = SessionTimer.addedInterval(to: response, request) {
            writer.append("Require: timer\r\nSession-Expires: ")
            writer.append(decimal: UInt64(seconds))
            writer.append(";refresher=uac\r\n")
        }
        if let reliableSequence { writer.appendHeader("RSeq", number: UInt64(reliableSequence)) }
        writer.endMessage(body: response.body)
    }

    /// The status of an answer on the other side: whoever is challenged there is this server, whose credentials were not
    /// taken.
    static func status(of response: borrowing SIPMessage) -> UInt16 {
        response.status == 401 || response.status == 407 ? 403 : response.status
    }

    private func appendHeaders(
        of request: borrowing SIPMessage, from side: CallSide, hop: Bool, _ writer: inout ByteWriter
    ) {
        guard request.method == .notify, let event = request.value(of: .event),
            let id = Parameters(event.from(event.firstIndex(of: UInt8(ascii: ";")) ?? event.count))["id"],
            event.starts(withIgnoringCase: "refer"), let number = id.decimal(limit: UInt64(UInt32.max)),
            let other = referralID(UInt32(number), notifiedBy: side)
        else {
            writer.appendEndToEnd(of: request, hop: hop)
            return
        }
        writer.appendEndToEnd(of: request, hop: hop, withoutEvent: true)
        writer.append("Event: refer;id=")
        writer.append(decimal: UInt64(other))
        writer.append("\r\n")
    }
}

extension Method {
    /// True for a request that has a Contact within a dialog, as have its 2xx (RFC 3261 table 3, 3311, 3515, 6665).
    fileprivate var hasContact: Bool {
        self == .invite || self == .update || self == .refer || self == .notify
    }
}
