import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// REGISTER: without a transaction, as the same request gets the same answer (RFC 3261 8.2.7 and 10.3).
extension SIPServer {
    /// Handles a REGISTER that may be acted upon. Its answer leaves once its changes are stored.
    func register(_ request: borrowing SIPMessage, _ flow: Flow, _ now: Now, _ effects: inout Effects) {
        if isDropped(request, from: flow, effects.load, now) { return }
        if let reason = loadRefusal(of: request, from: flow, now: now, effects: &effects) {
            reject(request, reason, from: flow, now: now, effects: &effects)
            return
        }
        let start = effects.outbox.bytes.count
        let registration = registrar.register(request, from: flow, now: now.unix, into: &effects.outbox.bytes)
        if registration.clientID != 0 { effects.prove(flow) }
        let responseFlow = request.topVia.responseFlow(source: flow)
        if registration.changes.isEmpty || !settings.awaitsStore {
            effects.outbox.send(from: start, to: responseFlow)
        }
        if !registration.changes.isEmpty {
            var response: [UInt8] = []
            if settings.awaitsStore {
                response = effects.outbox.bytes.slice(from: start).bytes
                effects.outbox.bytes.truncate(to: start)
            }
            effects.registrations.append(
                StoredAnswer(
                    changes: registration.changes, flow: responseFlow, response: response, undo: registration.undo))
        }
        log(registration, of: request, from: flow, now, &effects)
        if let recovered = registration.recovered {
            let login = SIPURI(request.to.uri)?.user.bytes ?? []
            log([ReachabilityChange(login: login, binding: recovered)], .registrationReachable, now, &effects)
        }
    }

    /// Writes what is answered instead of `response` when the store could not commit: 503 with the reason.
    public func writeStoreFailure(insteadOf response: ByteSlice, into writer: inout ByteWriter) {
        var message = SIPMessage()
        _ = message.parse(response)
        domains.domain.withSlice {
            // A response has all that its request's answer needs, the tag of To and the patched Via included.
            writer.writeRefusal(Refusal(.storeUnavailable), of: message, source: nil, toTag: .empty, domain: $0)
        }
    }

    private func log(
        _ registration: Registration, of request: borrowing SIPMessage, from flow: Flow, _ now: Now,
        _ effects: inout Effects
    ) {
        let event: LogEvent
        switch registration.outcome {
        case .created, .moved: event = .registrationOK
        case .refreshed, .queried, .repeated: event = .registrationRefresh
        case .removed: event = .registrationRemoved
        case .challenged(let stale, let reason):
            logChallenge(request, reason, stale: stale, from: flow, now, &effects)
            return
        case .refused(let reason):
            log(
                request, refused: reason, isAuthenticated: registration.clientID != 0, from: flow, now, &effects)
            return
        }
        guard effects.log.begin(event, at: now.unix) else { return }
        effects.log.field("src", source: flow)
        if let uri = SIPURI(request.to.uri) { effects.log.field("user", uri.user) }
        if let contact = request.value(of: .contact) {
            effects.log.contact(NameAddress(contact[0..<contact.endOfValue(from: 0)])?.uri ?? contact)
        }
        if let expires = request.value(of: .expires) { effects.log.field("expires", expires) }
        if let agent = request.value(of: .userAgent) { effects.log.field("ua", agent) }
        effects.log.field("cid", request.callID)
        effects.log.end()
    }
}
