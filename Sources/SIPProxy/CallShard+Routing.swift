import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// What becomes of a new request (RFC 3261 16.3 to 16.5): the order of the decisions is the policy.
extension CallShard {
    /// Decides on a request that begins a transaction, and answers or forwards it.
    mutating func route(
        _ request: borrowing SIPMessage, _ key: TransactionKey, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        let route = RouteProcessing(request, server: server)
        // A To tag alone proves nothing: anybody can write one.
        let isInDialog = route.token != nil && !request.toTag.isEmpty
        if !isInDialog, server.isDropped(request, from: flow, effects.load, now) { return }
        if !isInDialog, server.isRefusedByDraining(request, from: flow, now) {
            server.refuseByDraining(request, from: flow, now: now, effects: &effects)
            return
        }
        let uri = SIPURI(request.requestURI)
        if let reason = bound(request, isInDialog, from: flow, server: server, now: now, effects: &effects)
            ?? validate(request, uri, route, server: server)
        {
            server.reject(request, reason, from: flow, now: now, effects: &effects)
            return
        }
        if !request.toTag.isEmpty, let token = route.token {
            forwardInDialog(request, key, route, token, from: flow, server: server, now: now, effects: &effects)
            return
        }
        if !request.toTag.isEmpty, let uri, uri.user == Listener.contactUser, server.domains.isOursAtAnyPort(uri) {
            // A call of an application that is over: who asks, needs no challenge to learn that.
            server.reject(request, .dialogUnknown, from: flow, now: now, effects: &effects)
            return
        }
        if server.isForServer(uri) {
            server.answerOwnRequest(request, from: flow, now: now, effects: &effects)
            return
        }
        if server.isFromGateway(request, flow, now) {
            if request.method == .message {
                receiveTextFromGateway(
                    request, key, uri, from: flow, server: server, now: now, effects: &effects)
            } else {
                receiveFromGateway(request, key, uri, from: flow, server: server, now: now, effects: &effects)
            }
            return
        }
        guard let caller = server.authenticate(request, from: flow, now: now, effects: &effects) else { return }
        let standing = server.takeShare(of: caller.key, now: now)
        if standing.isOverShare {
            // Without a transaction, which is what there are too many of, and without a record.
            server.reject(request, .clientShareUsed, from: flow, now: now, effects: &effects)
            return
        }
        var refusal = authorize(standing, request, route)
        var targets: [Target] = []
        if refusal == nil {
            refusal = server.appendTargets(of: request, uri, now: now, to: &targets)
            let isClient = refusal != .calleeUnknown
            if request.method == .message, request.toTag.isEmpty, standing.hasApplication || !isClient {
                switch takeText(
                    request, key, uri, caller, standing, isClient: isClient, from: flow, server: server, now: now,
                    effects: &effects)
                {
                case .taken: return
                case .forwarded: break
                case .refused(let reason): refusal = reason
                }
            }
            if request.method == .invite, request.toTag.isEmpty, standing.hasApplication || !isClient {
                switch takeCall(
                    request, key, uri, caller, standing, isClient: isClient, from: flow, server: server, now: now,
                    effects: &effects)
                {
                case .taken: return
                case .forwarded: break
                case .refused(let reason): refusal = reason
                }
            }
        }
        let record = beginRecord(of: request, uri, clientID: caller.id, server: server, now: now, effects: &effects)
        if let refusal {
            refuse(request, key, refusal, record, caller, from: flow, server: server, now: now, effects: &effects)
            return
        }
        let otherFlows = targets.takeOtherFlows()
        if targets.count > server.settings.maxForks { targets.removeLast(targets.count - server.settings.maxForks) }
        let plan = ForwardingPlan(
            recordsRoute: request.method.makesDialog, ownRoutes: route.ownRoutes, credentials: caller.credentials)
        start(
            request, key, owner: caller.key, destinations: targets.map { .binding($0.binding) },
            otherFlows: otherFlows, plan, record,
            from: flow, server: server, now: now, effects: &effects)
    }

    /// 16.3: what makes a request unacceptable whoever sent it.
    private func validate(
        _ request: borrowing SIPMessage, _ uri: SIPURI?, _ route: borrowing RouteProcessing, server: SIPServer
    ) -> Reason? {
        // Step 3. A request for this server itself is answered, not forwarded, with the last hop too.
        if request.maxForwards == 0, !server.isForServer(uri) { return .tooManyHops }
        // Step 4.
        if LoopDetection.isLoop(request, server: server) { return .loopDetected }
        // Step 5: we support no extension that a proxy must know.
        var extensions = request.optionTags(of: .proxyRequire)
        if extensions.next(in: request) != nil { return .unsupportedExtension }
        // RFC 5393 section 5.3.3.1.
        if request.value(of: .maxBreadth)?.decimal(limit: UInt64(UInt32.max)) == 0 { return .maxBreadthExceeded }
        // Step 2. Within a dialog the Request-URI is the peer's business.
        if !request.toTag.isEmpty, route.token != nil { return nil }
        return server.requestURIFault(request, uri)
    }

