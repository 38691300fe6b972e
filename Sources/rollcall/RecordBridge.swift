import Observability
import Primitives
import SIPProxy
import Store

/// Between what the SIP server tells of calls and texts and the changes of their records.
enum RecordBridge {
    /// The change of rows for a change of a record.
    static func change(_ change: RecordChange) -> StoreChange? {
        switch change {
        case .callStarted(let number, let clientID, let to, let time, let callID):
            .startCall(
                CallStart(
                    number: number, clientID: clientID, to: to, direction: "client-to-client", startedAt: time,
                    callID: callID))
        case .callRinging(let number, let time): .ringCall(number, at: time)
        case .callAnswered(let number, let time, let tag): .answerCall(number, at: time, tag: tag)
        case .callEnded(let number, let time, let status, let reason):
            .endCall(
                number,
                CallEnd(
                    status: callStatus(of: status), endedAt: time, sipStatus: Int64(status),
                    reason: reason.map { Int64($0.rawValue) }))
        case .callHungUp(let number, let time, let tag):
            .endCall(number, CallEnd(status: .completed, endedAt: time, tag: tag))
        case .message(let number, let clientID, let to, let body, let createdAt, let endedAt, let status, let reason):
            .recordMessage(
                ClientMessage(
                    number: number, clientID: clientID, to: to, body: body, createdAt: createdAt,
                    end: messageEnd(status, reason, at: endedAt)))
        case .messageEnded(let number, let time, let status, let reason):
            .endMessage(number, messageEnd(status, reason, at: time))
        case .applicationCallStarted, .callClosed, .textStarted, .noted: nil
        }
    }

    /// The word for how a call ended that was not answered; the log has the same.
    private static func callStatus(of status: UInt16) -> CallStatus {
        CallStatus(rawValue: SIPServer.result(of: status).string) ?? .failed
    }

    private static func messageEnd(_ status: UInt16, _ reason: Reason?, at time: UnixTime) -> MessageEnd {
        MessageEnd(
            status: reason == nil ? .delivered : .failed, endedAt: time, sipStatus: Int64(status),
            reason: reason.map { Int64($0.rawValue) })
    }
}
