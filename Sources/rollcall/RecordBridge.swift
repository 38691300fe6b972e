import Observability
import Primitives
import SIPProxy
import Store

/// Between what the SIP server tells of calls and texts and the changes of their records.
enum RecordBridge {
    /// The change of rows for a change of a record.
    static func change(_ change: RecordChange) -> StoreChange {
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
        case .applicationCallStarted(let call):
            .startApplicationCall(
                ApplicationCallStart(
                    number: call.number, parent: call.parent.value == 0 ? nil : call.parent, accountID: call.accountID,
                    clientID: call.clientID == 0 ? nil : call.clientID, from: call.from, to: call.to,
                    callerName: call.callerName, direction: call.direction.rawValue, startedAt: call.startedAt,
                    callID: call.callID))
        case .callClosed(let number, let time, let reason):
            .closeCall(number, at: time, reason: reason.map { Int64($0.rawValue) })
        case .textStarted(let text):
            .startApplicationText(
                ApplicationTextStart(
                    number: text.number, accountID: text.accountID, clientID: text.clientID == 0 ? nil : text.clientID,
                    from: text.from, to: text.to, body: text.body, direction: text.direction.rawValue,
                    createdAt: text.startedAt))
        case .noted(let number, let accountID, let notification, let time):
            .keepNotification(
                NotificationRow(
                    accountID: accountID, record: number, level: notification.level.rawValue, code: notification.code,
                    message: notification.message, url: notification.url, line: notification.line,
                    column: notification.column, createdAt: time))
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
