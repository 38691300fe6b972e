import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// Calls that the API starts: their first party is called, and is the caller of the program once it has answered.
extension CallShard {
    /// Calls the first party.
    mutating func start(
        _ outgoing: OutgoingCall, _ program: CallProgram, _ facts: CallFacts, _ way: LegWay, server: SIPServer,
        now: Now, effects: inout Effects
    ) {
        let key = server.settings.runKey
        let callID = drawCallID(facts.number, CallShard.partyNumber, server)
        let tag = CallShard.tag(facts.number, "party", 0, [], key)
        var leg = CallLeg(record: .none, party: outgoing.party, callID: callID, localTag: tag)
        leg.hasOffer = true
        leg.user = way.user
        leg.password = way.password
        leg.destinations = way.destinations
        leg.invite = invite(of: leg, facts, way, server)
        let nowhere = Flow(transport: .udp, listener: 0, remote: SocketAddress(address: IPAddress(ipv4: 0), port: 0))
        var call = ApplicationCall(program: program, facts: facts, now: now)
        call.caller = CallerSide(callID: callID, lookupTag: tag, flow: nowhere)
        call.party = CallParty(leg)
        if let callback = outgoing.application.statusCallback {
            call.progress = (callback, outgoing.statusEvents, 0)
        }
        let index = calls.insert(call)
        calls.add(callID: callID, tag: tag, index, key)
        var record = outgoing.record
        record.callID = callID
        effects.records.append(.applicationCallStarted(record))
        logLeg(call, leg, way.destinations.count, now, &effects)
        tellProgress(.initiated, index, now: now, effects: &effects)
        let timer = schedule(.callParty, UInt64(max(1, outgoing.timeout)) * 1000, index, now)
        calls[index]?.party?.timer = timer
        sendParty(leg.invite, index, way.otherFlows, server: server, now: now, effects: &effects)
    }

    /// Stands for the party where a leg has its number.
    private static let partyNumber = 1 << 20

    private mutating func sendParty(
        _ invite: [UInt8], _ index: SlabIndex, _ otherFlows: [Binding], server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let leg = calls[index]?.party?.leg else { return }
        let context = startOwn(
            invite, leg.destinations, otherFlows, RequestUser(call: index, part: .party), server: server, now: now,
            effects: &effects)
        calls[index]?.party?.leg.context = context
    }

    private func invite(of leg: CallLeg, _ facts: CallFacts, _ way: LegWay, _ server: SIPServer) -> [UInt8] {
        var writer = ByteWriter(capacity: 1024)
        writer.append("INVITE ")
        writer.append(way.requestURI)
        writer.append(" SIP/2.0\r\nFrom: <sip:")
        writer.append(escapingUser: facts.from)
        writer.append(byte: UInt8(ascii: "@"))
        server.domains.domain.withSlice { writer.append(host: $0) }
        writer.append(">;tag=")
        writer.append(leg.localTag)
        writer.append("\r\nTo: <")
        writer.append(way.requestURI)
        writer.append(">\r\nCall-ID: ")
        writer.append(leg.callID)
        writer.append("\r\nCSeq: 1 INVITE\r\nX-RestComm-ApiVersion: 2012-04-24\r\nX-RestComm-AccountSid: ")
        writer.append(facts.accountSID)
        writer.append("\r\nX-RestComm-CallSid: ")
        writer.append(facts.number.sid(prefix: "CA"))
        writer.append("\r\n")
        for header in leg.party.headers {
            writer.append(header.name)
            writer.append(": ")
            writer.append(header.value)
            writer.append("\r\n")
        }
        writer.appendHeader("Allow", Refusal.allowedMethods)
        writer.append("Content-Type: application/sdp\r\n")
        let host = server.settings.listeners.first?.host ?? []
        CallParty.heldSession(host, facts.number).withSlice { writer.endRequest(body: $0) }
        return writer.slice.bytes
    }

    // MARK: Answers

