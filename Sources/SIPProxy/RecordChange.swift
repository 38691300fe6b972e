import CallControl
import Observability
import Primitives

/// What is to be written down of a call or a text: the server tells it, the store keeps the records.
///
/// A record begins with `callStarted` or is whole at once (`message`). What comes later names it by its number alone, and
/// may come a second time: the first end of a record counts.
public enum RecordChange: Equatable, Sendable {
    /// A client has called; `to` is the user that it dialled, escapes decoded, or the whole URI when it names none.
    case callStarted(number: RecordNumber, clientID: Int64, to: [UInt8], at: UnixTime, callID: [UInt8])
    /// The first device of the callee rings.
    case callRinging(number: RecordNumber, at: UnixTime)
    /// The first device has answered; `tag` is a hash of its To tag, which tells its dialog from those of other forks.
    case callAnswered(number: RecordNumber, at: UnixTime, tag: Int64)
    /// The call did not come about; `status` is the final SIP status.
    case callEnded(number: RecordNumber, at: UnixTime, status: UInt16, reason: Reason?)
    /// A party of a dialog of this call has hung up; `tag` is as in `callAnswered`.
    case callHungUp(number: RecordNumber, at: UnixTime, tag: Int64)
    /// A client's text got its final status, which is a 2xx when there is no reason. The body is empty unless it is text.
    case message(
        number: RecordNumber, clientID: Int64, to: [UInt8], body: [UInt8], createdAt: UnixTime, endedAt: UnixTime,
        status: UInt16, reason: Reason?)
    /// A text of `SIPServer.sendMessage`, or one begun by `textStarted`, got its final status.
    case messageEnded(number: RecordNumber, at: UnixTime, status: UInt16, reason: Reason?)
    /// A call of an application, of the API or of a gateway began, or a leg of one: ringing, answer and end are told as for
    /// every call.
    case applicationCallStarted(CallRecord)
    /// An answered call was ended by the server: a limit, a dead dialog, an order of the API.
    case callClosed(number: RecordNumber, at: UnixTime, reason: Reason?)
    /// A text to or from an application began.
    case textStarted(TextRecord)
    /// Something is to be kept with a call or text for the developer of its application.
    case noted(number: RecordNumber, accountID: Int64, CallNotification, at: UnixTime)
}
