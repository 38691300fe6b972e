import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// Calls of applications: events to their programs, and what the programs want done.
extension CallShard {
    /// Handles what the proxy core has told calls, until nothing is left.
    @inline(__always)
    mutating func settleCalls(server: SIPServer, now: Now, effects: inout Effects) {
        if calls.inputs.isEmpty { return }
        settleInputs(server: server, now: now, effects: &effects)
    }

    private mutating func settleInputs(server: SIPServer, now: Now, effects: inout Effects) {
        var position = 0
        while position < calls.inputs.count {
            let input = calls.inputs[position]
            position += 1
            settle(input, server: server, now: now, effects: &effects)
        }
        calls.inputs.removeAll(keepingCapacity: true)
    }

    private mutating func settle(_ input: CallInput, server: SIPServer, now: Now, effects: inout Effects) {
        let index = input.user.call
        switch input.kind {
        case .event(let event): tell(event, index, server: server, now: now, effects: &effects)
        case .forgotten:
            calls[index]?.openContexts -= 1
            removeIfSpent(call: index, server)
        case .response(let bytes, let flow):
            bytes.withSlice { bytes in
                var response = SIPMessage()
                _ = response.parse(bytes)
                switch input.user.part {
                case .leg:
                    legAnswers(response, flow, index, input.user.number, server: server, now: now, effects: &effects)
                case .party:
                    partyAnswers(response, flow, index, server: server, now: now, effects: &effects)
                case .session:
                    sessionAnswers(response, index, input.user.number, server: server, now: now, effects: &effects)
                case .relay:
                    relayAnswers(
                        response, flow, index, input.context, server: server, now: now, effects: &effects)
                case .bye: break
                case .text:
                    endText(
                        UInt32(clamping: input.user.number), response.status, nil, index, server: server, now: now,
                        effects: &effects)
                }
            }
        case .failed(let status, let reason, let answer):
            switch input.user.part {
            case .leg:
                legFails(
                    index, input.user.number, status, reason, answer, server: server, now: now, effects: &effects)
            case .party: partyFails(index, status, reason, answer, server: server, now: now, effects: &effects)
            case .session:
                sessionFails(
                    index, input.user.number, status, server: server, now: now, effects: &effects)
            case .relay:
                relayFails(
                    index, input.context, status, reason, answer, server: server, now: now, effects: &effects)
            case .bye:
                if status == 401 || status == 407 {
                    retryBye(input.user.number, index, answer, server: server, now: now, effects: &effects)
                }
            case .text:
                textFails(
                    UInt32(clamping: input.user.number), status, reason, answer, index, server: server, now: now,
                    effects: &effects)
            }
        }
    }

    /// Gives an event to a call's program and does what comes of it.
    mutating func tell(
        _ event: CallEvent, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard calls[index] != nil else { return }
        switch event {
        case .timer(.ringing): calls[index]?.endCause = (408, .noAnswer)
        case .timer(.talk): calls[index]?.endCause = (487, .talkTimeUsed)
        case .ordered: calls[index]?.endCause = (487, .endedByOrder)
        case .legAnswered: calls[index]?.endCause = (487, nil)
        default: calls[index]?.endCause = (487, .callCancelled)
        }
        let actions = calls[index]?.program.handle(event, at: now.unix) { server.nextRecordNumber(now: now) } ?? []
        for action in actions { perform(action, index, server: server, now: now, effects: &effects) }
        removeIfSpent(call: index, server)
    }

    private mutating func perform(
        _ action: CallAction, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        switch action {
        case .fetch(let request): ask(request, isAnswerWanted: true, index, effects: &effects)
        case .tell(let request): ask(request, isAnswerWanted: false, index, effects: &effects)
        case .dial(let dial, let first, let records):
            begin(dial, first, records, index, server: server, now: now, effects: &effects)
        case .endLegs(let legs):
            for leg in legs { endLeg(leg, index, server: server, now: now, effects: &effects) }
        case .connect(let leg): connect(leg, index, server: server, now: now, effects: &effects)
        case .reject(let status, let reason):
            reject(status, reason, index, server: server, now: now, effects: &effects)
        case .hangUp: hangUpCaller(nil, index, server: server, now: now, effects: &effects)
        case .startTimer(let timer, let milliseconds): start(timer, milliseconds, index, now)
        case .stopTimer(let timer):
            if let reference = calls[index]?.timers.removeValue(forKey: timer) { transactions.timers.cancel(reference) }
        case .send(let text): send(text, index, server: server, now: now, effects: &effects)
        case .note(let notification): note(notification, index, now: now, effects: &effects)
        }
    }

