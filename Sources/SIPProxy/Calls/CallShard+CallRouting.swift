import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// What becomes of an INVITE that is not simply forwarded.
extension CallShard {
    /// Takes the INVITE of a client for an application or a gateway.
    ///
    /// - Parameter isClient: True when a client has the name that was dialled.
    mutating func takeCall(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ uri: SIPURI?, _ caller: Caller,
        _ standing: ClientStanding, isClient: Bool, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) -> Outcome {
        var own: Application?
        if standing.hasApplication {
            let login = server.location.withClient(caller.key) { $0.login } ?? []
            own = login.withSlice { server.applications.application(ofClient: $0) }
            // It has one that has no address any more: what it dials is not for others.
            if own == nil { return .refused(.clientHasApplication) }
        }
        let dialled = request.dialled(uri)
        let decision = RoutingDecision.decide(
            own: own, dialled: dialled, isClient: { isClient }, directory: server.applications,
            gateways: server.settings.gateways)
        let (application, accountID): (Application?, Int64)
        switch decision {
        case .client: return .forwarded
        case .refused(let reason): return .refused(reason)
        case .ownApplication(let found): (application, accountID) = (found, standing.accountID)
        case .number(let found, let account): (application, accountID) = (found, account)
        case .gateway: (application, accountID) = (nil, standing.accountID)
        }
        guard let account = server.applications.account(accountID), account.isActive else {
            return .refused(.accountInactive)
        }
        var facts = request.callFacts(
            number: server.nextRecordNumber(now: now), accountID, account, dialled: dialled, now: now)
        facts.clientID = caller.id
        let plan: CallPlan
        if let application {
            plan = CallPlan(
                program: CallProgram(application: application, facts: facts, settings: server.programSettings),
                facts: facts)
        } else {
            plan = CallPlan(program: server.gatewayProgram(dialled, facts), facts: facts, isFixed: true)
        }
        beginCall(
            request, key, plan, owner: caller.key, from: flow, server: server, now: now, effects: &effects)
        return .taken
    }

    /// What `takeCall` has done with an INVITE.
    enum Outcome {
        /// It is a call of ours.
        case taken
        /// It goes to a client, as if there were no applications.
        case forwarded
        case refused(Reason)
    }

    /// Handles an INVITE from an address of a gateway, of which nobody is asked for credentials: it reaches the
    /// applications of numbers, and nobody else.
    mutating func receiveFromGateway(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ uri: SIPURI?, from flow: Flow, server: SIPServer,
        now: Now, effects: inout Effects
    ) {
        let reason: Reason
        if let uri, !server.domains.isOursAtAnyPort(uri) {
            reason = .foreignDestination
        } else {
            let dialled = request.dialled(uri)
            let decision = RoutingDecision.decide(
                own: nil, dialled: dialled, isClient: { false }, directory: server.applications, gateways: [])
            switch decision {
            case .number(let application, let accountID):
                if let account = server.applications.account(accountID), account.isActive {
                    let facts = request.callFacts(
                        number: server.nextRecordNumber(now: now), accountID, account, dialled: dialled, now: now)
                    let program = CallProgram(
                        application: application, facts: facts, settings: server.programSettings)
                    beginCall(
                        request, key, CallPlan(program: program, facts: facts), owner: nil, from: flow,
                        server: server, now: now, effects: &effects)
                    return
                }
                reason = .accountInactive
            case .refused(let refusal): reason = refusal
            case .ownApplication, .client, .gateway: reason = .calleeUnknown
            }
        }
        server.reject(request, reason, from: flow, now: now, effects: &effects)
    }
}

extension SIPServer {
    /// True for an INVITE or MESSAGE that comes from a gateway and not from a client which happens to be at its address.
    @inline(__always)
    func isFromGateway(_ request: borrowing SIPMessage, _ flow: Flow, _ now: Now) -> Bool {
        if settings.gateways.isEmpty || !request.toTag.isEmpty { return false }
        guard request.method == .invite || request.method == .message else { return false }
        guard settings.gateways.inbound(from: flow.remote.address) != nil else { return false }
        return !isFromDevice(request, flow, now)
    }

    /// The program of a call to the outside: it rings as long as any call, and has one record.
    func gatewayProgram(_ dialled: [UInt8], _ facts: CallFacts) -> CallProgram {
        var dial = Dial([Dial.Party(.number, String(decoding: dialled, as: UTF8.self))])
        dial.timeout = max(1, settings.timerC / 1000)
        dial.timeLimit = settings.longestCall
        return CallProgram(dial: dial, facts: facts, settings: programSettings)
    }
}

extension SIPMessage {
    /// What an application is told of a call or text that begins with this request.
    func callFacts(
        number: RecordNumber, _ accountID: Int64, _ account: AccountEntry, dialled: [UInt8], now: Now
    ) -> CallFacts {
        var facts = CallFacts(
            number: number, accountID: accountID, accountSID: account.sid, authToken: account.authToken,
            from: SIPMessage.user(from.uri), to: String(decoding: dialled, as: UTF8.self), startedAt: now.unix)
        facts.hops = min(maxForwards.map { UInt32(clamping: $0) } ?? 70, 70)
        if !from.displayName.isEmpty { facts.callerName = SIPMessage.unquoted(from.displayName) }
        for index in 0..<fieldCount {
            let field = field(index)
            let name = name(field)
            let isDiversion = name.equalsIgnoringCase("Diversion")
            guard isDiversion || name.starts(withIgnoringCase: "X-") else { continue }
            let value = value(field)
            if isDiversion, facts.forwardedFrom == nil,
                let address = NameAddress(value[0..<value.endOfValue(from: 0)].trimmed())
            {
                facts.forwardedFrom = SIPMessage.user(address.uri)
            }
            facts.headers.append(WebhookRequest.Parameter(name.string, value.string))
        }
        return facts
    }

    /// The user of a URI, escapes decoded; of one without, the whole.
    private static func user(_ uri: ByteSlice) -> String {
        if let number = TelURI(uri) { return String(decoding: number.plainNumber, as: UTF8.self) }
        guard let parsed = SIPURI(uri), parsed.hasUser else { return uri.string }
        var writer = ByteWriter(capacity: 64)
        writer.append(unescaped: parsed.user)
        return writer.slice.string
    }

    /// A display name without its backslashes.
    private static func unquoted(_ name: ByteSlice) -> String {
        var bytes: [UInt8] = []
        var index = 0
        while index < name.count {
            if name[index] == UInt8(ascii: "\\"), index + 1 < name.count { index += 1 }
            bytes.append(name[index])
            index += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
