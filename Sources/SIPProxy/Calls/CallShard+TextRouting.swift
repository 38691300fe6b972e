import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// What becomes of a MESSAGE that is not simply forwarded.
extension CallShard {
    /// Takes the MESSAGE of a client for an application or a gateway.
    ///
    /// - Parameter isClient: True when a client has the name that it is for.
    mutating func takeText(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ uri: SIPURI?, _ caller: Caller,
        _ standing: ClientStanding, isClient: Bool, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) -> Outcome {
        let dialled = request.dialled(uri)
        if standing.hasApplication, server.settings.textsGoToApplications {
            let login = server.location.withClient(caller.key) { $0.login } ?? []
            // It has one that has no address any more: what it writes is not for others.
            guard let own = login.withSlice({ server.applications.application(ofClient: $0) }) else {
                return .refused(.clientHasApplication)
            }
            return takeText(
                request, key, own, standing.accountID, dialled, caller, from: flow, server: server, now: now,
                effects: &effects)
        }
        if isClient { return .forwarded }
        if let number = dialled.withSlice({ server.applications.number(dialled: $0) }) {
            guard number.application.sms != nil else { return .refused(.numberWithoutApplication) }
            return takeText(
                request, key, number.application, number.accountID, dialled, caller, from: flow, server: server,
                now: now, effects: &effects)
        }
        if server.settings.gateways.isEmpty { return .refused(.calleeUnknown) }
        guard case .found(let way) = server.way(toNumber: dialled) else { return .refused(.noGateway) }
        guard let account = server.applications.account(standing.accountID), account.isActive else {
            return .refused(.accountInactive)
        }
        let record = beginRecord(
            of: request, uri, clientID: caller.id, server: server, now: now, effects: &effects)
        let number = record.number == .none ? server.nextRecordNumber(now: now) : record.number
        let facts = request.callFacts(number: number, standing.accountID, account, dialled: dialled, now: now)
        passText(
            request, key, way, facts, record, owner: caller.key, from: flow, server: server, now: now,
            effects: &effects)
        return .taken
    }

    private mutating func takeText(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ application: Application, _ accountID: Int64,
        _ dialled: [UInt8], _ caller: Caller, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) -> Outcome {
        guard let account = server.applications.account(accountID), account.isActive else {
            return .refused(.accountInactive)
        }
        var facts = request.callFacts(
            number: server.nextRecordNumber(now: now), accountID, account, dialled: dialled, now: now)
        facts.clientID = caller.id
        beginText(
            request, key, application, facts, owner: caller.key, from: flow, server: server, now: now,
            effects: &effects)
        return .taken
    }

    /// Handles a MESSAGE from an address of a gateway: it reaches the applications of numbers, and nobody else.
    mutating func receiveTextFromGateway(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ uri: SIPURI?, from flow: Flow, server: SIPServer,
        now: Now, effects: inout Effects
    ) {
        let reason: Reason
        let dialled = request.dialled(uri)
        if let uri, !server.domains.isOursAtAnyPort(uri) {
            reason = .foreignDestination
        } else if let number = dialled.withSlice({ server.applications.number(dialled: $0) }) {
            if number.application.sms == nil {
                reason = .numberWithoutApplication
            } else if let account = server.applications.account(number.accountID), account.isActive {
                let facts = request.callFacts(
                    number: server.nextRecordNumber(now: now), number.accountID, account, dialled: dialled, now: now)
                beginText(
                    request, key, number.application, facts, owner: nil, from: flow, server: server, now: now,
                    effects: &effects)
                return
            } else {
                reason = .accountInactive
            }
        } else {
            reason = .calleeUnknown
        }
        server.reject(request, reason, from: flow, now: now, effects: &effects)
    }
}
