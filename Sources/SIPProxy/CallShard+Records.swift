import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// The records of calls and texts: what is told of them, and when.
///
/// A request within a dialog has none of its own: not a re-INVITE, nor a MESSAGE in a call, of whose sender only the
/// dialog is proved and not the client.
extension CallShard {
    /// Begins the record of a client's request, when it is of a kind that has one.
    func beginRecord(
        of request: borrowing SIPMessage, _ uri: SIPURI?, clientID: Int64, server: SIPServer, now: Now,
        effects: inout Effects
    ) -> PendingRecord {
        guard request.toTag.isEmpty else { return PendingRecord() }
        switch request.method {
        case .invite:
            let number = server.nextRecordNumber(now: now)
            effects.records.append(
                .callStarted(
                    number: number, clientID: clientID, to: request.dialled(uri), at: now.unix,
                    callID: request.callID.bytes))
            return PendingRecord(number, clientID: clientID)
        case .message where request.isWritten:
            return PendingRecord(
                server.nextRecordNumber(now: now), clientID: clientID, dialled: request.dialled(uri),
                text: request.text)
        default: return PendingRecord()
        }
    }

    /// Ends a record with the final status of its request, other than the 2xx to an INVITE.
    func endRecord(
        _ record: PendingRecord, of method: Method, _ status: UInt16, _ reason: Reason?, now: Now,
        effects: inout Effects
    ) {
        if record.number == .none { return }
        if method == .invite {
            effects.records.append(
                .callEnded(number: record.number, at: now.unix, status: status, reason: reason))
        } else if record.clientID == 0 {
            effects.records.append(
                .messageEnded(number: record.number, at: now.unix, status: status, reason: reason))
        } else {
            effects.records.append(
                .message(
                    number: record.number, clientID: record.clientID, to: record.dialled, body: record.text,
                    createdAt: record.number.time, endedAt: now.unix, status: status, reason: reason))
        }
    }

    /// Tells the record of a call that a device rings, once.
    mutating func recordRinging(_ context: SlabIndex, _ status: UInt16, now: Now, effects: inout Effects) {
        guard (180...189).contains(status), let record = contexts[context]?.record, record.number != .none,
            !record.isRinging
        else { return }
        contexts[context]?.record.isRinging = true
        effects.records.append(.callRinging(number: record.number, at: now.unix))
    }

    /// Tells the record of a request of its first 2xx.
    func recordSuccess(
        _ state: ResponseContext, _ response: borrowing SIPMessage, now: Now, effects: inout Effects
    ) {
        guard state.method == .invite else {
            endRecord(state.record, of: state.method, response.status, nil, now: now, effects: &effects)
            return
        }
        if state.record.number == .none { return }
        effects.records.append(
            .callAnswered(
                number: state.record.number, at: now.unix, tag: RouteToken.dialogHash(tag: response.toTag)))
    }

    /// Tells the record of a call of a BYE in one of its dialogs.
    func recordHangUp(
        _ request: borrowing SIPMessage, _ token: RouteToken, isFromCaller: Bool, now: Now, effects: inout Effects
    ) {
        if token.record == .none { return }
        let tag = isFromCaller ? request.toTag : request.fromTag
        effects.records.append(
            .callHungUp(number: token.record, at: now.unix, tag: RouteToken.dialogHash(tag: tag)))
    }
}
