import CallControl
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// A leg whose session is on its way to a caller who was answered before.
struct SessionBringing {
    let leg: Int
    /// How often the caller was asked, and said that it is changing the session itself.
    var attempts = 0
    var timer = TimerReference.none

    /// What a caller is asked at most: each time it may have been busy with a change of its own (14.1).
    static let mostAttempts = 4
}

/// The session of a leg for a caller who is in a call already: third party call control, flow I of RFC 3725.
///
/// The leg was invited without a session, so its 2xx has an offer. That goes to the caller in a re-INVITE, whose answer
/// goes to the leg in the ACK.
extension CallShard {
    /// Offers the caller the session of a leg that has answered.
    mutating func bringSession(
        of leg: Int, _ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], let caller = call.caller, let dialog = caller.dialog else { return }
        if call.bringing?.leg != leg {
            transactions.timers.cancel(call.bringing?.timer ?? .none)
            calls[index]?.bringing = SessionBringing(leg: leg)
        }
        // 14.1: not while the INVITE before is without its ACK, which then brings us here again.
        guard caller.state == .confirmed else { return }
        guard let sequence = calls[index]?.caller?.dialog?.nextSequence() else { return }
        calls[index]?.bringing?.attempts += 1
        let way = server.flow(of: dialog, now)
        var writer = ByteWriter(capacity: 1024)
        dialog.beginRequest("INVITE", sequence: sequence, contact: contact(of: way, server), into: &writer)
        writer.appendHeader("Allow", Refusal.allowedMethods)
        call.legs[leg].answer.withSlice { bytes in
            var response = SIPMessage()
            _ = response.parse(bytes)
            writer.appendBody(of: response)
        }
        startOwn(
            writer.slice.bytes, [.peer(way, requestURI: dialog.requestURI)], [],
            RequestUser(call: index, part: .session, number: leg), server: server, now: now, effects: &effects)
    }

    /// The caller has taken the session of a leg: the leg gets the answer.
    mutating func sessionAnswers(
        _ response: borrowing SIPMessage, _ index: SlabIndex, _ leg: Int, server: SIPServer, now: Now,
        effects: inout Effects
    ) {
        guard response.status >= 200, let call = calls[index], let dialog = call.caller?.dialog else { return }
        // Each time: the ACK before may be lost.
        sendAcknowledgement(
            in: dialog, response.sequenceNumber, [], server: server, effects: &effects)
        guard call.bringing?.leg == leg else { return }
        calls[index]?.bringing = nil
        calls[index]?.caller?.dialog?.refreshTarget(by: response)
        calls[index]?.session.refresh(by: response, at: now.instant)
        watchSession(index, now)
        guard call.legs.indices.contains(leg), !call.legs[leg].isOver, let answered = call.legs[leg].answered else {
            return
        }
        calls[index]?.legs[leg].answer = []
        if call.legs[leg].dialogs[answered].isAcknowledged { return }
        acknowledge(
            leg, answered, index, body: response.body, type: response.value(of: .contentType) ?? .empty,
            server: server, effects: &effects)
    }

    /// The caller has not taken the session of a leg.
    mutating func sessionFails(
        _ index: SlabIndex, _ leg: Int, _ status: UInt16, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let call = calls[index], let bringing = call.bringing, bringing.leg == leg else { return }
        if status == 491, bringing.attempts < SessionBringing.mostAttempts {
            // 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other one up to 2 s.
            let spread = UInt64(UInt32(truncatingIfNeeded: call.facts.number.value) % 190) * 10
            let timer = schedule(.callBringing, (call.party == nil ? 0 : 2100) + spread, index, now)
            calls[index]?.bringing?.timer = timer
            return
        }
        calls[index]?.bringing = nil
        // RFC 5057 section 5: the caller knows nothing of the call any more.
        if status == 408 || status == 481 || status == 430 {
            if status != 481, let sequence = calls[index]?.caller?.dialog?.nextSequence() ?? nil,
                let dialog = calls[index]?.caller?.dialog
            {
                // 12.2.1.2: perhaps it hears a BYE still.
                sendBye(in: dialog, sequence, index, server: server, now: now, effects: &effects)
            }
            sideGone(
                .caller, nil, status == 481 ? .dialogUnknown : .noAnswer, index, server: server, now: now,
                effects: &effects)
            return
        }
        endLeg(leg, index, server: server, now: now, effects: &effects)
        tell(.legHungUp(leg), index, server: server, now: now, effects: &effects)
    }

    /// Asks the caller once more whether it takes a session.
    mutating func bringAgain(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let call = calls[index], let leg = call.bringing?.leg else { return }
        guard call.legs.indices.contains(leg), !call.legs[leg].isOver, call.caller?.state == .confirmed else {
            calls[index]?.bringing = nil
            return
        }
        bringSession(of: leg, index, server: server, now: now, effects: &effects)
    }
}

extension ByteWriter {
    /// Ends a request with the body of another message, and the lines that say what it is.
    mutating func appendBody(of message: borrowing SIPMessage) {
        if !message.body.isEmpty {
            for position in 0..<message.fieldCount {
                let field = message.field(position)
                let isOfBody =
                    field.name == .contentType || field.name == .contentEncoding
                    || message.name(field).equalsIgnoringCase("Content-Disposition")
                if isOfBody { append(message.line(field)) }
            }
        }
        endRequest(body: message.body)
    }
}
