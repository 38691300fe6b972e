import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// Response processing (RFC 3261 16.7).
extension CallShard {
    /// Handles a response that may be acted upon.
    mutating func receiveResponse(
        _ response: borrowing SIPMessage, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        // 16.7 step 1 and RFC 6026 section 8.8: a response without a transaction is dropped.
        guard var index = client(ofBranch: response.topVia.branch) else { return }
        if response.method == .cancel {
            index = transactions.clients[index]?.cancel ?? .none
        } else if !response.hasLowerVia, response.status < 300, !isOwn(index) {
            // 16.7 step 3: without a Via below ours it would be for us, who have not sent such a request.
            return
        }
        // 17.1.3: the method must match as well as the branch.
        guard let client = transactions.clients[index], client.isInvite == (response.method == .invite) else { return }
        let status = response.status
        let outcome = run(
            client: index, .response(ResponseClass(status: status)), response: response, server, now, &effects)
        if outcome.contains(.passToUser), let transaction = transactions.clients[index], transaction.context != .none {
            noteResponse(status, of: index, transaction, server: server, now: now)
            passUp(response, transaction, server: server, now: now, effects: &effects)
        }
        if outcome.contains(.terminate) {
            transactions.removeClient(index)
        } else if status >= 200, outcome.contains(.passToUser) {
            finishClient(index, status: status)
        }
    }

    private func isOwn(_ client: SlabIndex) -> Bool {
        contexts[transactions.clients[client]?.context ?? .none]?.isOwn == true
    }

    /// Lets go of what a client transaction that has just taken its final response no longer needs.
    private mutating func finishClient(_ index: SlabIndex, status: UInt16) {
        guard let isInvite = transactions.clients[index]?.isInvite else { return }
        // A completed INVITE keeps its request for the ACK to retransmitted answers, an accepted one nothing.
        if !isInvite || status < 300 { transactions.clients[index]?.request = [] }
        if !isInvite { transactions.clients[index]?.context = .none }
    }

    /// Gives a response to the response context of its request.
    private mutating func passUp(
        _ response: borrowing SIPMessage, _ transaction: ClientTransaction, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        let context = transaction.context
        let status = response.status
        guard let serverIndex = contexts[context]?.server else { return }
        if status < 200 {
            contexts[context]?.branches[transaction.branch].state = .proceeding
            // RFC 4320 section 4.1: nothing provisional but 100 is told of a request other than INVITE.
            guard contexts[context]?.method == .invite else { return }
            sendWantedCancels(context, server: server, now: now, effects: &effects)
            if status == 100 { return }
            // 16.7 step 2: Timer C starts anew, but for a branch that is cancelled: ringing on does not prolong its end.
            if contexts[context]?.branches[transaction.branch].isCancelWanted == false {
                startTimerC(context, server.settings.timerC, now)
            }
            if contexts[context]?.isFinal == false {
                sendUpstream(response, context, transaction.flow, serverIndex, server, now, &effects)
                recordRinging(context, status, now: now, effects: &effects)
            }
            return
        }
        if status == 503, failOver(transaction, server: server, now: now, effects: &effects) { return }
        let isRepeated = contexts[context]?.branches[transaction.branch].state == .completed
        contexts[context]?.branches[transaction.branch].state = .completed
        contexts[context]?.branches[transaction.branch].status = status
        if status < 300 {
            sendUpstream(response, context, transaction.flow, serverIndex, server, now, &effects)
            if !isRepeated { succeeded(context, status, response, server: server, now: now, effects: &effects) }
            return
        }
        if status == 430 { contexts[context]?.branches[transaction.branch].isFlowFailed = true }
        if response.hasLowerVia || contexts[context]?.isOwn == true {
            keepIfBest(response, context, status, &effects)
        } else {
            // Some agents answer an INVITE that was cancelled with the Via of the CANCEL: it ends the branch and gets its
            // ACK, but cannot be passed on.
            fail(transaction.branch, context, status: status)
        }
        if status >= 600 {
            // 16.7 step 5: nobody else is to ring, and nobody else is tried.
            contexts[context]?.waiting = []
            contexts[context]?.otherFlows = []
            cancelBranches(
                context, reason: Array("SIP;cause=600;text=\"Declined elsewhere\"".utf8), server: server, now: now,
                effects: &effects)
        }
        branchEnded(context, server: server, now: now, effects: &effects)
    }

