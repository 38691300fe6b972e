import CallControl
import Primitives
import RESTInterface
import SIPProxy
import Transport

extension LiveSIPService {
    func startCall(_ call: OutgoingCallRequest) -> SIPRefusal? {
        let outgoing = OutgoingCall(call, at: System.now().unix)
        return executor.handle { server, now, effects in
            server.startCall(outgoing, now: now, effects: &effects)
        }.map { SIPRefusal($0) }
    }

    func order(_ number: RecordNumber, _ order: CallOrderRequest) -> CallOrderResult {
        let wanted: CallOrder =
            switch order {
            case .cancel: .cancel
            case .complete: .complete
            case .redirect(let address): .redirect(WebAddress(address))
            }
        let result = executor.handle { server, now, effects in
            server.order(number, wanted, now: now, effects: &effects)
        }
        return switch result {
        case .done: .done
        case .unknown: .unknown
        case .alreadyAnswered: .alreadyAnswered
        }
    }
}

extension WebAddress {
    /// An address in the words of the API.
    fileprivate init(_ address: OutgoingCallRequest.Address) {
        self.init(address.url, Method(rawValue: address.method.uppercased()) ?? .post)
    }
}

extension OutgoingCall {
    /// A call as the API asks for it. Its Call-ID is made from the sid, by which it is found in the log.
    fileprivate init(_ call: OutgoingCallRequest, at now: UnixTime) {
        let record = CallRecord(
            number: call.number, accountID: call.accountID, from: Array(call.from.utf8), to: Array(call.to.utf8),
            direction: .outboundAPI, startedAt: now, callID: Array(call.number.sid(prefix: "CA").utf8))
        let kind: Dial.Party.Kind =
            switch call.kind {
            case .client: .client
            case .number: .number
            case .sip: .sip
            }
        var party = Dial.Party(kind, call.to)
        party.headers = call.headers.map { WebhookRequest.Parameter($0.name, $0.value) }.filter(\.canBeHeader)
        var application = Application()
        application.sid = call.applicationSID
        application.voice = WebAddress(call.voice)
        application.voiceFallback = call.fallback.map { WebAddress($0) }
        application.statusCallback = call.statusCallback.map { WebAddress($0) }
        self.init(record: record, party: party, application: application)
        timeout = call.timeout
        statusEvents = Set(call.statusEvents.compactMap { LegState(rawValue: $0) })
    }
}
