import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// The beginning of a call that is not simply forwarded.
extension CallShard {
    /// Takes an INVITE for a program: the caller is this server's from now on.
    mutating func beginCall(
        _ request: borrowing SIPMessage, _ key: TransactionKey, _ plan: CallPlan, owner: LoginKey?, from flow: Flow,
        server: SIPServer, now: Now, effects: inout Effects
    ) {
        if calls.isMerged(request, server) {
            // 8.2.2.2: the same INVITE by another way.
            server.reject(
                request, .loopDetected, isAuthenticated: owner != nil, from: flow, now: now, effects: &effects)
            if let owner { server.releaseShare(of: owner) }
            return
        }
        if calls.count >= max(1, server.settings.maxTransactions / SIPServer.shardCount) {
            server.reject(
                request, .serverOverloaded, isAuthenticated: owner != nil, from: flow, now: now, effects: &effects)
            if let owner { server.releaseShare(of: owner) }
            return
        }
        let unsupported = EndToEndHeaders.unsupported(in: request)
        let hasContact = Dialog(asCallee: request, localTag: [], flow: flow) != nil
        let transaction = insertServer(request, key, owner: owner, from: flow)
        run(server: transaction, .request, server, now, &effects)
        let isTooShort = SessionTimer.isTooShort(request)
        if !unsupported.isEmpty || !hasContact || isTooShort {
            let reason: Reason =
                !unsupported.isEmpty ? .unsupportedExtension : !hasContact ? .messageMalformed : .sessionTooShort
            server.log(request, refused: reason, isAuthenticated: owner != nil, from: flow, now, &effects)
            let start = effects.outbox.bytes.count
            server.writeRefusal(reason, of: request, from: flow, into: &effects.outbox.bytes)
            answer(transaction, status: reason.status, from: start, server, now, &effects)
            return
        }
        sendTrying(to: request, transaction, from: flow, server: server, now: now, effects: &effects)
        var call = ApplicationCall(program: plan.program, facts: plan.facts, now: now)
        call.isFixed = plan.isFixed
        var caller = CallerSide(
            callID: request.callID.bytes, lookupTag: request.fromTag.bytes,
            flow: flow)
        caller.server = transaction
        caller.invite = patched(request, from: flow)
        caller.hasOffer = !request.body.isEmpty
        caller.sequence = request.sequenceNumber
        call.caller = caller
        let index = calls.insert(call)
        transactions.servers[transaction]?.call = index
        calls.add(callID: caller.callID, tag: caller.lookupTag, index, server.settings.runKey)
        var record = CallRecord(
            number: plan.facts.number, accountID: plan.facts.accountID, from: Array(plan.facts.from.utf8),
            to: Array(plan.facts.to.utf8), direction: plan.facts.direction, startedAt: now.unix,
            callID: caller.callID)
        record.clientID = plan.facts.clientID
        record.callerName = Array((plan.facts.callerName ?? "").utf8)
        effects.records.append(.applicationCallStarted(record))
        logStart(request, 0, plan.facts.number, from: flow, now, &effects)
        tell(.began, index, server: server, now: now, effects: &effects)
    }

    /// Makes the record of a leg.
    func recordLeg(
        _ leg: CallLeg, _ dial: Dial, _ call: ApplicationCall, _ way: LegWays, now: Now, effects: inout Effects
    ) {
        guard leg.record != .none else { return }
        var record = CallRecord(
            number: leg.record, accountID: call.facts.accountID,
            from: Array((dial.callerID ?? call.facts.from).utf8), to: Array(leg.party.name.utf8),
            direction: .outboundDial, startedAt: now.unix, callID: leg.callID)
        record.parent = call.facts.number
        record.callerName = Array((call.facts.callerName ?? "").utf8)
        effects.records.append(.applicationCallStarted(record))
    }

    /// Ends the record of a leg that was not answered.
    func endLegRecord(
        _ leg: Int, _ index: SlabIndex, _ status: UInt16, _ reason: Reason?, now: Now, effects: inout Effects
    ) {
        guard let made = calls[index]?.legs[leg], made.record != .none else { return }
        effects.records.append(.callEnded(number: made.record, at: now.unix, status: status, reason: reason))
    }

    func logLeg(_ call: ApplicationCall, _ leg: CallLeg, _ contacts: Int, _ now: Now, _ effects: inout Effects) {
        guard effects.log.begin(.callStart, at: now.unix) else { return }
        effects.log.field("call", leg.record == .none ? call.facts.number : leg.record, prefix: "CA")
        call.facts.from.withSlice { effects.log.field("from", $0) }
        leg.party.name.withSlice { effects.log.field("to", $0) }
        leg.callID.withSlice { effects.log.field("cid", $0) }
        effects.log.field("contacts", number: Int64(contacts))
        effects.log.end()
    }

    /// A tag that nobody else can make, the same each time.
    static func tag(
        _ number: RecordNumber, _ what: ByteSlice, _ leg: UInt64, _ remote: [UInt8], _ key: HashKey
    ) -> [UInt8] {
        var hash = SipHash(key: key)
        hash.update("call")
        hash.update(what)
        hash.update(UInt64(bitPattern: number.value))
        hash.update(leg)
        remote.withSlice { hash.update($0) }
        var writer = ByteWriter(capacity: 16)
        writer.append(hexadecimal: hash.finalize().first, digits: 16)
        return writer.slice.bytes
    }

    /// A Call-ID that falls into this shard, so that a call is whole behind one lock.
    func drawCallID(_ record: RecordNumber, _ leg: Int, _ server: SIPServer) -> [UInt8] {
        var writer = ByteWriter(capacity: 48)
        // One in 32 does; the bound is never reached.
        for attempt in 0..<UInt64(100_000) {
            var hash = SipHash(key: server.settings.runKey)
            hash.update("call-id")
            hash.update(UInt64(bitPattern: record.value))
            hash.update(UInt64(leg))
            hash.update(attempt)
            let value = hash.finalize()
            writer.removeAll()
            writer.append(hexadecimal: value.first, digits: 16)
            writer.append(hexadecimal: value.second, digits: 16)
            if server.shardNumber(of: writer.slice) == number { break }
        }
        return writer.slice.bytes
    }
}

/// What decides on a call that begins.
struct CallPlan {
    var program: CallProgram
    var facts: CallFacts
    /// One Dial to a gateway, without an application.
    var isFixed = false
}

extension ByteWriter {
    /// Appends a display name as a quoted string (RFC 3261 25.1), without what could end its line.
    mutating func append(quoted name: String) {
        append(byte: UInt8(ascii: "\""))
        for byte in name.utf8 where byte >= 32 && byte != 127 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(byte: UInt8(ascii: "\\")) }
            append(byte: byte)
        }
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends the user of a URI, with what a URI cannot hold escaped.
    mutating func append(escapingUser user: String) {
        for byte in user.utf8 {
            if ASCII.isUnreserved(byte) || byte == UInt8(ascii: "+") {
                append(byte: byte)
            } else {
                append(byte: UInt8(ascii: "%"))
                append(hexadecimal: UInt64(byte), digits: 2)
            }
        }
    }
}