    /// Step 6 of 16.3, and who may send what where: only registered clients, never anywhere else.
    private func authorize(
        _ standing: ClientStanding, _ request: borrowing SIPMessage, _ route: borrowing RouteProcessing
    ) -> Reason? {
        if !standing.isRegistered { return .callerNotRegistered }
        if route.leadsElsewhere { return .routeElsewhere }
        return nil
    }

    /// What this server has no room or no time for: it is refused before anything is kept or computed for it.
    private func bound(
        _ request: borrowing SIPMessage, _ isInDialog: Bool, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) -> Reason? {
        if server.isFull(forDialogs: isInDialog) { return .serverOverloaded }
        return isInDialog ? nil : server.loadRefusal(of: request, from: flow, now: now, effects: &effects)
    }

    /// Refuses a request of an authenticated client in a transaction of its own. Without one its retransmission would be
    /// taken for a replay of its credentials, and be challenged.
    mutating func refuse(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ reason: Reason, _ record: PendingRecord,
        _ caller: Caller, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        server.log(request, refused: reason, record.number, isAuthenticated: true, from: flow, now, &effects)
        endRecord(record, of: request.method, reason.status, reason, now: now, effects: &effects)
        let index = insertServer(request, key, owner: caller.key, from: flow)
        run(server: index, .request, server, now, &effects)
        let start = effects.outbox.bytes.count
        server.writeRefusal(reason, of: request, from: flow, into: &effects.outbox.bytes)
        answer(index, status: reason.status, from: start, server, now, &effects)
    }

    mutating func insertServer(
        _ request: borrowing SIPMessage, _ key: TransactionKey, owner: LoginKey?, from flow: Flow
    ) -> SlabIndex {
        let isReliable = flow.transport.isReliable
        let index = transactions.insertServer(
            request.method == .invite
                ? .invite(ServerInviteTransaction(isReliable: isReliable))
                : .nonInvite(ServerNonInviteTransaction(isReliable: isReliable)),
            key: key, flow: request.topVia.responseFlow(source: flow), viaPort: request.topVia.port ?? 5060)
        transactions.servers[index]?.owner = owner
        return index
    }

    /// Makes the transaction and the context of a request, answers 100 to an INVITE, forwards to the first targets.
    private mutating func start(
        _ request: borrowing SIPMessage, _ key: TransactionKey, owner: LoginKey?, destinations: [Destination],
        otherFlows: [Binding] = [], isInDialog: Bool = false, _ plan: ForwardingPlan, _ record: PendingRecord,
        from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let isInvite = request.method == .invite
        let index = insertServer(request, key, owner: owner, from: flow)
        var context = ResponseContext(server: index, method: request.method, source: flow, startedAt: now.instant)
        context.waiting = destinations.reversed()
        context.otherFlows = otherFlows
        context.isInDialog = isInDialog
        context.plan = plan
        context.record = record
        let contextIndex = contexts.insert(context)
        transactions.servers[index]?.context = contextIndex
        run(server: index, .request, server, now, &effects)
        if isInvite {
            sendTrying(to: request, index, from: flow, server: server, now: now, effects: &effects)
            startTimerC(contextIndex, server.settings.timerC, now)
            logStart(request, destinations.count, record.number, from: flow, now, &effects)
        } else {
            // RFC 4320 section 4.1: not before, and then at the latest.
            startTimerC(contextIndex, server.settings.timers.nonInviteTryingDelay, now)
        }
        forwardFirstGroup(request, contextIndex, from: flow, server: server, now: now, effects: &effects)
    }

    /// Makes the context of a request of the server's own, which nobody waits for upstream, and forwards it.
    ///
    /// - Parameter user: The call that it belongs to, which is told its answers.
    @discardableResult
    mutating func start(
        _ request: borrowing SIPMessage, destinations: [Destination], otherFlows: [Binding], _ record: PendingRecord,
        user: RequestUser = RequestUser(), _ plan: ForwardingPlan = ForwardingPlan(), server: SIPServer, now: Now,
        effects: inout Effects
    ) -> SlabIndex {
        let nowhere = Flow(transport: .udp, listener: 0, remote: SocketAddress(address: IPAddress(ipv4: 0), port: 0))
        var context = ResponseContext(
            server: .none, method: request.method, source: nowhere, startedAt: now.instant)
        context.waiting = destinations.reversed()
        context.otherFlows = otherFlows
        context.record = record
        context.user = user
        context.plan = plan
        if case .peer? = destinations.first { context.isInDialog = true }
        let index = contexts.insert(context)
        if user.call != .none, request.method == .invite { startTimerC(index, server.settings.timerC, now) }
        forwardFirstGroup(request, index, from: nowhere, server: server, now: now, effects: &effects)
        return index
    }

    private mutating func forwardFirstGroup(
        _ request: borrowing SIPMessage, _ context: SlabIndex, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        if forwardNextGroup(request, context, server: server, now: now, effects: &effects) { return }
        let kept = patched(request, from: flow)
        contexts[context]?.request = kept
        branchEnded(context, server: server, now: now, effects: &effects)
    }