    /// 16.7 step 10: the first 2xx ends the other branches.
    private mutating func succeeded(
        _ context: SlabIndex, _ status: UInt16, _ response: borrowing SIPMessage, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let state = contexts[context] else { return }
        contexts[context]?.waiting = []
        contexts[context]?.otherFlows = []
        contexts[context]?.request = []
        contexts[context]?.best = []
        if !state.isFinal {
            contexts[context]?.isFinal = true
            transactions.timers.cancel(state.timerC)
            logSuccess(state, response, now, &effects)
            recordSuccess(state, response, now: now, effects: &effects)
        }
        if state.branches.count > 1 {
            cancelBranches(
                context, reason: Array("SIP;cause=200;text=\"Call completed elsewhere\"".utf8), server: server,
                now: now,
                effects: &effects)
        }
        removeIfSpent(context)
    }

    /// 16.7 steps 4 and 6: keeps a final response while it is the best.
    private mutating func keepIfBest(
        _ response: borrowing SIPMessage, _ context: SlabIndex, _ status: UInt16, _ effects: inout Effects
    ) {
        guard let state = contexts[context], !state.isFinal else { return }
        guard state.isBetter(status) else {
            if status.isChallenge, state.bestStatus.isChallenge { addChallenges(of: response, context) }
            return
        }
        let start = effects.outbox.bytes.count
        effects.outbox.bytes.appendForwardedResponse(response)
        contexts[context]?.bestStatus = status
        contexts[context]?.best = effects.outbox.bytes.slice(from: start).bytes
        effects.outbox.bytes.truncate(to: start)
    }

    /// 16.7 step 7: the challenges of all branches go into the one response, so that the caller can answer each.
    private mutating func addChallenges(of response: borrowing SIPMessage, _ context: SlabIndex) {
        guard let best = contexts[context]?.best, !best.isEmpty else { return }
        var writer = ByteWriter(capacity: best.count + 512)
        var message = SIPMessage()
        best.withSlice { bytes in
            _ = message.parse(bytes)
            guard let first = message.firstIndex(of: .via) else { return }
            let start = Int(message.field(first).lineStart)
            writer.append(bytes[0..<start])
            for index in 0..<response.fieldCount {
                let field = response.field(index)
                if field.name == .wwwAuthenticate || field.name == .proxyAuthenticate {
                    writer.append(response.line(field))
                }
            }
            writer.append(bytes.from(start))
        }
        if writer.count > best.count { contexts[context]?.best = writer.slice.bytes }
    }

    /// After a branch has ended without 2xx: the next targets are tried, or the best response goes upstream.
    mutating func branchEnded(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        tryOtherFlows(context, server: server, now: now, effects: &effects)
        guard let state = contexts[context] else { return }
        if state.isFinal || state.hasPendingBranch {
            removeIfSpent(context)
            return
        }
        if !state.waiting.isEmpty, !state.isCancelled {
            tryWaitingTargets(context, server: server, now: now, effects: &effects)
            return
        }
        sendBest(context, server: server, now: now, effects: &effects)
    }

    /// 16.7 step 6 and 9: chooses the response to a request of which all branches have failed, and sends it.
    private mutating func sendBest(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let state = contexts[context] else { return }
        contexts[context]?.isFinal = true
        transactions.timers.cancel(state.timerC)
        let status = state.finalStatus
        if state.user.call != .none {
            if state.user.part == .text { logFailure(state, status, server, now, &effects) }
            calls.inputs.append(
                CallInput(
                    user: state.user, context: context,
                    kind: .failed(status, state.reason, status == state.bestStatus ? state.best : [])))
            removeIfSpent(context)
            return
        }
        if status == 408, state.method != .invite {
            // RFC 4320 section 4.2: the client has given up at the same time; a 408 could only do harm.
            run(server: state.server, .abandoned, server, now, &effects)
        } else if state.best.isEmpty || status != state.bestStatus {
            respond(context, status: status, server: server, now: now, effects: &effects)
        } else {
            let start = effects.outbox.bytes.count
            effects.outbox.bytes.append(state.best)
            answer(state.server, status: status, from: start, server, now, &effects)
        }
        logFailure(state, status, server, now, &effects)
        endRecord(state.record, of: state.method, status, state.reason, now: now, effects: &effects)
        removeIfSpent(context)
    }