    /// The party rings, or has answered.
    mutating func partyAnswers(
        _ response: borrowing SIPMessage, _ flow: Flow, _ index: SlabIndex, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let call = calls[index], let party = call.party else { return }
        if response.status < 200 {
            guard response.status >= 180, !party.didRing, call.caller?.state == .waiting else { return }
            calls[index]?.party?.didRing = true
            effects.records.append(.callRinging(number: call.facts.number, at: now.unix))
            tellProgress(.ringing, index, now: now, effects: &effects)
            return
        }
        guard
            var dialog = Dialog(
                asCaller: response, localTag: party.leg.localTag, requestURI: response.to.uri, flow: flow)
        else { return }
        sendAcknowledgement(
            in: dialog, response.sequenceNumber, party.leg.credentials, server: server,
            effects: &effects)
        if let known = call.caller?.dialog, known.contains(answer: response) { return }
        if party.leg.dialogs.contains(where: { $0.callee.contains(answer: response) }) { return }
        guard call.caller?.state == .waiting else {
            // Of another fork, or after the end: one BYE, however often it comes.
            calls[index]?.party?.leg.dialogs.append(DialogPair(callee: dialog))
            guard let sequence = dialog.nextSequence() else { return }
            sendBye(in: dialog, sequence, index, server: server, now: now, effects: &effects)
            return
        }
        transactions.timers.cancel(party.timer)
        var caller = CallerSide(callID: party.leg.callID, lookupTag: party.leg.localTag, flow: flow)
        caller.state = .confirmed
        caller.dialog = dialog
        calls[index]?.caller = caller
        calls[index]?.party?.answeredAt = now.unix
        calls[index]?.party?.leg.invite = []
        calls[index]?.session.refresh(by: response, at: now.instant)
        watchSession(index, now)
        effects.records.append(.callAnswered(number: call.facts.number, at: now.unix, tag: 0))
        tellProgress(.answered, index, now: now, effects: &effects)
        tell(.began, index, server: server, now: now, effects: &effects)
    }

    /// The party is not reached, or does not want.
    mutating func partyFails(
        _ index: SlabIndex, _ status: UInt16, _ reason: Reason, _ answer: [UInt8], server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let call = calls[index], call.caller?.state == .waiting else { return }
        var (status, reason) = (status, reason)
        if status == 401 || status == 407 {
            if retryParty(index, answer, server: server, now: now, effects: &effects) { return }
            (status, reason) = (403, .gatewayRefused)
        }
        endParty(index, status, reason, server: server, now: now, effects: &effects)
    }

    private mutating func retryParty(
        _ index: SlabIndex, _ answer: [UInt8], server: SIPServer, now: Now, effects: inout Effects
    ) -> Bool {
        guard let leg = calls[index]?.party?.leg, !leg.invite.isEmpty else { return false }
        var line: [UInt8] = []
        var bytes: [UInt8] = []
        answer.withSlice { answer in
            var response = SIPMessage()
            _ = response.parse(answer)
            leg.invite.withSlice { invite in
                var request = SIPMessage()
                _ = request.parse(invite)
                guard
                    let credentials = DigestAnswer(
                        to: response, method: "INVITE", uri: request.requestURI, body: request.body, user: leg.user,
                        password: leg.password, key: server.settings.runKey),
                    !leg.isRetried || credentials.isStale && leg.sequence < 4
                else { return }
                line = credentials.line
                bytes = request.withCredentials(line, sequence: leg.sequence + 1)
            }
        }
        if line.isEmpty { return false }
        calls[index]?.party?.leg.isRetried = true
        calls[index]?.party?.leg.sequence += 1
        calls[index]?.party?.leg.credentials = line
        sendParty(bytes, index, [], server: server, now: now, effects: &effects)
        return true
    }

    // MARK: The end

    mutating func partyRangTooLong(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let call = calls[index], let party = call.party, call.caller?.state == .waiting else { return }
        endParty(index, 408, .noAnswer, server: server, now: now, effects: &effects)
        cancel(party.leg.context, cause: "SIP;cause=408;text=\"Not answered in time\"", server, now, &effects)
    }

