import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// Request forwarding (RFC 3261 16.6).
extension CallShard {
    /// Forwards a request to one target, or as far as that is possible now: adds a branch to the context in any case.
    mutating func forward(
        _ request: borrowing SIPMessage, to target: Destination, context: SlabIndex, source: Flow, plan: ForwardingPlan,
        server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let branch = contexts[context]?.branches.count else { return }
        switch server.nextHop(of: target) {
        case .flow(let flow) where server.isUsable(flow):
            contexts[context]?.branches.append(ProxyBranch(client: .none))
            forward(
                request, to: target, over: flow, context: context, branch: branch, source: source, plan: plan,
                server: server, now: now, effects: &effects)
        case .name(let query): awaitName(query, target, context: context, now: now, effects: &effects)
        case .flow, .none:
            contexts[context]?.branches.append(ProxyBranch(client: .none))
            fail(branch, context, status: 503)
        }
        noteInstance(of: target, branch, context)
    }

    /// Forwards a request over a flow: writes it and makes its client transaction.
    ///
    /// - Parameter patience: How long the first response is waited for, in milliseconds, instead of timers B and F.
    mutating func forward(
        _ request: borrowing SIPMessage, to target: Destination, over flow: Flow, context: SlabIndex, branch: Int,
        source: Flow, plan: ForwardingPlan, patience: UInt32? = nil, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let settings = server.settings
        let listener = Int(flow.listener)
        let isInvite = request.method == .invite
        let isReliable = flow.transport.isReliable
        let record = contexts[context]?.record.number ?? .none
        let hash = LoopDetection.hash(of: request, key: settings.runKey)
        let index = transactions.insertClient(
            ClientTransaction(
                machine: isInvite
                    ? .invite(ClientInviteTransaction(isReliable: isReliable))
                    : .nonInvite(ClientNonInviteTransaction(isReliable: isReliable)),
                flow: flow, branchHash: hash, context: context, branch: branch, isOfName: patience != nil))
        let start = effects.outbox.bytes.count
        target.withText { requestURI, path in
            let forwarded = ForwardedRequest(
                requestURI: requestURI, listener: listener, source: source, path: path,
                keepalive: plan.recordsRoute ? settings.keepalive.seconds(source.transport) : 0, plan: plan)
            effects.outbox.bytes.beginForwarded(request, forwarded, settings.listeners)
            effects.outbox.bytes.appendBranch(index, hash)
            if plan.recordsRoute {
                let token = RouteToken(
                    caller: source, callee: flow, callerTag: RouteToken.hash(tag: request.fromTag), record: record)
                appendRecordRoute(token, of: request, settings, &effects.outbox.bytes)
            }
            if plan.writesContact { effects.outbox.bytes.appendContact(settings.listeners[listener].contact) }
            effects.outbox.bytes.appendForwardedHeaders(of: request, forwarded)
        }
        transactions.clients[index]?.request = effects.outbox.bytes.slice(from: start).bytes
        effects.outbox.send(from: start, to: flow, origin: CallShard.origin(shard: number, index))
        contexts[context]?.branches[branch].client = index
        startClient(index, settings.timers, now, patience: patience)
    }

    /// Lets a client transaction whose request is in the outbox already enter its first state.
    mutating func startClient(
        _ index: SlabIndex, _ timers: TransactionTimerSettings, _ now: Now, patience: UInt32? = nil
    ) {
        guard let outcome = transactions.clients[index]?.handle(.request, timers) else { return }
        for position in 0..<outcome.count {
            if case .start(let timer, let milliseconds) = outcome[position] {
                let time = timer.isRetransmission ? milliseconds : min(milliseconds, patience ?? milliseconds)
                transactions.startClientTimer(timer, time, index, now)
            }
        }
    }

    /// Writes our Record-Route: one value, or two where the parties are on different listeners (RFC 5658).
    private func appendRecordRoute(
        _ token: RouteToken, of request: borrowing SIPMessage, _ settings: ServerSettings, _ writer: inout ByteWriter
    ) {
        appendRecordRoute(token, token.callee, of: request, settings, &writer)
        if token.caller.listener != token.callee.listener {
            appendRecordRoute(token, token.caller, of: request, settings, &writer)
        }
    }

    private func appendRecordRoute(
        _ token: RouteToken, _ side: Flow, of request: borrowing SIPMessage, _ settings: ServerSettings,
        _ writer: inout ByteWriter
    ) {
        guard Int(side.listener) < settings.listeners.count else { return }
        writer.append("Record-Route: <sip:")
        token.write(to: &writer, callID: request.callID, key: settings.routeKey)
        writer.append(settings.listeners[Int(side.listener)].routeEnd)
        writer.append("\r\n")
    }

    /// Forwards an ACK for a 2xx without state, along the route that its token proves (RFC 3261 13.2.2.4, 16.11).
    mutating func forwardAcknowledgement(
        _ request: borrowing SIPMessage, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let route = RouteProcessing(request, server: server)
        // An ACK for a final answer of our own, or from a stranger: absorbed.
        guard let token = route.token, (request.maxForwards ?? 70) > 0,
            let direction = token.direction(fromTag: request.fromTag, toTag: request.toTag, source: flow)
        else { return }
        let next = server.currentFlow(
            of: route.requestURI(of: request), request.to.uri, from: direction.next, now: now)
        guard server.isUsable(next) else { return }
        let start = effects.outbox.bytes.count
        let forwarded = ForwardedRequest(
            requestURI: route.requestURI(of: request), listener: Int(next.listener), source: flow,
            plan: ForwardingPlan(ownRoutes: route.ownRoutes, isLastRouteTarget: route.isStrict))
        effects.outbox.bytes.beginForwarded(request, forwarded, server.settings.listeners)
        // 16.11: without state the branch must be the same for each retransmission.
        let hash = LoopDetection.hash(of: request, key: server.settings.runKey)
        effects.outbox.bytes.appendBranch(.none, hash ^ UInt64(truncatingIfNeeded: request.topVia.branch.count))
        effects.outbox.bytes.appendForwardedHeaders(of: request, forwarded)
        effects.outbox.send(from: start, to: next)
    }
}

extension ByteWriter {
    /// Writes our branch's value behind the magic cookie: the client transaction, and a hash that nobody can guess.
    mutating func appendBranch(_ index: SlabIndex, _ hash: UInt64) {
        append(hexadecimal: UInt64(index.position) << 32 | UInt64(index.generation), digits: 16)
        append(hexadecimal: hash, digits: 16)
        append("\r\n")
    }
}

extension CallShard {
    /// The client transaction that a branch of ours names; nil when it is not ours or gone.
    func client(ofBranch branch: ByteSlice) -> SlabIndex? {
        guard branch.count == 39, let reference = branch[7..<23].hexadecimal(),
            let hash = branch[23..<39].hexadecimal()
        else { return nil }
        let index = SlabIndex(
            position: UInt32(truncatingIfNeeded: reference >> 32), generation: UInt32(truncatingIfNeeded: reference))
        guard let transaction = transactions.clients[index], transaction.branchHash == hash else { return nil }
        return index
    }
}
