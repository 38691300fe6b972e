import Observability
import Primitives
import SIPMessage
import SIPTransaction

/// CANCEL processing (RFC 3261 9.2 and 16.10) and Timer C (16.8).
extension CallShard {
    /// Handles a CANCEL: it is answered hop by hop, and ends the branches of the INVITE that it names.
    mutating func receiveCancel(
        _ request: borrowing SIPMessage, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let secret = server.settings.runKey
        let via = request.topVia
        let key =
            TransactionKey.isUnique(branch: via.branch)
            ? TransactionKey(cancelledByBranch: via.branch, host: via.host, port: via.port ?? 5060, secret: secret)
            : TransactionKey(
                method: "INVITE", requestURI: request.requestURI, fromTag: request.fromTag, callID: request.callID,
                sequence: request.sequenceNumber, via: via.text, secret: secret)
        guard let index = transactions.serversByKey[key], let transaction = transactions.servers[index] else {
            server.reject(request, .transactionUnknown, from: flow, now: now, effects: &effects)
            return
        }
        // Without state of its own: the answer to a retransmitted CANCEL is the same again.
        server.respond(to: request, status: 200, from: flow, effects: &effects)
        if transaction.call != .none {
            cancelled(index, by: request, server: server, now: now, effects: &effects)
            return
        }
        guard case .invite(let machine) = transaction.machine, machine.state == .proceeding,
            contexts[transaction.context]?.isCancelled == false
        else { return }
        contexts[transaction.context]?.isCancelled = true
        contexts[transaction.context]?.waiting = []
        cancelBranches(
            transaction.context, reason: request.wellFormedReasons, server: server, now: now,
            effects: &effects)
        branchEnded(transaction.context, server: server, now: now, effects: &effects)
    }

    /// Cancels all branches of a context that have no final response yet.
    mutating func cancelBranches(
        _ context: SlabIndex, reason: [UInt8], server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let state = contexts[context] else { return }
        // Whatever the method: what has not been sent yet never will be.
        for position in state.branches.indices where state.branches[position].isUnresolved {
            contexts[context]?.branches[position].failover = nil
            contexts[context]?.branches[position].state = .completed
        }
        // 9.1: only an INVITE is cancelled.
        if state.method != .invite { return }
        for position in state.branches.indices where state.branches[position].state != .completed {
            contexts[context]?.branches[position].isCancelWanted = true
        }
        contexts[context]?.cancelReason = reason
        // 9.1: an answer to the cancelled INVITE is awaited for 64*T1, then the branches count as ended.
        startTimerC(context, server.settings.timers.transactionTimeout, now)
        sendWantedCancels(context, server: server, now: now, effects: &effects)
    }

    /// Sends the CANCELs that are wanted on branches which have a provisional response (9.1: not before).
    mutating func sendWantedCancels(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let state = contexts[context] else { return }
        for position in state.branches.indices {
            let branch = state.branches[position]
            guard branch.isCancelWanted, !branch.isCancelSent, branch.state == .proceeding,
                let invite = transactions.clients[branch.client]
            else { continue }
            contexts[context]?.branches[position].isCancelSent = true
            startTimerC(context, server.settings.timers.transactionTimeout, now)
            sendCancel(of: invite, reason: state.cancelReason, server: server, now: now, effects: &effects)
        }
    }