    /// Forwards to the waiting targets with the highest q, all at once (16.6).
    ///
    /// - Returns: True when all went out and none is left, so that the request is not needed any more.
    @discardableResult
    private mutating func forwardNextGroup(
        _ request: borrowing SIPMessage, _ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) -> Bool {
        guard let state = contexts[context], let first = state.waiting.last else { return false }
        var group: [Destination] = []
        while let next = contexts[context]?.waiting.last, next.q == first.q {
            group.append(next)
            contexts[context]?.waiting.removeLast()
        }
        var plan = state.plan
        plan.maxBreadth = nil
        let brought = request.value(of: .maxBreadth)?.decimal(limit: UInt64(UInt32.max))
        if brought != nil || group.count > 1 {
            let breadth = UInt32(brought ?? UInt64(server.settings.maxBreadth))
            // RFC 5393 section 5.3.3: the sum over all branches must not exceed what came; the rest waits its turn.
            while group.count > Int(breadth), group.count > 1 {
                contexts[context]?.waiting.append(group.removeLast())
            }
            plan.maxBreadth = max(1, breadth / UInt32(group.count))
        }
        contexts[context]?.plan = plan
        for destination in group {
            forward(
                request, to: destination, context: context, source: state.source, plan: plan, server: server, now: now,
                effects: &effects)
        }
        guard let after = contexts[context] else { return false }
        return after.waiting.isEmpty && after.otherFlows.isEmpty && !after.branches.contains { $0.client == .none }
    }

    /// Goes on with the next group of targets, from the request as it was kept.
    mutating func tryWaitingTargets(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let state = contexts[context] else { return }
        var request = SIPMessage()
        state.request.withSlice { bytes in
            _ = request.parse(bytes)
            forwardNextGroup(request, context, server: server, now: now, effects: &effects)
        }
        if state.method == .invite { startTimerC(context, server.settings.timerC, now) }
        // None of them may have gone out.
        branchEnded(context, server: server, now: now, effects: &effects)
    }

    /// A request in a dialog that our route token proves: to the other party, without a challenge.
    private mutating func forwardInDialog(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ route: RouteProcessing, _ token: RouteToken,
        from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let direction = token.direction(fromTag: request.fromTag, toTag: request.toTag, source: flow) else {
            server.reject(request, .dialogUnknown, from: flow, now: now, effects: &effects)
            return
        }
        effects.prove(flow)
        // A disabled client can end its calls, and do nothing else in them.
        if request.method != .bye, server.isDisabled(request.from) {
            server.reject(request, .callerNotRegistered, from: flow, now: now, effects: &effects)
            return
        }
        let plan = ForwardingPlan(ownRoutes: route.ownRoutes, isLastRouteTarget: route.isStrict)
        let next = server.currentFlow(
            of: route.requestURI(of: request), request.to.uri, from: direction.next, now: now)
        if request.method == .bye {
            logEnd(of: request, token.record, isFromCaller: direction.isFromCaller, from: flow, now, &effects)
            recordHangUp(request, token, isFromCaller: direction.isFromCaller, now: now, effects: &effects)
        }
        start(
            request, key, owner: nil, destinations: [.peer(next, requestURI: route.requestURI(of: request).bytes)],
            isInDialog: true, plan, PendingRecord(), from: flow, server: server, now: now, effects: &effects)
    }

    /// 16.2: 100 (Trying) at once, so that the caller stops repeating.
    mutating func sendTrying(
        to request: borrowing SIPMessage, _ index: SlabIndex, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        let start = effects.outbox.bytes.count
        effects.outbox.bytes.beginResponse(to: request, status: 100, source: flow.remote, toTag: .empty)
        effects.outbox.bytes.endResponse()
        answer(index, status: 100, from: start, server, now, &effects)
    }

    /// A copy of a request as it will be needed later: with received and rport in its topmost Via.
    func patched(_ request: borrowing SIPMessage, from flow: Flow) -> [UInt8] {
        guard let index = request.firstIndex(of: .via) else { return request.bytes.bytes }
        let field = request.field(index)
        var writer = ByteWriter(capacity: request.bytes.count + 64)
        writer.append(request.bytes[0..<Int(field.lineStart)])
        writer.appendTopVia(of: request, field, receivedFrom: flow.remote)
        writer.append(request.bytes.from(Int(field.lineEnd)))
        return writer.slice.bytes
    }
}

/// Who sent a request, once that is proved.
struct Caller {
    /// The client's place in the location service.
    var key: LoginKey
    /// The number of the client's row.
    var id: Int64
    /// The index of the header field with the credentials, which goes no further.
    var credentials: Int
}

extension Method {
    /// True for a method that can begin a dialog, so that the route must be recorded (RFC 3261 12, 6665, 3515).
    var makesDialog: Bool { self == .invite || self == .subscribe || self == .refer }
}
