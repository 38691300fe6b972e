import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// Texts to applications, and the texts that come of them.
extension CallShard {
    /// Takes a MESSAGE for an application: its sender has its answer at once, what the application makes of it comes later.
    ///
    /// - Parameter owner: The client in whose share the transaction counts; nil for a gateway.
    mutating func beginText(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ application: Application, _ facts: CallFacts,
        owner: LoginKey?, from flow: Flow, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let transaction = insertServer(request, key, owner: owner, from: flow)
        run(server: transaction, .request, server, now, &effects)
        let start = effects.outbox.bytes.count
        if let reason = textRefusal(request, facts, server) {
            server.log(
                request, refused: reason, facts.number, isAuthenticated: owner != nil, from: flow, now, &effects)
            server.writeRefusal(reason, of: request, from: flow, into: &effects.outbox.bytes)
            answer(transaction, status: reason.status, from: start, server, now, &effects)
            return
        }
        // RFC 3428 section 7: it is taken, and not delivered yet.
        ResponseTag(for: request, key: server.settings.runKey).withSlice {
            effects.outbox.bytes.beginResponse(to: request, status: 202, source: flow.remote, toTag: $0)
        }
        effects.outbox.bytes.endResponse()
        answer(transaction, status: 202, from: start, server, now, &effects)
        var facts = facts
        facts.body = request.body.string
        var record = TextRecord(
            number: facts.number, accountID: facts.accountID, from: Array(facts.from.utf8), to: Array(facts.to.utf8),
            body: request.body.bytes, direction: .inbound, startedAt: now.unix)
        record.clientID = facts.clientID
        effects.records.append(.textStarted(record))
        effects.records.append(.messageEnded(number: facts.number, at: now.unix, status: 202, reason: nil))
        logText(request, facts.number, from: flow, now, &effects)
        let program = TextProgram(application: application, facts: facts, settings: server.programSettings)
        let index = calls.insert(ApplicationCall(.text(program), facts: facts, now: now))
        tell(.began, index, server: server, now: now, effects: &effects)
    }

    /// Why an application does not get a text.
    private func textRefusal(_ request: borrowing SIPMessage, _ facts: CallFacts, _ server: SIPServer) -> Reason? {
        if let account = server.applications.account(facts.accountID), !account.isActive { return .accountInactive }
        let type = request.value(of: .contentType) ?? .empty
        let name = type[0..<(type.firstIndex(of: UInt8(ascii: ";")) ?? type.count)].trimmed()
        // Compressed text is none that can be read.
        let isPlain = name.equalsIgnoringCase("text/plain") && !request.text.isEmpty
        if !isPlain { return .textUnsuitable }
        return EndToEndHeaders.unsupported(in: request).isEmpty ? nil : .unsupportedExtension
    }

    private func logText(
        _ request: borrowing SIPMessage, _ number: RecordNumber, from flow: Flow, _ now: Now, _ effects: inout Effects
    ) {
        guard effects.log.begin(.messageEnd, at: now.unix) else { return }
        effects.log.field("src", source: flow)
        effects.log.field("message", number, prefix: "SM")
        effects.log.parties(of: request)
        effects.log.field("sip", number: 202)
        effects.log.end()
    }

    // MARK: Sending

