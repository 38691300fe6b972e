/// The non-INVITE client transaction (RFC 3261 section 17.1.2, figure 6).
///
/// The transaction user's part, by RFC 4320: when the transaction times out, a proxy sends nothing upstream, and never a
/// 408 (section 4.2); a response that comes after the end belongs to no transaction and is dropped, not forwarded.
public struct ClientNonInviteTransaction: BitwiseCopyable, Sendable {
    /// The states of the figure, and the one before the request is sent.
    public enum State: UInt8, BitwiseCopyable, Sendable, CaseIterable {
        case initial, trying, proceeding, completed, terminated
    }

    /// What can happen to the transaction.
    public enum Event: Sendable, Equatable {
        /// The transaction user wants the request sent.
        case request
        /// A response came whose key is this transaction's.
        case response(ResponseClass)
        /// A timer fired.
        case timer(TransactionTimer)
        /// The transport could not send the last message.
        case transportError
    }

    /// The state.
    public private(set) var state = State.initial
    private let isReliable: Bool
    private var retransmissions: UInt8 = 0

    /// A transaction whose request goes over a reliable transport, or not.
    public init(isReliable: Bool) { self.isReliable = isReliable }

    /// The effects of `event`.
    public mutating func handle(_ event: Event, _ settings: TransactionTimerSettings) -> TransactionEffects {
        var effects = TransactionEffects()
        switch (state, event) {
        case (.initial, .request):
            state = .trying
            effects.append(.sendRequest)
            if !isReliable {
                effects.append(.start(.e, milliseconds: settings.limitedInterval(beforeRetransmission: 0)))
            }
            effects.append(.start(.f, milliseconds: settings.transactionTimeout))

        case (.trying, .timer(.e)) where !isReliable:
            retransmissions = min(retransmissions + 1, 31)
            effects.append(.sendRequest)
            effects.append(.start(.e, milliseconds: settings.limitedInterval(beforeRetransmission: retransmissions)))
        case (.trying, .response(.provisional)):
            // Timer E keeps running; only when it fires next its interval becomes T2.
            state = .proceeding
            effects.append(.passToUser)

        case (.proceeding, .timer(.e)) where !isReliable:
            effects.append(.sendRequest)
            effects.append(.start(.e, milliseconds: settings.t2))
        case (.proceeding, .response(.provisional)):
            effects.append(.passToUser)

        case (.trying, .timer(.f)), (.proceeding, .timer(.f)):
            if !isReliable { effects.append(.stop(.e)) }
            terminate(&effects, telling: .timedOut)
        case (.trying, .transportError), (.proceeding, .transportError):
            stopRequestTimers(&effects)
            terminate(&effects, telling: .transportFailed)
        case (.trying, .response(.success)), (.trying, .response(.failure)),
            (.proceeding, .response(.success)), (.proceeding, .response(.failure)):
            state = .completed
            stopRequestTimers(&effects)
            effects.append(.passToUser)
            if isReliable {
                // Timer K is 0: nothing is repeated on a reliable transport.
                terminate(&effects)
            } else {
                effects.append(.start(.k, milliseconds: settings.t4))
            }

        case (.completed, .timer(.k)):
            terminate(&effects)

        // Retransmissions of the final response: what the state is for.
        case (.completed, .response):
            break
        // Nothing is sent any more: an error can only be a late report.
        case (.completed, .transportError):
            break
        // Timers of states that were left, or that this transport does not need.
        case (.trying, .timer), (.proceeding, .timer), (.completed, .timer):
            break
        // The request is given once.
        case (.trying, .request), (.proceeding, .request), (.completed, .request):
            break
        case (.initial, .response), (.initial, .timer), (.initial, .transportError), (.terminated, _):
            break
        }
        return effects
    }

    private func stopRequestTimers(_ effects: inout TransactionEffects) {
        if !isReliable { effects.append(.stop(.e)) }
        effects.append(.stop(.f))
    }

    private mutating func terminate(_ effects: inout TransactionEffects, telling news: TransactionEffect? = nil) {
        state = .terminated
        if let news { effects.append(news) }
        effects.append(.terminate)
    }
}
