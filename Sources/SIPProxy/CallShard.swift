import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// All transactions and response contexts of the calls whose Call-ID falls to this shard.
struct CallShard {
    let number: UInt8
    var transactions: TransactionTable
    var contexts = Slab<ResponseContext>()
    var calls = CallTable()

    init(number: UInt8, now: Instant) {
        self.number = number
        transactions = TransactionTable(now: now)
    }

    // MARK: Requests

    /// Handles a request other than REGISTER that may be acted upon.
    mutating func receiveRequest(
        _ request: borrowing SIPMessage, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let key = CallShard.key(of: request, secret: server.settings.runKey)
        switch request.method {
        case .ack: receiveAcknowledgement(request, key, from: flow, server: server, now: now, effects: &effects)
        case .cancel: receiveCancel(request, from: flow, server: server, now: now, effects: &effects)
        default:
            if let index = transactions.serversByKey[key] {
                // 17.2: a retransmission is answered by its transaction.
                run(server: index, .request, server, now, &effects)
            } else if let place = calls.place(of: request, server) {
                receive(request, key, inDialogOf: place, from: flow, server: server, now: now, effects: &effects)
            } else {
                route(request, key, from: flow, server: server, now: now, effects: &effects)
            }
        }
    }

    private mutating func receiveAcknowledgement(
        _ request: borrowing SIPMessage, _ key: TransactionKey, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        if let index = transactions.serversByKey[key], let transaction = transactions.servers[index],
            case .invite(var machine) = transaction.machine
        {
            let outcome = machine.handle(.acknowledgement, server.settings.timers)
            transactions.servers[index]?.machine = .invite(machine)
            perform(outcome, server: index, nil, server, now, &effects)
            // Only an ACK for a 2xx goes on, end to end.
            if !outcome.contains(.passToUser) { return }
        }
        if let place = calls.place(of: request, server) {
            receiveAcknowledgement(request, of: place, from: flow, server: server, now: now, effects: &effects)
            return
        }
        forwardAcknowledgement(request, from: flow, server: server, now: now, effects: &effects)
    }

    /// The key under which a request finds its transaction (17.2.3).
    static func key(of request: borrowing SIPMessage, secret: HashKey) -> TransactionKey {
        let via = request.topVia
        if TransactionKey.isUnique(branch: via.branch) {
            return TransactionKey(
                method: request.methodText, branch: via.branch, host: via.host, port: via.port ?? 5060, secret: secret)
        }
        return TransactionKey(
            method: request.methodText, requestURI: request.requestURI, fromTag: request.fromTag,
            callID: request.callID, sequence: request.sequenceNumber, via: via.text, secret: secret)
    }

    // MARK: Server transactions

    /// Gives a response to a server transaction: the bytes of the outbox from `start` on. It is sent, or taken away again
    /// when it comes too late.
    mutating func answer(
        _ index: SlabIndex, status: UInt16, from start: Int, _ server: SIPServer, _ now: Now, _ effects: inout Effects
    ) {
        let messages = effects.outbox.messages.count
        run(
            server: index, .response(ResponseClass(status: status)), responseStart: start, server, now, &effects)
        if effects.outbox.messages.count == messages { effects.outbox.bytes.truncate(to: start) }
    }

    /// Gives an event to a server transaction and does what comes of it.
    mutating func run(
        server index: SlabIndex, _ event: ServerEvent, responseStart: Int? = nil, _ server: SIPServer, _ now: Now,
        _ effects: inout Effects
    ) {
        guard let outcome = transactions.servers[index]?.handle(event, server.settings.timers) else { return }
        perform(outcome, server: index, responseStart, server, now, &effects)
    }

    private mutating func perform(
        _ outcome: TransactionEffects, server index: SlabIndex, _ responseStart: Int?, _ server: SIPServer, _ now: Now,
        _ effects: inout Effects
    ) {
        for position in 0..<outcome.count {
            guard let transaction = transactions.servers[index] else { return }
            switch outcome[position] {
            case .sendResponse:
                if let responseStart { send(from: responseStart, server: index, transaction, &effects) }
            case .sendLastResponse:
                if !transaction.lastResponse.isEmpty {
                    transaction.lastResponse.withSlice { effects.outbox.send($0, to: transaction.flow) }
                }
            case .start(let timer, let milliseconds):
                transactions.startServerTimer(timer, milliseconds, index, now)
            case .stop(let timer): transactions.stopServerTimer(timer, index)
            case .timedOut: logLostAcknowledgement(transaction, now, &effects)
            case .terminate: if let owner = transactions.removeServer(index) { server.releaseShare(of: owner) }
            case .passToUser, .transportFailed, .sendRequest, .sendAcknowledgement: break
            }
        }
    }

    private mutating func send(
        from start: Int, server index: SlabIndex, _ transaction: ServerTransaction, _ effects: inout Effects
    ) {
        effects.outbox.send(from: start, to: transaction.flow, reconnectPort: transaction.viaPort)
        // What is never sent again is not kept: a 2xx to INVITE (RFC 6026), anything on a reliable transport.
        var isRepeatable = !transaction.flow.transport.isReliable
        if case .invite(let machine) = transaction.machine, machine.state == .accepted { isRepeatable = false }
        transactions.servers[index]?.lastResponse = isRepeatable ? effects.outbox.bytes.slice(from: start).bytes : []
    }

