import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// The legs of a call: whom an application dials.
extension CallShard {
    /// Begins the legs of a Dial, all at once.
    mutating func begin(
        _ dial: Dial, _ first: Int, _ records: [RecordNumber], _ index: SlabIndex, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        for (place, party) in dial.parties.enumerated() {
            guard let call = calls[index] else { return }
            let leg = call.legs.count
            let key = server.settings.runKey
            let callID = drawCallID(call.facts.number, leg, server)
            let tag = CallShard.tag(call.facts.number, "leg", UInt64(leg), [], key)
            var made = CallLeg(
                record: records.indices.contains(place) ? records[place] : .none, party: party, callID: callID,
                localTag: tag)
            // Whoever is in a call already gets the session of the new leg by a re-INVITE (RFC 3725).
            let isFirst = call.caller?.state == .waiting
            made.hasOffer = isFirst && call.caller?.hasOffer == true
            calls[index]?.legs.append(made)
            calls.add(callID: callID, tag: tag, index, key)
            beginLeg(leg, dial, index, server: server, now: now, effects: &effects)
        }
    }

    private mutating func beginLeg(
        _ leg: Int, _ dial: Dial, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], call.legs.indices.contains(leg) else { return }
        let made = call.legs[leg]
        // A document can name many parties, each with many devices.
        let way: LegWays =
            server.isFull(forDialogs: false)
            ? .refused(.serverOverloaded) : server.way(to: made.party, now: now)
        recordLeg(made, dial, call, way, now: now, effects: &effects)
        switch way {
        case .refused(let reason):
            calls[index]?.legs[leg].isOver = true
            endLegRecord(leg, index, reason.status, reason, now: now, effects: &effects)
            calls.inputs.append(
                CallInput(
                    user: RequestUser(call: index), kind: .event(.legFailed(leg, status: reason.status, reason))))
        case .found(let found):
            calls[index]?.legs[leg].user = found.user
            calls[index]?.legs[leg].password = found.password
            calls[index]?.legs[leg].destinations = found.destinations
            let invite = writeInvite(of: call, made, dial, found, server)
            calls[index]?.legs[leg].invite = invite
            send(invite, leg, index, found.destinations, found.otherFlows, server: server, now: now, effects: &effects)
            logLeg(call, made, found.destinations.count, now, &effects)
        }
    }

    /// Sends the INVITE of a leg, for the first time or with credentials.
    private mutating func send(
        _ invite: [UInt8], _ leg: Int, _ index: SlabIndex, _ destinations: [Destination], _ otherFlows: [Binding],
        server: SIPServer, now: Now, effects: inout Effects
    ) {
        let context = startOwn(
            invite, destinations, otherFlows, RequestUser(call: index, part: .leg, number: leg), server: server,
            now: now, effects: &effects)
        calls[index]?.legs[leg].context = context
    }

    /// Starts a request of a call.
    @discardableResult
    mutating func startOwn(
        _ bytes: [UInt8], _ destinations: [Destination], _ otherFlows: [Binding], _ user: RequestUser,
        server: SIPServer, now: Now, effects: inout Effects
    ) -> SlabIndex {
        calls[user.call]?.openContexts += 1
        return bytes.withSlice { bytes in
            var request = SIPMessage()
            // The only fault is that there is no Via, which forwarding adds.
            _ = request.parse(bytes)
            var plan = ForwardingPlan()
            plan.writesContact = request.method == .invite && request.toTag.isEmpty
            return start(
                request, destinations: destinations, otherFlows: otherFlows, PendingRecord(), user: user, plan,
                server: server, now: now, effects: &effects)
        }
    }

    private func writeInvite(
        of call: ApplicationCall, _ leg: CallLeg, _ dial: Dial, _ way: LegWay, _ server: SIPServer
    ) -> [UInt8] {
        var writer = ByteWriter(capacity: 1024)
        writer.append("INVITE ")
        writer.append(way.requestURI)
        writer.append(" SIP/2.0\r\nFrom: ")
        if let name = call.facts.callerName, !name.isEmpty, dial.callerID == nil {
            writer.append(quoted: name)
            writer.append(byte: ASCII.space)
        }
        writer.append("<sip:")
        writer.append(escapingUser: dial.callerID ?? call.facts.from)
        writer.append(byte: UInt8(ascii: "@"))
        server.domains.domain.withSlice { writer.append(host: $0) }
        writer.append(">;tag=")
        writer.append(leg.localTag)
        writer.append("\r\nTo: <")
        writer.append(way.requestURI)
        writer.append(">\r\nCall-ID: ")
        writer.append(leg.callID)
        writer.append("\r\nCSeq: 1 INVITE\r\n")
        if leg.record != .none || !call.facts.accountSID.isEmpty, !call.isFixed {
            writer.append("X-RestComm-ApiVersion: 2012-04-24\r\nX-RestComm-AccountSid: ")
            writer.append(call.facts.accountSID)
            writer.append("\r\nX-RestComm-CallSid: ")
            writer.append(leg.record.sid(prefix: "CA"))
            writer.append("\r\n")
        }
        for header in leg.party.headers {
            writer.append(header.name)
            writer.append(": ")
            writer.append(header.value)
            writer.append("\r\n")
        }
        let source = call.caller?.state == .waiting ? call.caller?.invite ?? [] : []
        if source.isEmpty {
            writer.append("Allow: ")
            writer.append(Refusal.allowedMethods)
            writer.append("\r\n\r\n")
        } else {
            source.withSlice { bytes in
                var request = SIPMessage()
                _ = request.parse(bytes)
                writer.appendEndToEnd(of: request, hop: true, replaced: leg.party.headers + CallShard.ownHeaders)
                writer.endRequest(body: request.body)
            }
        }
        return writer.slice.bytes
    }

    /// What only this server says of a call.
    private static let ownHeaders = ["X-RestComm-ApiVersion", "X-RestComm-AccountSid", "X-RestComm-CallSid"].map {
        WebhookRequest.Parameter($0, "")
    }

    // MARK: Answers

    /// A leg has answered, provisionally or with a 2xx.
    mutating func legAnswers(
        _ response: borrowing SIPMessage, _ flow: Flow, _ index: SlabIndex, _ leg: Int, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let call = calls[index], call.legs.indices.contains(leg) else {
            if response.status >= 200 { endStray(response, flow, server: server, now: now, effects: &effects) }
            return
        }
        let pair = pairIndex(for: response, outsideFlow(of: response, flow, call.legs[leg], server), leg, index, server)
        if response.status < 200 {
            if call.legs[leg].isOver || call.legs[leg].answered != nil { return }
            if response.status >= 180 { rings(leg, index, now: now, effects: &effects) }
            if call.caller?.state == .waiting {
                passProvisional(response, leg, pair, index, server: server, now: now, effects: &effects)
            }
            return
        }
        guard let pair else {
            // It makes no dialog that could be talked in, and no CANCEL can end it any more.
            endStray(response, flow, server: server, now: now, effects: &effects)
            legFails(index, leg, 500, .calleeFailed, [], server: server, now: now, effects: &effects)
            return
        }
        accepted(response, leg, pair, index, server: server, now: now, effects: &effects)
    }

    /// A 2xx of a leg: the first counts; every other dialog is ended at once (RFC 3261 13.2.2.4).
    private mutating func accepted(
        _ response: borrowing SIPMessage, _ leg: Int, _ pair: Int, _ index: SlabIndex, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let made = calls[index]?.legs[leg] else { return }
        if made.dialogs[pair].isAcknowledged {
            // Its ACK was lost.
            acknowledge(leg, pair, index, body: .empty, server: server, effects: &effects)
            return
        }
        if made.answered == pair { return }
        if made.isOver || made.answered != nil {
            acknowledge(leg, pair, index, body: .empty, server: server, effects: &effects)
            endDialog(leg, pair, index, nil, server: server, now: now, effects: &effects)
            return
        }
        calls[index]?.legs[leg].answered = pair
        calls[index]?.legs[leg].answer = response.bytes.bytes
        calls[index]?.legs[leg].invite = []
        if made.hasOffer { acknowledge(leg, pair, index, body: .empty, server: server, effects: &effects) }
        if made.record != .none {
            effects.records.append(.callAnswered(number: made.record, at: now.unix, tag: 0))
        }
        tell(.legAnswered(leg), index, server: server, now: now, effects: &effects)
    }

    /// A leg has failed on all its branches, or was cancelled.
    mutating func legFails(
        _ index: SlabIndex, _ leg: Int, _ status: UInt16, _ reason: Reason, _ answer: [UInt8], server: SIPServer,
        now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], call.legs.indices.contains(leg), !call.legs[leg].isOver else { return }
        var (status, reason) = (status, reason)
        if status == 401 || status == 407 {
            if retry(leg, index, answer, server: server, now: now, effects: &effects) { return }
            (status, reason) = (403, .gatewayRefused)
        }
        calls[index]?.legs[leg].isOver = true
        endLegRecord(leg, index, status, reason, now: now, effects: &effects)
        tell(.legFailed(leg, status: status, reason), index, server: server, now: now, effects: &effects)
    }

    /// Sends the INVITE of a leg once more, with credentials (22.2); false when there are none, or they were refused.
    private mutating func retry(
        _ leg: Int, _ index: SlabIndex, _ answer: [UInt8], server: SIPServer, now: Now, effects: inout Effects
    ) -> Bool {
        guard let made = calls[index]?.legs[leg], !made.invite.isEmpty else { return false }
        var line: [UInt8] = []
        var bytes: [UInt8] = []
        answer.withSlice { answer in
            var response = SIPMessage()
            _ = response.parse(answer)
            made.invite.withSlice { invite in
                var request = SIPMessage()
                _ = request.parse(invite)
                guard
                    let credentials = DigestAnswer(
                        to: response, method: "INVITE", uri: request.requestURI, body: request.body, user: made.user,
                        password: made.password, key: server.settings.runKey),
                    !made.isRetried || credentials.isStale && made.sequence < 4
                else { return }
                line = credentials.line
                bytes = request.withCredentials(line, sequence: made.sequence + 1)
            }
        }
        if line.isEmpty { return false }
        calls[index]?.legs[leg].isRetried = true
        calls[index]?.legs[leg].sequence += 1
        calls[index]?.legs[leg].credentials = line
        send(bytes, leg, index, made.destinations, [], server: server, now: now, effects: &effects)
        return true
    }

    private mutating func rings(_ leg: Int, _ index: SlabIndex, now: Now, effects: inout Effects) {
        guard let call = calls[index], !call.legs[leg].didRing else { return }
        calls[index]?.legs[leg].didRing = true
        if call.legs[leg].record != .none {
            effects.records.append(.callRinging(number: call.legs[leg].record, at: now.unix))
        }
        if call.caller?.state == .waiting {
            effects.records.append(.callRinging(number: call.facts.number, at: now.unix))
        }
        calls.inputs.append(CallInput(user: RequestUser(call: index), kind: .event(.legRings(leg))))
    }

    /// The dialog that an answer of a leg belongs to, made when it is the first of its tag.
    private mutating func pairIndex(
        for response: borrowing SIPMessage, _ flow: Flow, _ leg: Int, _ index: SlabIndex, _ server: SIPServer
    ) -> Int? {
        guard let call = calls[index], !response.toTag.isEmpty || response.status >= 200 else { return nil }
        let dialogs = call.legs[leg].dialogs
        for position in dialogs.indices where dialogs[position].callee.contains(answer: response) {
            if response.status >= 200, !dialogs[position].callee.isConfirmed {
                calls[index]?.legs[leg].dialogs[position].callee.confirm(by: response)
                calls[index]?.legs[leg].dialogs[position].callee.flow = flow
            }
            return position
        }
        // A forking proxy beyond may make as many as it likes.
        guard dialogs.count < (response.status < 200 ? 31 : 32),
            let made = Dialog(
                asCaller: response, localTag: call.legs[leg].localTag, requestURI: response.to.uri, flow: flow)
        else { return nil }
        var pair = DialogPair(callee: made)
        if let caller = call.caller, caller.state == .waiting {
            let tag = CallShard.tag(
                call.facts.number, "caller", UInt64(leg), response.toTag.bytes, server.settings.runKey)
            caller.invite.withSlice { bytes in
                var request = SIPMessage()
                _ = request.parse(bytes)
                pair.caller = Dialog(asCallee: request, localTag: tag, flow: caller.flow)
            }
        }
        calls[index]?.legs[leg].dialogs.append(pair)
        return dialogs.count
    }

    /// The way to a peer outside once it has answered: to its first Route or its Contact, where that is an address (12.2.1.1).
    /// A private address behind a public one is one that its NAT hides.
    private func outsideFlow(
        of response: borrowing SIPMessage, _ flow: Flow, _ leg: CallLeg, _ server: SIPServer
    ) -> Flow {
        guard case .uri? = leg.destinations.first, response.status >= 200 else { return flow }
        var routes = response.values(of: .recordRoute)
        var hop: ByteSlice?
        // The last Record-Route is that of the proxy next to us.
        while let value = routes.next(in: response) { hop = value }
        var contacts = response.values(of: .contact)
        guard let value = hop ?? contacts.next(in: response), let address = NameAddress(value),
            let uri = SIPURI(address.uri), let transport = TransportProtocol(parameter: uri.transport),
            case .address(let host) = Host(uri.host), !host.isPrivate || flow.remote.address.isPrivate
        else { return flow }
        let remote = SocketAddress(address: host, port: uri.port ?? 5060)
        if remote == flow.remote, transport == flow.transport { return flow }
        return server.flow(to: remote, transport) ?? flow
    }

    // MARK: Ending

    /// Ends a leg in whatever state it is.
    mutating func endLeg(
        _ leg: Int, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], call.legs.indices.contains(leg), !call.legs[leg].isOver else { return }
        calls[index]?.legs[leg].isOver = true
        if let answered = call.legs[leg].answered {
            if !call.legs[leg].dialogs[answered].isAcknowledged {
                acknowledge(leg, answered, index, body: .empty, server: server, effects: &effects)
            }
            endDialog(leg, answered, index, call.endCause.reason, server: server, now: now, effects: &effects)
            if call.legs[leg].record != .none {
                effects.records.append(
                    call.endCause.reason == nil || call.endCause.reason == .callCancelled
                        ? .callHungUp(number: call.legs[leg].record, at: now.unix, tag: 0)
                        : .callClosed(number: call.legs[leg].record, at: now.unix, reason: call.endCause.reason))
            }
            dropRelay(index, server: server, now: now, effects: &effects)
            return
        }
        endLegRecord(leg, index, call.endCause.status, call.endCause.reason, now: now, effects: &effects)
        let context = call.legs[leg].context
        guard contexts[context]?.isFinal == false else { return }
        contexts[context]?.isCancelled = true
        contexts[context]?.waiting = []
        let text: StaticString =
            call.endCause.status == 408
            ? "SIP;cause=408;text=\"Not answered in time\""
            : call.endCause.reason == nil
                ? "SIP;cause=200;text=\"Call completed elsewhere\"" : "SIP;cause=487;text=\"The caller has given up\""
        cancelBranches(
            context, reason: Array("\(text)".utf8), server: server, now: now, effects: &effects)
        branchEnded(context, server: server, now: now, effects: &effects)
    }

    /// Sends BYE in a dialog of a leg, once.
    mutating func endDialog(
        _ leg: Int, _ pair: Int, _ index: SlabIndex, _ reason: Reason?, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let dialog = calls[index]?.legs[leg].dialogs[pair], !dialog.isEnded else { return }
        calls[index]?.legs[leg].dialogs[pair].isEnded = true
        guard let sequence = calls[index]?.legs[leg].dialogs[pair].callee.nextSequence() else { return }
        sendBye(in: dialog.callee, sequence, index, leg: leg, server: server, now: now, effects: &effects)
    }

    /// Sends a BYE.
    ///
    /// - Parameter leg: The leg whose credentials answer a challenge to it; nil for none, or when they have done so.
    mutating func sendBye(
        in dialog: Dialog, _ sequence: UInt32, _ index: SlabIndex, leg: Int? = nil, credentials: [UInt8] = [],
        server: SIPServer, now: Now, effects: inout Effects
    ) {
        var writer = ByteWriter(capacity: 512)
        dialog.beginRequest("BYE", sequence: sequence, into: &writer)
        writer.append(credentials)
        writer.endRequest()
        startOwn(
            writer.slice.bytes, [.peer(server.flow(of: dialog, now), requestURI: dialog.requestURI)], [],
            RequestUser(call: index, part: .bye, number: leg ?? -1), server: server, now: now, effects: &effects)
    }

    /// Sends a BYE that a gateway has challenged once more, with the credentials of the leg (22.2).
    mutating func retryBye(
        _ leg: Int, _ index: SlabIndex, _ answer: [UInt8], server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], call.legs.indices.contains(leg) else { return }
        let made = call.legs[leg]
        var found: (pair: Int, line: [UInt8])?
        answer.withSlice { bytes in
            var response = SIPMessage()
            _ = response.parse(bytes)
            guard let pair = made.dialogs.firstIndex(where: { $0.callee.contains(answer: response) }) else { return }
            let credentials = made.dialogs[pair].callee.requestURI.withSlice {
                DigestAnswer(
                    to: response, method: "BYE", uri: $0, body: .empty, user: made.user, password: made.password,
                    key: server.settings.runKey)
            }
            if let credentials { found = (pair, credentials.line) }
        }
        guard let found, let sequence = calls[index]?.legs[leg].dialogs[found.pair].callee.nextSequence() ?? nil else {
            return
        }
        sendBye(
            in: made.dialogs[found.pair].callee, sequence, index, credentials: found.line, server: server, now: now,
            effects: &effects)
    }

    /// Acknowledges the 2xx of a leg.
    mutating func acknowledge(
        _ leg: Int, _ pair: Int, _ index: SlabIndex, body: ByteSlice, type: ByteSlice = .empty, server: SIPServer,
        effects: inout Effects
    ) {
        guard let made = calls[index]?.legs[leg], made.dialogs.indices.contains(pair) else { return }
        calls[index]?.legs[leg].dialogs[pair].isAcknowledged = true
        if !body.isEmpty { calls[index]?.legs[leg].acknowledged = (body.bytes, type.bytes) }
        let isRepeated = body.isEmpty && made.answered == pair
        sendAcknowledgement(
            in: made.dialogs[pair].callee, made.sequence, made.credentials,
            isRepeated ? made.acknowledged.body : body.bytes, isRepeated ? made.acknowledged.type : type.bytes,
            server: server, effects: &effects)
    }

    func sendAcknowledgement(
        in dialog: Dialog, _ sequence: UInt32, _ credentials: [UInt8], _ body: [UInt8] = [], _ type: [UInt8] = [],
        server: SIPServer, effects: inout Effects
    ) {
        guard server.isUsable(dialog.flow) else { return }
        let start = effects.outbox.bytes.count
        dialog.beginAcknowledgement(
            sequence: sequence, viaStart: server.settings.listeners[Int(dialog.flow.listener)].viaStart,
            key: server.settings.runKey, into: &effects.outbox.bytes)
        effects.outbox.bytes.append(credentials)
        if !body.isEmpty {
            effects.outbox.bytes.append("Content-Type: ")
            if type.isEmpty {
                effects.outbox.bytes.append("application/sdp")
            } else {
                effects.outbox.bytes.append(type)
            }
            effects.outbox.bytes.append("\r\n")
        }
        body.withSlice { effects.outbox.bytes.endMessage(body: $0) }
        effects.outbox.send(from: start, to: dialog.flow)
    }

    /// A 2xx for a call that is gone: its dialog is acknowledged and ended.
    private mutating func endStray(
        _ response: borrowing SIPMessage, _ flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard response.method == .invite,
            var dialog = Dialog(
                asCaller: response, localTag: response.fromTag.bytes, requestURI: response.to.uri, flow: flow)
        else { return }
        sendAcknowledgement(
            in: dialog, response.sequenceNumber, [], server: server, effects: &effects)
        guard let sequence = dialog.nextSequence() else { return }
        sendBye(in: dialog, sequence, .none, server: server, now: now, effects: &effects)
    }
}
