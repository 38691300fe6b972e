import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// Requests within a call: from one side to the other (RFC 3261 section 12, 14, RFC 3262, 3311, 3515, 6086).
extension CallShard {
    /// Handles a request in a dialog of a call, other than ACK and CANCEL.
    mutating func receive(
        _ request: borrowing SIPMessage, _ key: TransactionKey, inDialogOf place: CallTable.Place, from flow: Flow,
        server: SIPServer, now: Now, effects: inout Effects
    ) {
        let index = place.call
        let side: CallSide = place.leg == nil ? .caller : .callee
        guard let call = calls[index], let pair = dialogPosition(of: request, place, call) else {
            server.reject(request, .dialogUnknown, from: flow, now: now, effects: &effects)
            return
        }
        // Until its last transaction is over a call is still known, but nobody is there any more. A BYE that crosses ours is
        // answered as ever.
        let isEnded = place.leg.map { call.legs[$0].dialogs[pair].isEnded } ?? (call.caller?.state == .over)
        if isEnded, request.method != .bye {
            server.reject(request, .dialogUnknown, from: flow, now: now, effects: &effects)
            return
        }
        if request.method != .bye, server.isFull(forDialogs: true) {
            server.reject(request, .serverOverloaded, from: flow, now: now, effects: &effects)
            return
        }
        effects.prove(flow)
        let transaction = insertServer(request, key, owner: nil, from: flow)
        transactions.servers[transaction]?.call = index
        run(server: transaction, .request, server, now, &effects)
        guard acceptSequence(request.sequenceNumber, side, place.leg, pair, index) else {
            // 12.2.2.
            refuseInDialog(request, transaction, .init(status: 500), from: flow, server, now, &effects)
            return
        }
        if request.method == .bye {
            refuseInDialog(request, transaction, .init(status: 200), from: flow, server, now, &effects)
            hungUp(by: side, place.leg, pair, index, server: server, now: now, effects: &effects)
            return
        }
        relay(
            request, transaction, side, place.leg, pair, index, from: flow, server: server, now: now, effects: &effects)
    }

    private mutating func hungUp(
        by side: CallSide, _ leg: Int?, _ pair: Int, _ index: SlabIndex, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let call = calls[index] else { return }
        if side == .callee, let leg {
            calls[index]?.legs[leg].dialogs[pair].isEnded = true
            // Of a fork that lost, or of an early dialog, nothing more depends.
            if call.legs[leg].answered != pair { return }
        }
        if side == .caller, call.caller?.state == .waiting {
            // 15: the caller may end an early dialog by BYE.
            reject(487, .callCancelled, index, server: server, now: now, effects: &effects)
            tell(.callerGone, index, server: server, now: now, effects: &effects)
            return
        }
        sideGone(side, leg, nil, index, server: server, now: now, effects: &effects)
    }

