import Primitives

/// A change that the writer makes durable.
public enum StoreChange: Sendable {
    /// Stores a binding, or refreshes the one with the same client and key (its `createdAt` stays).
    case upsertBinding(BindingRow)
    /// Removes one binding; no error when it is gone already.
    case deleteBinding(clientID: Int64, key: [UInt8])
    /// Removes all bindings of a client.
    case deleteBindings(clientID: Int64)
    /// Moves the times of all bindings of before a step of the clock.
    case moveBindings(ClockStep)
    /// Makes the record of a call; nothing when its client is gone.
    case startCall(CallStart)
    /// Notes the first ringing of a call that was not answered.
    case ringCall(RecordNumber, at: UnixTime)
    /// Notes the first answer of a call, with the hash of the callee's tag.
    case answerCall(RecordNumber, at: UnixTime, tag: Int64)
    /// Notes the end of a call; only the first counts, except that it corrects one that was supposed by the limit.
    case endCall(RecordNumber, CallEnd)
    /// Makes the record of a text; nothing when its client is gone.
    case recordMessage(ClientMessage)
    /// Notes the end of a text that is on its way.
    case endMessage(RecordNumber, MessageEnd)
    /// Makes the record of a call of an application, of the API or of a gateway, or of a leg of one.
    case startApplicationCall(ApplicationCallStart)
    /// Notes the end of a call that the server ended by itself; only the first end counts.
    case closeCall(RecordNumber, at: UnixTime, reason: Int64?)
    /// Makes the record of a text to or from an application.
    case startApplicationText(ApplicationTextStart)
    /// Keeps a notification, unless its call or text has too many.
    case keepNotification(NotificationRow)
    /// Runs work of the API (`StoreWriter.perform`).
    case work(StoreWork)
}