    /// Sends a text of an application: to all devices of a client, else to a number outside.
    mutating func send(
        _ text: CallText, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index] else { return }
        let isReply: Bool
        if case .text = call.program { isReply = true } else { isReply = false }
        effects.records.append(
            .textStarted(
                TextRecord(
                    number: text.number, accountID: call.facts.accountID, from: Array(text.from.utf8),
                    to: Array(text.to.utf8), body: Array(text.body.utf8),
                    direction: isReply ? .outboundReply : .outboundCall, startedAt: now.unix)))
        let record = PendingRecord(text.number)
        if text.to == text.from {
            // A text to its own number would come back, be answered, and come back again.
            refuseText(text.id, .loopDetected, record, index)
            return
        }
        switch server.way(toTextRecipient: text.to, now: now) {
        case .refused(let reason): refuseText(text.id, reason, record, index)
        case .found(let way):
            let key = server.settings.runKey
            var writer = ByteWriter(capacity: 512 + text.body.utf8.count)
            server.domains.domain.withSlice {
                writer.beginMessage(
                    from: text.from, domain: $0, tag: CallShard.tag(text.number, "text", 0, [], key),
                    to: way.requestURI, callID: drawCallID(text.number, 0, server))
            }
            writer.appendHeader("Max-Forwards", number: UInt64(call.facts.hops))
            for header in text.headers.prefix(32) { writer.appendForeign(header.name, header.value) }
            writer.append("Content-Type: text/plain;charset=UTF-8\r\n\r\n")
            writer.append(text.body)
            if writer.count > server.settings.messageSize {
                refuseText(text.id, .messageTooLarge, record, index)
                return
            }
            calls[index]?.texts[text.id] = SentText(record: record, request: writer.slice.bytes, way: way)
            sendText(text.id, writer.slice, index, server: server, now: now, effects: &effects)
        }
    }

    /// Passes a client's MESSAGE on to a number outside: the sender gets the gateway's answer, and only this server knows the
    /// credentials for it.
    mutating func passText(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ way: LegWay, _ facts: CallFacts,
        _ record: PendingRecord, owner: LoginKey?, from flow: Flow, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        let transaction = insertServer(request, key, owner: owner, from: flow)
        run(server: transaction, .request, server, now, &effects)
        var call = ApplicationCall(.passing(false), facts: facts, now: now)
        call.sender = TextSender(transaction: transaction, request: patched(request, from: flow))
        var writer = ByteWriter(capacity: 512 + request.bytes.count)
        server.domains.domain.withSlice {
            writer.beginMessage(
                from: facts.from, domain: $0,
                tag: CallShard.tag(facts.number, "text", 0, [], server.settings.runKey), to: way.requestURI,
                callID: drawCallID(facts.number, 0, server))
        }
        writer.appendEndToEnd(of: request, hop: true)
        writer.endRequest(body: request.body)
        call.texts[0] = SentText(record: record, request: writer.slice.bytes, way: way)
        let index = calls.insert(call)
        transactions.servers[transaction]?.call = index
        sendText(0, writer.slice, index, server: server, now: now, effects: &effects)
    }

    /// Passes a text of the API on to a number outside.
    mutating func passText(
        _ message: OutgoingMessage, _ way: LegWay, server: SIPServer, now: Now, effects: inout Effects
    ) {
        let facts = CallFacts(
            number: message.number, accountID: 0, accountSID: "", authToken: "", from: message.from.decodedUser,
            to: message.to.decodedUser, startedAt: now.unix)
        var call = ApplicationCall(.passing(false), facts: facts, now: now)
        var writer = ByteWriter(capacity: 512 + message.body.count)
        server.domains.domain.withSlice {
            writer.beginMessage(
                from: facts.from, domain: $0,
                tag: CallShard.tag(facts.number, "text", 0, [], server.settings.runKey), to: way.requestURI,
                callID: drawCallID(facts.number, 0, server))
        }
        writer.append("Content-Type: text/plain;charset=UTF-8\r\n\r\n")
        writer.append(message.body)
        call.texts[0] = SentText(record: PendingRecord(message.number), request: writer.slice.bytes, way: way)
        sendText(0, writer.slice, calls.insert(call), server: server, now: now, effects: &effects)
    }

    /// Sends the MESSAGE of a text, for the first time or with credentials.
    private mutating func sendText(
        _ id: UInt32, _ bytes: ByteSlice, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let text = calls[index]?.texts[id] else { return }
        calls[index]?.openContexts += 1
        var request = SIPMessage()
        // The only fault is that there is no Via, which forwarding adds.
        _ = request.parse(bytes)
        start(
            request, destinations: text.way.destinations, otherFlows: text.way.otherFlows, text.record,
            user: RequestUser(call: index, part: .text, number: Int(id)), server: server, now: now,
            effects: &effects)
    }

    /// A text that cannot be sent has failed, as soon as what is at hand is done.
    private mutating func refuseText(
        _ id: UInt32, _ reason: Reason, _ record: PendingRecord, _ index: SlabIndex
    ) {
        calls[index]?.texts[id] = SentText(
            record: record, request: [], way: LegWay(requestURI: [], destinations: []))
        calls.inputs.append(
            CallInput(
                user: RequestUser(call: index, part: .text, number: Int(id)),
                kind: .failed(reason.status, reason, [])))
    }

    // MARK: The end

    /// A text has failed on all its ways: once more with credentials where these are asked for (RFC 3261 22.2).
    mutating func textFails(
        _ id: UInt32, _ status: UInt16, _ reason: Reason, _ answer: [UInt8], _ index: SlabIndex, server: SIPServer,
        now: Now, effects: inout Effects
    ) {
        guard status == 401 || status == 407 else {
            endText(id, status, reason, index, server: server, now: now, effects: &effects)
            return
        }
        guard let text = calls[index]?.texts[id], !text.isRetried,
            let again = again(text, answer, server.settings.runKey)
        else {
            endText(id, 403, .gatewayRefused, index, server: server, now: now, effects: &effects)
            return
        }
        calls[index]?.texts[id]?.isRetried = true
        again.withSlice { sendText(id, $0, index, server: server, now: now, effects: &effects) }
    }

    /// The MESSAGE of a text with the answer to a challenge.
    private func again(_ text: SentText, _ answer: [UInt8], _ key: HashKey) -> [UInt8]? {
        answer.withSlice { answer in
            var response = SIPMessage()
            _ = response.parse(answer)
            return text.request.withSlice { bytes in
                var request = SIPMessage()
                _ = request.parse(bytes)
                return DigestAnswer(
                    to: response, method: "MESSAGE", uri: request.requestURI, body: request.body,
                    user: text.way.user, password: text.way.password, key: key
                ).map { request.withCredentials($0.line, sequence: 2) }
            }
        }
    }

    /// A text has its final status: its record and whoever sent it are told.
    mutating func endText(
        _ id: UInt32, _ status: UInt16, _ reason: Reason?, _ index: SlabIndex, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard let text = calls[index]?.texts.removeValue(forKey: id) else { return }
        // A 2xx has told the record already.
        if reason != nil { endRecord(text.record, of: .message, status, reason, now: now, effects: &effects) }
        if let sender = calls[index]?.sender {
            answer(sender, status, reason, server: server, now: now, effects: &effects)
        }
        tell(.textEnded(id, status: status, reason), index, server: server, now: now, effects: &effects)
    }

    private mutating func answer(
        _ sender: TextSender, _ status: UInt16, _ reason: Reason?, server: SIPServer, now: Now, effects: inout Effects
    ) {
        if status == 408 {
            // RFC 4320 section 4.2: the client has given up at the same time.
            run(server: sender.transaction, .abandoned, server, now, &effects)
            return
        }
        let start = effects.outbox.bytes.count
        sender.request.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            ResponseTag(for: request, key: server.settings.runKey).withSlice {
                effects.outbox.bytes.beginResponse(to: request, status: status, source: nil, toTag: $0)
            }
            if let reason {
                server.domains.domain.withSlice { effects.outbox.bytes.appendWarning(reason, domain: $0) }
            }
            effects.outbox.bytes.endResponse()
        }
        answer(sender.transaction, status: status, from: start, server, now, &effects)
    }
}

extension SIPServer {
    /// The way of a text of an application: to a client, else to a number outside.
    func way(toTextRecipient name: String, now: Now) -> LegWays {
        let way = way(to: Dial.Party(.client, name), now: now)
        if case .refused(.calleeUnknown) = way { return self.way(toNumber: Array(name.utf8)) }
        return way
    }

    /// Sends a text of the API to a number outside.
    ///
    /// - Returns: Always nil: its end is told by its record.
    func sendOutside(_ message: OutgoingMessage, _ way: LegWay, now: Now, effects: inout Effects) -> Reason? {
        let shard = UInt8(truncatingIfNeeded: message.number.value & 31)
        _ = withShard(shard, now: now, effects: &effects) { shard, effects in
            shard.passText(message, way, server: self, now: now, effects: &effects)
        }
        return nil
    }
}

extension [UInt8] {
    /// The user of a URI as text, escapes decoded.
    fileprivate var decodedUser: String {
        withSlice { user in
            var writer = ByteWriter(capacity: user.count)
            writer.append(unescaped: user)
            return writer.slice.string
        }
    }
}