    /// Hands a request to an application to the edge.
    mutating func ask(
        _ request: WebhookRequest, isAnswerWanted: Bool, _ index: SlabIndex, effects: inout Effects
    ) {
        guard let sequence = calls[index]?.webhooks.addingReportingOverflow(1).partialValue else { return }
        calls[index]?.webhooks = sequence
        effects.webhooks.append(
            PendingWebhook(
                reference: CallReference(shard: number, index: index), isAnswerWanted: isAnswerWanted,
                sequence: sequence, request: request))
    }

    /// Keeps a notification with the record, and tells the log of it.
    func note(_ notification: CallNotification, _ index: SlabIndex, now: Now, effects: inout Effects) {
        guard let facts = calls[index]?.facts else { return }
        effects.records.append(
            .noted(number: facts.number, accountID: facts.accountID, notification, at: now.unix))
        guard effects.log.begin(.applicationNote, at: now.unix) else { return }
        effects.log.field("call", facts.number, prefix: "CA")
        effects.log.field("code", number: notification.code)
        if !notification.url.isEmpty { notification.url.withSlice { effects.log.field("url", $0) } }
        if notification.line > 0 { effects.log.field("line", number: notification.line) }
        notification.message.withSlice { effects.log.field("what", $0) }
        effects.log.end()
    }

    // MARK: Timers

    private mutating func start(_ timer: CallTimer, _ milliseconds: UInt64, _ index: SlabIndex, _ now: Now) {
        let kind: TimerOwner.Kind =
            switch timer {
            case .ringing: .callRinging
            case .talk: .callTalk
            case .pause: .callPause
            case .deadline: .callDeadline
            }
        if let old = calls[index]?.timers[timer] { transactions.timers.cancel(old) }
        let timerReference = schedule(kind, milliseconds, index, now)
        calls[index]?.timers[timer] = timerReference
    }

    mutating func schedule(
        _ kind: TimerOwner.Kind, _ milliseconds: UInt64, _ index: SlabIndex, _ now: Now
    ) -> TimerReference {
        transactions.timers.schedule(
            at: now.instant.advanced(byMilliseconds: milliseconds),
            TimerOwner(position: index.position, generation: index.generation, kind: kind, timer: .c))
    }

    mutating func timerFired(
        _ timer: CallTimer, of index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        calls[index]?.timers[timer] = nil
        tell(.timer(timer), index, server: server, now: now, effects: &effects)
    }

    // MARK: The end

    /// Removes a call of which nothing can come any more.
    mutating func removeIfSpent(call index: SlabIndex, _ server: SIPServer) {
        guard let call = calls[index], call.isSpent else { return }
        for reference in call.timers.values { transactions.timers.cancel(reference) }
        transactions.timers.cancel(call.answerTimer)
        transactions.timers.cancel(call.sessionTimer)
        transactions.timers.cancel(call.party?.timer ?? .none)
        transactions.timers.cancel(call.bringing?.timer ?? .none)
        let key = server.settings.runKey
        if let caller = call.caller {
            calls.forget(callID: caller.callID, tag: caller.lookupTag, index, key)
        }
        for leg in call.legs { calls.forget(callID: leg.callID, tag: leg.localTag, index, key) }
        _ = calls.remove(index)
    }

    /// Ends the record of the call itself, once.
    mutating func endRecord(
        _ index: SlabIndex, _ change: (RecordNumber) -> RecordChange, result: ByteSlice, _ reason: Reason?, now: Now,
        effects: inout Effects
    ) {
        guard let call = calls[index], !call.isRecordEnded else { return }
        calls[index]?.isRecordEnded = true
        effects.records.append(change(call.facts.number))
        tellProgress(.completed, index, now: now, effects: &effects)
        guard effects.log.begin(.callEnd, at: now.unix) else { return }
        if let caller = call.caller { effects.log.field("src", source: caller.flow) }
        effects.log.field("call", call.facts.number, prefix: "CA")
        call.facts.from.withSlice { effects.log.field("from", $0) }
        call.facts.to.withSlice { effects.log.field("to", $0) }
        if let caller = call.caller { caller.callID.withSlice { effects.log.field("cid", $0) } }
        effects.log.field("result", result)
        effects.log.field("ms", number: Int64(clamping: now.instant.milliseconds(since: call.startedAt)))
        if let reason { effects.log.reason(reason) }
        effects.log.end()
    }
}
