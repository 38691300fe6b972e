import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// The caller's side of a call.
extension CallShard {
    /// Tells the caller of a provisional answer of a leg.
    mutating func passProvisional(
        _ response: borrowing SIPMessage, _ leg: Int, _ pair: Int?, _ index: SlabIndex, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let call = calls[index], let caller = call.caller, response.status > 100 else { return }
        let start = effects.outbox.bytes.count
        let dialog = pair.flatMap { call.legs[leg].dialogs[$0].caller }
        let sequence =
            dialog == nil
            ? nil : calls[index]?.relay.reliableSequence(for: response, to: .caller, leg: (leg << 8 | (pair ?? 0)) + 1)
        if sequence ?? nil == nil, let pair {
            // The same again is told from time to time only, so that no proxy on the way gives up (13.3.1.1).
            let last = call.legs[leg].dialogs[pair].told
            var hash = SipHash(key: server.settings.runKey)
            hash.update(response.body)
            let body = hash.finalize().first
            if let last, last.status == response.status, last.body == body,
                now.instant.milliseconds(since: last.at) < 50_000
            {
                return
            }
            calls[index]?.legs[leg].dialogs[pair].told = (response.status, body, now.instant)
        }
        let contact = contact(of: caller.flow, server)
        caller.invite.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            if let dialog {
                InDialogRelay.write(
                    response, to: request, in: dialog, contact: contact, reliableSequence: sequence ?? nil,
                    into: &effects.outbox.bytes)
            } else {
                // Without a tag it makes no dialog: no more than that it rings.
                ResponseTag(for: request, key: server.settings.runKey).withSlice {
                    effects.outbox.bytes.beginResponse(
                        to: request, status: response.status, source: nil, toTag: $0)
                }
                effects.outbox.bytes.appendContact(contact)
                effects.outbox.bytes.endMessage()
            }
        }
        answer(caller.server, status: response.status, from: start, server, now, &effects)
    }

    /// Answers the caller with what a leg has answered; a caller who was answered before gets its session by a re-INVITE.
    mutating func connect(
        _ leg: Int, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], let caller = call.caller, call.legs.indices.contains(leg),
            let pair = call.legs[leg].pair
        else { return }
        calls[index]?.connected = leg
        guard caller.state == .waiting else {
            bringSession(of: leg, index, server: server, now: now, effects: &effects)
            return
        }
        guard var dialog = pair.caller else { return }
        dialog.confirm()
        calls[index]?.relay.finishFirstInvite()
        calls[index]?.caller?.dialog = dialog
        calls[index]?.caller?.state = .answering
        calls[index]?.caller?.invite = []
        calls[index]?.legs[leg].answer = []
        for other in call.legs.indices {
            for place in call.legs[other].dialogs.indices { calls[index]?.legs[other].dialogs[place].caller = nil }
        }
        let start = effects.outbox.bytes.count
        let contact = contact(of: caller.flow, server)
        caller.invite.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            call.legs[leg].answer.withSlice { bytes in
                var response = SIPMessage()
                _ = response.parse(bytes)
                InDialogRelay.write(
                    response, to: request, in: dialog, contact: contact, reliableSequence: nil,
                    into: &effects.outbox.bytes)
                calls[index]?.session.refresh(by: response, to: request, at: now.instant)
            }
        }
        let answer = effects.outbox.bytes.slice(from: start).bytes
        self.answer(caller.server, status: 200, from: start, server, now, &effects)
        watchSession(index, now)
        let timers = server.settings.timers
        calls[index]?.caller?.answer = answer
        calls[index]?.caller?.wait = timers.t1
        calls[index]?.caller?.patience = timers.transactionTimeout
        // 13.3.1.4: over any transport, until the ACK comes.
        let timer = schedule(.callAnswer, UInt64(timers.t1), index, now)
        calls[index]?.answerTimer = timer
        effects.records.append(.callAnswered(number: call.facts.number, at: now.unix, tag: 0))
    }

    /// The ACK has not come: the 2xx again, in the end a BYE (13.3.1.4).
    mutating func answerTimerFired(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let caller = calls[index]?.caller, caller.state == .answering else { return }
        if caller.patience <= caller.wait {
            calls[index]?.caller?.answer = []
            hangUpCaller(.acknowledgementMissing, index, server: server, now: now, effects: &effects, isForced: true)
            tell(.callerGone, index, server: server, now: now, effects: &effects)
            return
        }
        // The way of answers, which for a caller without rport is another than that of requests.
        let flow = transactions.servers[caller.server]?.flow ?? caller.flow
        caller.answer.withSlice { effects.outbox.send($0, to: flow) }
        let wait = min(caller.wait &* 2, server.settings.timers.t2)
        calls[index]?.caller?.patience = caller.patience - caller.wait
        calls[index]?.caller?.wait = wait
        let timer = schedule(.callAnswer, UInt64(min(wait, caller.patience - caller.wait)), index, now)
        calls[index]?.answerTimer = timer
    }

    /// An ACK in a dialog of a call.
    mutating func receiveAcknowledgement(
        _ request: borrowing SIPMessage, of place: CallTable.Place, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        let index = place.call
        guard let call = calls[index], let caller = call.caller else { return }
        effects.prove(flow)
        if place.leg == nil, caller.state == .answering {
            guard caller.dialog?.contains(request) == true else { return }
            calls[index]?.caller?.state = .confirmed
            calls[index]?.caller?.answer = []
            transactions.timers.cancel(call.answerTimer)
            if call.bringing == nil, let leg = call.connected, let answered = call.legs[leg].answered,
                !call.legs[leg].dialogs[answered].isAcknowledged
            {
                // The INVITE had no offer: the answer to the callee's is in this ACK.
                acknowledge(
                    leg, answered, index, body: request.body, type: request.value(of: .contentType) ?? .empty,
                    server: server, effects: &effects)
            }
            if caller.isHangUpWanted {
                hangUpCaller(caller.hangUpReason, index, server: server, now: now, effects: &effects)
                removeIfSpent(call: index, server)
            } else if let leg = call.bringing?.leg {
                bringSession(of: leg, index, server: server, now: now, effects: &effects)
            }
            return
        }
        // The ACK to a re-INVITE goes on to who has answered that.
        let side: CallSide = place.leg == nil ? .caller : .callee
        guard let sequence = call.relay.acknowledgedSequence(request.sequenceNumber, from: side),
            let other = otherDialog(of: side, call), server.isUsable(other.flow)
        else { return }
        let start = effects.outbox.bytes.count
        InDialogRelay.writeAcknowledgement(
            request, to: other, sequence: sequence,
            credentials: side == .caller ? call.connected.map { call.legs[$0].credentials } ?? [] : [],
            viaStart: server.settings.listeners[Int(other.flow.listener)].viaStart, key: server.settings.runKey,
            into: &effects.outbox.bytes)
        effects.outbox.send(from: start, to: server.flow(of: other, now))
    }

    // MARK: The end

    /// Refuses the caller, who has no final answer yet.
    mutating func reject(
        _ status: UInt16, _ reason: Reason, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], let caller = call.caller, caller.state == .waiting else { return }
        calls[index]?.caller?.state = .over
        let start = effects.outbox.bytes.count
        caller.invite.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            ResponseTag(for: request, key: server.settings.runKey).withSlice {
                effects.outbox.bytes.beginResponse(to: request, status: status, source: nil, toTag: $0)
            }
            server.domains.domain.withSlice { effects.outbox.bytes.appendWarning(reason, domain: $0) }
            effects.outbox.bytes.endResponse()
        }
        answer(caller.server, status: status, from: start, server, now, &effects)
        calls[index]?.caller?.invite = []
        endRecord(
            index, { .callEnded(number: $0, at: now.unix, status: status, reason: reason) },
            result: SIPServer.result(of: status), reason, now: now, effects: &effects)
    }

    /// The caller has cancelled its INVITE, or a re-INVITE that was passed on.
    mutating func cancelled(
        _ transaction: SlabIndex, by request: borrowing SIPMessage, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let index = transactions.servers[transaction]?.call, let call = calls[index] else { return }
        if let caller = call.caller, caller.server == transaction {
            guard caller.state == .waiting else { return }
            reject(487, .callCancelled, index, server: server, now: now, effects: &effects)
            tell(.callerGone, index, server: server, now: now, effects: &effects)
        } else if let place = call.relay.index(ofServer: transaction) {
            let context = call.relay.pending[place].context
            guard contexts[context]?.isFinal == false else { return }
            contexts[context]?.isCancelled = true
            cancelBranches(
                context, reason: request.wellFormedReasons, server: server, now: now, effects: &effects)
        }
    }

    /// Hangs up the caller, as soon as that is allowed (15: not before its ACK).
    mutating func hangUpCaller(
        _ reason: Reason?, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects,
        isForced: Bool = false
    ) {
        if cancelParty(index, server: server, now: now, effects: &effects) { return }
        guard let call = calls[index], let caller = call.caller else { return }
        let why = reason ?? (call.endCause.reason == .callCancelled ? nil : call.endCause.reason)
        endRecord(
            index,
            {
                why == nil
                    ? .callHungUp(number: $0, at: now.unix, tag: 0)
                    : .callClosed(number: $0, at: now.unix, reason: why)
            }, result: "completed", why, now: now, effects: &effects)
        dropRelay(index, server: server, now: now, effects: &effects)
        if caller.state == .answering, !isForced {
            calls[index]?.caller?.isHangUpWanted = true
            calls[index]?.caller?.hangUpReason = reason
            return
        }
        guard caller.state == .confirmed || caller.state == .answering else { return }
        calls[index]?.caller?.state = .over
        guard let dialog = caller.dialog, let sequence = calls[index]?.caller?.dialog?.nextSequence() else { return }
        sendBye(in: dialog, sequence, index, server: server, now: now, effects: &effects)
    }

    /// The dialog of the caller or of a leg has ended without a BYE of ours: by one of theirs, or as it is dead.
    mutating func sideGone(
        _ side: CallSide, _ leg: Int?, _ reason: Reason?, _ index: SlabIndex, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let call = calls[index] else { return }
        dropRelay(index, server: server, now: now, effects: &effects)
        if side == .caller {
            calls[index]?.caller?.state = .over
            calls[index]?.caller?.answer = []
            transactions.timers.cancel(call.answerTimer)
            endRecord(
                index,
                {
                    reason == nil
                        ? .callHungUp(number: $0, at: now.unix, tag: 0)
                        : .callClosed(number: $0, at: now.unix, reason: reason)
                }, result: "completed", reason, now: now, effects: &effects)
            tell(.callerGone, index, server: server, now: now, effects: &effects)
            return
        }
        guard let leg, call.legs.indices.contains(leg), !call.legs[leg].isOver else { return }
        calls[index]?.legs[leg].isOver = true
        if let answered = call.legs[leg].answered {
            calls[index]?.legs[leg].dialogs[answered].isEnded = true
        }
        if call.legs[leg].record != .none {
            effects.records.append(
                reason == nil
                    ? .callHungUp(number: call.legs[leg].record, at: now.unix, tag: 0)
                    : .callClosed(number: call.legs[leg].record, at: now.unix, reason: reason))
        }
        tell(.legHungUp(leg), index, server: server, now: now, effects: &effects)
    }

    /// Our Contact towards a peer.
    func contact(of flow: Flow, _ server: SIPServer) -> [UInt8] {
        let listeners = server.settings.listeners
        return listeners.indices.contains(Int(flow.listener)) ? listeners[Int(flow.listener)].contact : []
    }
}