    private func logLostAcknowledgement(_ transaction: ServerTransaction, _ now: Now, _ effects: inout Effects) {
        effects.logTransportError(
            "no ACK came for our final response to INVITE (Timer H)", transaction.flow, isTo: false, now: now)
    }

    // MARK: Client transactions

    /// Gives an event to a client transaction and does what comes of it, apart from what its user must be told.
    ///
    /// - Returns: The effects, of which `passToUser`, `timedOut` and `transportFailed` are the caller's.
    mutating func run(
        client index: SlabIndex, _ event: ClientEvent, response: borrowing SIPMessage, _ server: SIPServer, _ now: Now,
        _ effects: inout Effects
    ) -> TransactionEffects {
        guard let outcome = transactions.clients[index]?.handle(event, server.settings.timers) else {
            return TransactionEffects()
        }
        for position in 0..<outcome.count {
            switch outcome[position] {
            case .sendRequest:
                if let transaction = transactions.clients[index] {
                    let origin = CallShard.origin(shard: number, index)
                    transaction.request.withSlice { effects.outbox.send($0, to: transaction.flow, origin: origin) }
                }
            case .sendAcknowledgement:
                if let transaction = transactions.clients[index] {
                    sendAcknowledgement(of: response, for: transaction, server, now, &effects)
                }
            case .start(let timer, let milliseconds):
                transactions.startClientTimer(timer, milliseconds, index, now)
            case .stop(let timer): transactions.stopClientTimer(timer, index)
            case .sendResponse, .sendLastResponse, .passToUser, .timedOut, .transportFailed, .terminate: break
            }
        }
        return outcome
    }

    // MARK: Timers

    /// Lets the timers that are due fire.
    mutating func fireTimers(server: SIPServer, now: Now, effects: inout Effects) {
        while let owner = transactions.timers.popExpired(now.instant) {
            switch owner.kind {
            case .server: run(server: owner.index, .timer(owner.timer), server, now, &effects)
            case .client: clientTimerFired(owner.timer, owner.index, server: server, now: now, effects: &effects)
            case .resolution: resolutionTimedOut(owner.index, server: server, now: now, effects: &effects)
            case .context: timerCFired(owner.index, server: server, now: now, effects: &effects)
            case .callRinging: timerFired(.ringing, of: owner.index, server: server, now: now, effects: &effects)
            case .callTalk: timerFired(.talk, of: owner.index, server: server, now: now, effects: &effects)
            case .callPause: timerFired(.pause, of: owner.index, server: server, now: now, effects: &effects)
            case .callDeadline: timerFired(.deadline, of: owner.index, server: server, now: now, effects: &effects)
            case .callAnswer: answerTimerFired(owner.index, server: server, now: now, effects: &effects)
            case .callSession: sessionTimerFired(owner.index, server: server, now: now, effects: &effects)
            case .callParty: partyRangTooLong(owner.index, server: server, now: now, effects: &effects)
            case .callBringing: bringAgain(owner.index, server: server, now: now, effects: &effects)
            }
        }
    }

    // MARK: Origins

    /// The value by which the edge names a client transaction of a shard when its request cannot be sent.
    static func origin(shard: UInt8, _ index: SlabIndex) -> UInt64 {
        UInt64(shard) << 56 | UInt64(index.position & 0xfff_ffff) << 28 | UInt64(index.generation & 0xfff_ffff)
    }

    /// The shard and client transaction behind an origin; nil for an origin that is not of this form.
    static func decode(origin: UInt64) -> (shard: UInt8, index: SlabIndex)? {
        let generation = UInt32(truncatingIfNeeded: origin & 0xfff_ffff)
        if generation == 0 { return nil }
        let position = UInt32(truncatingIfNeeded: origin >> 28 & 0xfff_ffff)
        return (UInt8(truncatingIfNeeded: origin >> 56), SlabIndex(position: position, generation: generation))
    }
}

/// An event of a server transaction, whichever machine it has.
enum ServerEvent {
    case request
    case response(ResponseClass)
    case timer(TransactionTimer)
    /// The transaction user gives up without an answer (RFC 4320; not for an INVITE).
    case abandoned

    var invite: ServerInviteTransaction.Event {
        switch self {
        case .request: .request
        case .response(let response): .response(response)
        case .timer(let timer): .timer(timer)
        case .abandoned: .response(.failure)
        }
    }

    var nonInvite: ServerNonInviteTransaction.Event {
        switch self {
        case .request: .request
        case .response(let response): .response(response)
        case .timer(let timer): .timer(timer)
        case .abandoned: .abandoned
        }
    }
}

/// An event of a client transaction, whichever machine it has.
enum ClientEvent {
    case request
    case response(ResponseClass)
    case timer(TransactionTimer)
    case transportError

    var invite: ClientInviteTransaction.Event {
        switch self {
        case .request: .request
        case .response(let response): .response(response)
        case .timer(let timer): .timer(timer)
        case .transportError: .transportError
        }
    }

    var nonInvite: ClientNonInviteTransaction.Event {
        switch self {
        case .request: .request
        case .response(let response): .response(response)
        case .timer(let timer): .timer(timer)
        case .transportError: .transportError
        }
    }
}