    private mutating func sendCancel(
        of invite: ClientTransaction, reason: [UInt8], server: SIPServer, now: Now, effects: inout Effects
    ) {
        let flow = server.presentFlow(of: invite, now)
        let isReliable = flow.transport.isReliable
        let index = transactions.insertClient(
            ClientTransaction(
                machine: .nonInvite(ClientNonInviteTransaction(isReliable: isReliable)), flow: flow,
                branchHash: invite.branchHash, context: .none, branch: 0))
        let start = effects.outbox.bytes.count
        invite.request.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            effects.outbox.bytes.beginHopByHop("CANCEL", of: request, to: nil)
            if !reason.isEmpty { reason.withSlice { effects.outbox.bytes.appendHeader("Reason", $0) } }
            effects.outbox.bytes.endResponse()
        }
        transactions.clients[index]?.request = effects.outbox.bytes.slice(from: start).bytes
        effects.outbox.send(from: start, to: flow, origin: CallShard.origin(shard: number, index))
        startClient(index, server.settings.timers, now)
        // The answer to the CANCEL has the branch of its INVITE (9.1): it finds this transaction through that.
        if let position = contexts[invite.context]?.branches[invite.branch].client {
            transactions.clients[position]?.cancel = index
        }
    }

    /// Sends the ACK for a final response other than 2xx, within the INVITE's transaction (17.1.1.3).
    mutating func sendAcknowledgement(
        of response: borrowing SIPMessage, for invite: ClientTransaction, _ server: SIPServer, _ now: Now,
        _ effects: inout Effects
    ) {
        var request = SIPMessage()
        let start = effects.outbox.bytes.count
        invite.request.withSlice { bytes in
            _ = request.parse(bytes)
            effects.outbox.bytes.beginHopByHop("ACK", of: request, to: response.value(of: .to))
            effects.outbox.bytes.endResponse()
        }
        effects.outbox.send(from: start, to: server.presentFlow(of: invite, now))
    }

    // MARK: Timer C

    /// Starts Timer C anew, or the wait for the end of cancelled branches, or that for the 100 to a request other than
    /// INVITE.
    mutating func startTimerC(_ context: SlabIndex, _ milliseconds: UInt32, _ now: Now) {
        guard let state = contexts[context] else { return }
        transactions.timers.cancel(state.timerC)
        let owner = TimerOwner(
            position: context.position, generation: context.generation, kind: .context, timer: .c)
        contexts[context]?.timerC = transactions.timers.schedule(
            at: now.instant.advanced(byMilliseconds: UInt64(milliseconds)), owner)
    }

    /// 16.8: a ringing branch is cancelled; one that was cancelled already counts as ended. A request other than INVITE
    /// that is still unanswered is answered 100.
    mutating func timerCFired(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let state = contexts[context], !state.isFinal || state.hasPendingBranch else { return }
        guard state.method == .invite else {
            if !state.isFinal { respond(context, status: 100, server: server, now: now, effects: &effects) }
            return
        }
        contexts[context]?.isTimedOut = !state.isCancelled
        contexts[context]?.waiting = []
        if state.branches.contains(where: { $0.state == .proceeding && !$0.isCancelWanted }) {
            cancelBranches(
                context, reason: Array("SIP;cause=408;text=\"Ringing too long\"".utf8), server: server, now: now,
                effects: &effects)
            return
        }
        for position in state.branches.indices where state.branches[position].state != .completed {
            contexts[context]?.branches[position].state = .completed
            contexts[context]?.branches[position].status = 408
        }
        // What the caller gets is written from the request that a client transaction still holds.
        branchEnded(context, server: server, now: now, effects: &effects)
        for branch in state.branches where branch.state != .completed { transactions.removeClient(branch.client) }
    }
}

extension SIPMessage {
    /// The Reason values (RFC 3326, one a protocol) as they came, those that can be read, joined by commas.
    var wellFormedReasons: [UInt8] {
        var reasons: [UInt8] = []
        var values = values(of: .reason)
        while let value = values.next(in: self), reasons.count < 512 {
            if ReasonValue(value) == nil { continue }
            if !reasons.isEmpty { reasons += [UInt8(ascii: ","), ASCII.space] }
            reasons += value.bytes
        }
        return reasons
    }
}

extension ByteWriter {
    /// Writes the start and the headers of a CANCEL or ACK for a forwarded request (9.1, 17.1.1.3): the same
    /// Request-URI, topmost Via, From, Call-ID and Route, and To of the request or, for an ACK, of the response.
    mutating func beginHopByHop(_ method: ByteSlice, of request: borrowing SIPMessage, to: ByteSlice?) {
        append(method)
        append(byte: ASCII.space)
        append(request.requestURI)
        append(" SIP/2.0\r\n")
        var hasVia = false
        for index in 0..<request.fieldCount {
            let field = request.field(index)
            switch field.name {
            case .via where !hasVia:
                hasVia = true
                append(request.line(field))
            case .from, .callID, .route: append(request.line(field))
            case .to: if let to { appendHeader("To", to) } else { append(request.line(field)) }
            default: break
            }
        }
        append("CSeq: ")
        append(decimal: UInt64(request.sequenceNumber))
        append(byte: ASCII.space)
        append(method)
        append("\r\nMax-Forwards: 70\r\n")
    }
}