    /// Writes a response of our own for a context, from the request as it was forwarded.
    mutating func respond(
        _ context: SlabIndex, status: UInt16, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let state = contexts[context], !state.isOwn else { return }
        // The request as forwarded has our Via on top, which the response must not have.
        let isForwarded = state.request.isEmpty
        let stored = isForwarded ? forwardedRequest(of: state) : state.request
        let start = effects.outbox.bytes.count
        stored.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            ResponseTag(for: request, key: server.settings.runKey).withSlice { tag in
                effects.outbox.bytes.beginResponse(
                    to: request, status: status, source: nil, toTag: status == 100 ? .empty : tag,
                    withoutTopVia: isForwarded)
            }
            if status >= 200 {
                server.domains.domain.withSlice {
                    effects.outbox.bytes.appendWarning(state.reason, domain: $0)
                }
            }
            effects.outbox.bytes.endResponse()
        }
        answer(state.server, status: status, from: start, server, now, &effects)
    }

    func forwardedRequest(of context: ResponseContext) -> [UInt8] {
        for branch in context.branches {
            if let request = transactions.clients[branch.client]?.request, !request.isEmpty { return request }
        }
        return []
    }

    private mutating func sendUpstream(
        _ response: borrowing SIPMessage, _ context: SlabIndex, _ flow: Flow, _ serverIndex: SlabIndex,
        _ server: SIPServer, _ now: Now, _ effects: inout Effects
    ) {
        // Of a request of the server's own nobody is told but the call that it belongs to.
        if serverIndex == .none {
            guard let user = contexts[context]?.user, user.call != .none else { return }
            calls.inputs.append(
                CallInput(user: user, context: context, kind: .response(response.bytes.bytes, flow)))
            return
        }
        let start = effects.outbox.bytes.count
        effects.outbox.bytes.appendForwardedResponse(response)
        answer(serverIndex, status: response.status, from: start, server, now, &effects)
    }

    // MARK: Failures without a response

    /// Handles a timer of a client transaction.
    mutating func clientTimerFired(
        _ timer: TransactionTimer, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let none = SIPMessage()
        let outcome = run(client: index, .timer(timer), response: none, server, now, &effects)
        // 16.8: no response in time is as if a 408 had come.
        if outcome.contains(.timedOut) { branchFailed(index, status: 408, server: server, now: now, effects: &effects) }
        if outcome.contains(.terminate) {
            let context = transactions.removeClient(index)?.context ?? .none
            removeIfSpent(context)
        }
    }

    /// Handles the news that a request could not be sent: as if a 503 had come (16.9).
    mutating func transportFailed(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        let none = SIPMessage()
        let outcome = run(client: index, .transportError, response: none, server, now, &effects)
        if outcome.contains(.transportFailed) {
            branchFailed(index, status: 503, server: server, now: now, effects: &effects)
        }
        if outcome.contains(.terminate) {
            let context = transactions.removeClient(index)?.context ?? .none
            removeIfSpent(context)
        }
    }

    /// Removes a context of which nothing can come any more.
    mutating func removeIfSpent(_ context: SlabIndex) {
        guard let state = contexts[context], state.isSpent else { return }
        // An accepted INVITE may bring further 2xx of other forks: its client transactions end the context.
        if state.method == .invite {
            for branch in state.branches {
                if let transaction = transactions.clients[branch.client], transaction.context == context,
                    branch.status < 300
                {
                    return
                }
            }
        }
        transactions.timers.cancel(state.timerC)
        transactions.timers.cancel(state.resolutionTimer)
        contexts.remove(context)
        if state.user.call != .none {
            calls.inputs.append(CallInput(user: state.user, context: context, kind: .forgotten))
        }
    }
}

extension UInt16 {
    /// True for the statuses that ask for credentials.
    fileprivate var isChallenge: Bool { self == 401 || self == 407 }
}