    private mutating func relay(
        _ request: borrowing SIPMessage, _ transaction: SlabIndex, _ side: CallSide, _ leg: Int?, _ pair: Int,
        _ index: SlabIndex, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index] else { return }
        let isConfirmed = call.caller?.state == .confirmed || call.caller?.state == .answering
        if let refusal = call.relay.refusal(of: request, from: side, isConfirmed: isConfirmed) {
            refuseInDialog(request, transaction, refusal, from: flow, server, now, &effects)
            return
        }
        let isChange = request.method == .invite || request.method == .update
        if isChange, call.bringing != nil || side == .callee && call.caller?.state == .answering {
            // 14.1 and 14.2: an INVITE of ours is under way with the other side, without its answer or its ACK.
            refuseInDialog(request, transaction, .init(status: 491), from: flow, server, now, &effects)
            return
        }
        guard let other = otherSide(of: side, leg, pair, call, isConfirmed) else {
            // Nobody is there at the moment: it may be tried again (14.2).
            let refusal = InDialogRelay.Refusal(
                status: request.method == .options ? 200 : 500, retryAfter: request.method == .options ? nil : 5)
            refuseInDialog(request, transaction, refusal, from: flow, server, now, &effects)
            return
        }
        guard let sequence = nextSequence(other, index), let dialog = dialog(other, calls[index]) else { return }
        noteTarget(request, side, leg, pair, index)
        if request.method == .invite {
            sendTrying(to: request, transaction, from: flow, server: server, now: now, effects: &effects)
        }
        let way = server.flow(of: dialog, now)
        var writer = ByteWriter(capacity: request.bytes.count + 512)
        call.relay.write(
            request, from: side, to: dialog, sequence: sequence, contact: contact(of: way, server), into: &writer)
        let kept = patched(request, from: flow)
        let (method, number) = (request.method, request.sequenceNumber)
        let context = startOwn(
            writer.slice.bytes, [.peer(way, requestURI: dialog.requestURI)], [], RequestUser(call: index, part: .relay),
            server: server, now: now, effects: &effects)
        var pending = InDialogRelay.Pending(
            side: side, method: method, server: transaction, context: context, sequence: number,
            otherSequence: sequence, request: kept)
        if case .leg(let leg, let pair) = other { (pending.leg, pending.pair) = (leg, pair) }
        calls[index]?.relay.add(pending)
    }

    /// An answer to a request that was passed on.
    mutating func relayAnswers(
        _ response: borrowing SIPMessage, _ flow: Flow, _ index: SlabIndex, _ context: SlabIndex, server: SIPServer,
        now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], let place = call.relay.index(ofContext: context) else {
            acknowledgeStray(response, flow, server: server, effects: &effects)
            return
        }
        let pending = call.relay.pending[place]
        if response.status < 200, pending.method != .invite { return }
        giveBack(response, pending, place, index, server: server, now: now, effects: &effects)
    }

    /// A request that was passed on has failed.
    mutating func relayFails(
        _ index: SlabIndex, _ context: SlabIndex, _ status: UInt16, _ reason: Reason, _ answer: [UInt8],
        server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], let place = call.relay.index(ofContext: context) else { return }
        let pending = call.relay.pending[place]
        if status == 401 || status == 407,
            retry(pending, place, answer, index, server: server, now: now, effects: &effects)
        {
            return
        }
        if status == 408, answer.isEmpty, pending.method != .invite {
            // RFC 4320 section 4.2: the sender has given up at the same time.
            run(server: pending.server, .abandoned, server, now, &effects)
            calls[index]?.relay.finish(place, status: status)
        } else if answer.isEmpty {
            let start = effects.outbox.bytes.count
            pending.request.withSlice { bytes in
                var request = SIPMessage()
                _ = request.parse(bytes)
                effects.outbox.bytes.beginResponse(to: request, status: status, source: nil, toTag: .empty)
                server.domains.domain.withSlice { effects.outbox.bytes.appendWarning(reason, domain: $0) }
                effects.outbox.bytes.endResponse()
            }
            self.answer(pending.server, status: status, from: start, server, now, &effects)
            calls[index]?.relay.finish(place, status: status)
        } else {
            answer.withSlice { bytes in
                var response = SIPMessage()
                _ = response.parse(bytes)
                giveBack(response, pending, place, index, server: server, now: now, effects: &effects)
            }
        }
        // RFC 5057 section 5: the far dialog is gone.
        guard status == 408 || status == 481 || status == 430 else { return }
        let reason: Reason = status == 481 ? .dialogUnknown : .noAnswer
        if pending.side == .callee {
            // A caller who has not got our final answer yet, or not acknowledged it, may not know the dialog at all.
            guard call.caller?.state == .confirmed else { return }
            if status != 481, let sequence = calls[index]?.caller?.dialog?.nextSequence() ?? nil,
                let dialog = calls[index]?.caller?.dialog
            {
                // 12.2.1.2: perhaps it hears a BYE still.
                sendBye(in: dialog, sequence, index, server: server, now: now, effects: &effects)
            }
            sideGone(.caller, nil, reason, index, server: server, now: now, effects: &effects)
            return
        }
        // An early dialog, or one that has lost, is no more than that.
        guard let leg = pending.leg, leg == call.connected, calls[index]?.legs[leg].answered == pending.pair else {
            return
        }
        if status != 481 { endDialog(leg, pending.pair, index, reason, server: server, now: now, effects: &effects) }
        sideGone(.callee, leg, reason, index, server: server, now: now, effects: &effects)
    }

    /// Sends a request that the callee's side has challenged once more, with the credentials of its leg (22.2); false when
    /// there are none, or they were refused.
    private mutating func retry(
        _ pending: InDialogRelay.Pending, _ place: Int, _ answer: [UInt8], _ index: SlabIndex, server: SIPServer,
        now: Now, effects: inout Effects
    ) -> Bool {
        guard pending.side == .caller, !pending.isRetried, let call = calls[index], let leg = call.connected,
            let answered = call.legs[leg].answered
        else { return false }
        let made = call.legs[leg]
        let dialog = made.dialogs[answered].callee
        var line: [UInt8] = []
        var bytes: [UInt8] = []
        let way = server.flow(of: dialog, now)
        let number = calls[index]?.legs[leg].dialogs[answered].callee.nextSequence() ?? nil
        guard let number else { return false }
        pending.request.withSlice { requestBytes in
            var request = SIPMessage()
            _ = request.parse(requestBytes)
            answer.withSlice { answer in
                var response = SIPMessage()
                _ = response.parse(answer)
                let credentials = dialog.requestURI.withSlice { uri in
                    DigestAnswer(
                        to: response, method: request.methodText, uri: uri, body: request.body, user: made.user,
                        password: made.password, key: server.settings.runKey)
                }
                guard let credentials else { return }
                line = credentials.line
            }
            var writer = ByteWriter(capacity: requestBytes.count + 512)
            call.relay.write(
                request, from: .caller, to: dialog, sequence: number, contact: contact(of: way, server),
                credentials: line, into: &writer)
            bytes = writer.slice.bytes
        }
        if line.isEmpty { return false }
        if pending.method == .invite { calls[index]?.legs[leg].credentials = line }
        let context = startOwn(
            bytes, [.peer(way, requestURI: dialog.requestURI)], [], RequestUser(call: index, part: .relay),
            server: server, now: now, effects: &effects)
        calls[index]?.relay.retried(place, context: context, otherSequence: number)
        return true
    }

    /// The 2xx to a re-INVITE whose sender is gone: it must not come again and again. The BYE is on the way.
    private func acknowledgeStray(
        _ response: borrowing SIPMessage, _ flow: Flow, server: SIPServer, effects: inout Effects
    ) {
        guard response.method == .invite, response.status >= 200,
            let dialog = Dialog(
                asCaller: response, localTag: response.fromTag.bytes, requestURI: response.to.uri, flow: flow)
        else { return }
        sendAcknowledgement(
            in: dialog, response.sequenceNumber, [], server: server, effects: &effects)
    }

    private mutating func giveBack(
        _ response: borrowing SIPMessage, _ pending: InDialogRelay.Pending, _ place: Int, _ index: SlabIndex,
        server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index] else { return }
        let start = effects.outbox.bytes.count
        var sequence: UInt32?
        if response.status < 200 {
            sequence =
                calls[index]?.relay.reliableSequence(for: response, to: pending.side, leg: 0) ?? nil
        }
        let status = InDialogRelay.status(of: response)
        pending.request.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            let near = nearDialog(of: pending.side, request, call)
            if let near {
                InDialogRelay.write(
                    response, to: request, in: near, contact: contact(of: near.flow, server),
                    reliableSequence: sequence, into: &effects.outbox.bytes)
            }
        }
        if effects.outbox.bytes.count == start { return }
        answer(pending.server, status: status, from: start, server, now, &effects)
        if status < 200 || pending.isAnswered { return }
        if status < 300 {
            noteTarget(response, pending.side.other, call.connected, nil, index)
            pending.request.withSlice { bytes in
                var request = SIPMessage()
                _ = request.parse(bytes)
                calls[index]?.session.refresh(by: response, to: request, at: now.instant)
            }
            watchSession(index, now)
        }
        calls[index]?.relay.finish(place, status: status)
    }

    /// Answers a request in a dialog here: 200 to BYE, or a refusal.
    private mutating func refuseInDialog(
        _ request: borrowing SIPMessage, _ transaction: SlabIndex, _ refusal: InDialogRelay.Refusal, from flow: Flow,
        _ server: SIPServer, _ now: Now, _ effects: inout Effects
    ) {
        let start = effects.outbox.bytes.count
        effects.outbox.bytes.beginResponse(
            to: request, status: refusal.status, source: flow.remote, toTag: .empty)
        if let seconds = refusal.shortestInterval {
            effects.outbox.bytes.appendHeader("Min-SE", number: UInt64(seconds))
        }
        if let seconds = refusal.retryAfter {
            effects.outbox.bytes.appendHeader("Retry-After", number: UInt64(seconds))
        }
        if !refusal.unsupported.isEmpty {
            refusal.unsupported.withSlice { effects.outbox.bytes.appendHeader("Unsupported", $0) }
        }
        if refusal.status == 405 || refusal.status == 200 && request.method == .options {
            effects.outbox.bytes.appendHeader("Allow", Refusal.allowedMethods)
        }
        effects.outbox.bytes.endResponse()
        answer(transaction, status: refusal.status, from: start, server, now, &effects)
    }

    /// Ends what is under way between the sides, as one of them is gone.
    mutating func dropRelay(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let open = calls[index]?.relay.end() else { return }
        for pending in open {
            let start = effects.outbox.bytes.count
            pending.request.withSlice { bytes in
                var request = SIPMessage()
                _ = request.parse(bytes)
                // 15.1.2: what was pending when the dialog ended.
                effects.outbox.bytes.beginResponse(
                    to: request, status: 487, source: nil, toTag: .empty)
                effects.outbox.bytes.endResponse()
            }
            answer(pending.server, status: 487, from: start, server, now, &effects)
        }
    }

    // MARK: Session timer

    /// Starts the watch over the session anew (RFC 4028).
    mutating func watchSession(_ index: SlabIndex, _ now: Now) {
        guard let call = calls[index] else { return }
        transactions.timers.cancel(call.sessionTimer)
        guard let deadline = call.session.deadline else { return }
        let timer = schedule(.callSession, deadline.milliseconds(since: now.instant), index, now)
        calls[index]?.sessionTimer = timer
    }

    /// Nobody has refreshed the session: both sides are hung up.
    mutating func sessionTimerFired(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let call = calls[index], call.caller?.state != .over else { return }
        hangUpCaller(.sessionExpired, index, server: server, now: now, effects: &effects, isForced: true)
        tell(.callerGone, index, server: server, now: now, effects: &effects)
    }
}