    /// Ends a party that has not answered, as the API wants; false when there is none.
    mutating func cancelParty(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) -> Bool {
        guard let call = calls[index], let party = call.party, call.caller?.state == .waiting else { return false }
        endParty(index, 487, call.endCause.reason ?? .callCancelled, server: server, now: now, effects: &effects)
        cancel(party.leg.context, cause: "SIP;cause=487;text=\"Cancelled\"", server, now, &effects)
        return true
    }

    private mutating func endParty(
        _ index: SlabIndex, _ status: UInt16, _ reason: Reason, server: SIPServer, now: Now, effects: inout Effects
    ) {
        transactions.timers.cancel(calls[index]?.party?.timer ?? .none)
        calls[index]?.caller?.state = .over
        calls[index]?.party?.leg.invite = []
        endRecord(
            index, { .callEnded(number: $0, at: now.unix, status: status, reason: reason) },
            result: SIPServer.result(of: status), reason, now: now, effects: &effects)
        tell(.callerGone, index, server: server, now: now, effects: &effects)
    }

    private mutating func cancel(
        _ context: SlabIndex, cause: ByteSlice, _ server: SIPServer, _ now: Now, _ effects: inout Effects
    ) {
        guard contexts[context]?.isFinal == false else { return }
        contexts[context]?.isCancelled = true
        contexts[context]?.waiting = []
        cancelBranches(context, reason: cause.bytes, server: server, now: now, effects: &effects)
        branchEnded(context, server: server, now: now, effects: &effects)
    }

    // MARK: Progress

    /// Tells the status callback of a call of the API what it has asked for.
    mutating func tellProgress(_ state: LegState, _ index: SlabIndex, now: Now, effects: inout Effects) {
        guard let call = calls[index], let progress = call.progress, progress.events.contains(state) else { return }
        let answeredAt = call.party?.answeredAt
        let seconds = answeredAt.map { max(0, now.unix.milliseconds &- $0.milliseconds) / 1000 } ?? 0
        calls[index]?.progress?.told += 1
        ask(
            .legProgress(
                state, of: call.facts, parent: .none, to: progress.address, sequence: progress.told, seconds: seconds,
                at: now.unix), isAnswerWanted: false, index, effects: &effects)
    }
}

extension SIPServer {
    /// Starts a call as the API wants it: its first party is called, and its application answers once that has.
    ///
    /// - Returns: Why nothing was started, without effects; nil when its record has begun, whose end is told as for every
    ///   call.
    public func startCall(_ outgoing: OutgoingCall, now: Now, effects: inout Effects) -> Reason? {
        if settings.isDraining { return .serverStopping }
        if isFull(forDialogs: false) { return .serverOverloaded }
        let record = outgoing.record
        guard let account = applications.account(record.accountID), account.isActive else { return .accountInactive }
        let way: LegWay
        switch self.way(to: outgoing.party, now: now) {
        case .found(let found): way = found
        case .refused(let reason): return reason
        }
        var facts = CallFacts(
            number: record.number, accountID: record.accountID, accountSID: account.sid, authToken: account.authToken,
            from: String(decoding: record.from, as: UTF8.self), to: String(decoding: record.to, as: UTF8.self),
            startedAt: now.unix)
        facts.direction = .outboundAPI
        let program = CallProgram(application: outgoing.application, facts: facts, settings: programSettings)
        let shard = UInt8(truncatingIfNeeded: UInt64(bitPattern: record.number.value) % UInt64(SIPServer.shardCount))
        _ = withShard(shard, now: now, effects: &effects) { shard, effects in
            shard.start(outgoing, program, facts, way, server: self, now: now, effects: &effects)
        }
        return nil
    }

    /// What programs of calls are told.
    var programSettings: CallProgram.Settings {
        var programs = CallProgram.Settings()
        programs.deadline = settings.applicationDeadline
        programs.longestCall = settings.longestCall
        programs.documents = settings.applicationDocuments
        return programs
    }
}
