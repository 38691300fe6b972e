/// What the owner of a transaction is to do after an event, in the given order.
public enum TransactionEffect: Sendable, Equatable {
    /// Send the request of this client transaction, for the first time or again.
    case sendRequest
    /// Send the response that the transaction user just gave, and keep it as the last response.
    case sendResponse
    /// Send the last response again.
    case sendLastResponse
    /// Send the ACK for the final response other than 2xx that just came (RFC 3261 section 17.1.1.3).
    case sendAcknowledgement
    /// Hand the message that just came to the transaction user.
    case passToUser
    /// Start a timer; its event is due after so many milliseconds.
    case start(TransactionTimer, milliseconds: UInt32)
    /// Stop a running timer.
    case stop(TransactionTimer)
    /// Tell the transaction user that no response (client) or no ACK (server) came in time.
    case timedOut
    /// Tell the transaction user that the message could not be sent.
    case transportFailed
    /// Forget the transaction; none of its timers runs any more.
    case terminate
}

/// The effects of one event, in order, without heap memory.
public struct TransactionEffects: Sendable {
    /// The number of effects.
    public private(set) var count = 0
    private var effects = InlineArray<6, TransactionEffect>(repeating: .terminate)

    /// No effect.
    public init() {}

    /// The effect at `index`, which is less than `count`.
    public subscript(index: Int) -> TransactionEffect {
        precondition(index < count)
        return effects[index]
    }

    /// True when there is nothing to do.
    public var isEmpty: Bool { count == 0 }

    /// True when `effect` is among the effects.
    public func contains(_ effect: TransactionEffect) -> Bool {
        for index in 0..<count where effects[index] == effect { return true }
        return false
    }

    /// Appends an effect. No event has more than six: the tests feed every machine every event in every state.
    mutating func append(_ effect: TransactionEffect) {
        effects[count] = effect
        count += 1
    }
}
