/// The non-INVITE server transaction (RFC 3261 section 17.2.2, figure 8).
///
/// The transaction user's part, by RFC 4320: no provisional response but 100, and that, on an unreliable transport, not
/// before `TransactionTimerSettings.nonInviteTryingDelay` (section 4.1); no 408 at all: what cannot be answered before
/// the client's timer F is abandoned in silence (section 4.2).
public struct ServerNonInviteTransaction: BitwiseCopyable, Sendable {
    /// The states of the figure, and the one before the request is handled.
    public enum State: UInt8, BitwiseCopyable, Sendable, CaseIterable {
        case initial, trying, proceeding, completed, terminated
    }

    /// What can happen to the transaction.
    public enum Event: Sendable, Equatable {
        /// The request came, for the first time or again.
        case request
        /// The transaction user wants a response sent.
        case response(ResponseClass)
        /// The transaction user will not answer: the client's timer F has ended its side (RFC 4320 section 4.2).
        case abandoned
        /// A timer fired.
        case timer(TransactionTimer)
        /// The transport could not send the last message.
        case transportError
    }

    /// The state.
    public private(set) var state = State.initial
    private let isReliable: Bool

    /// A transaction whose request came over a reliable transport, or not.
    public init(isReliable: Bool) { self.isReliable = isReliable }

    /// The effects of `event`.
    public mutating func handle(_ event: Event, _ settings: TransactionTimerSettings) -> TransactionEffects {
        var effects = TransactionEffects()
        switch (state, event) {
        case (.initial, .request):
            state = .trying
            effects.append(.passToUser)

        case (.trying, .response(.provisional)), (.proceeding, .response(.provisional)):
            state = .proceeding
            effects.append(.sendResponse)
        case (.trying, .response(.success)), (.trying, .response(.failure)),
            (.proceeding, .response(.success)), (.proceeding, .response(.failure)):
            state = .completed
            effects.append(.sendResponse)
            if isReliable {
                // Timer J is 0: nothing is repeated on a reliable transport.
                terminate(&effects)
            } else {
                effects.append(.start(.j, milliseconds: settings.transactionTimeout))
            }
        case (.trying, .abandoned), (.proceeding, .abandoned):
            terminate(&effects)

        case (.proceeding, .request):
            effects.append(.sendLastResponse)
        case (.proceeding, .transportError):
            effects.append(.transportFailed)
            terminate(&effects)

        case (.completed, .request):
            effects.append(.sendLastResponse)
        case (.completed, .transportError):
            effects.append(.stop(.j))
            effects.append(.transportFailed)
            terminate(&effects)
        case (.completed, .timer(.j)):
            terminate(&effects)

        // A retransmission before any response: discarded.
        case (.trying, .request):
            break
        // 17.2.2: any other response in "Completed" must be discarded.
        case (.completed, .response), (.completed, .abandoned):
            break
        // Nothing has been sent yet.
        case (.trying, .transportError):
            break
        case (.trying, .timer), (.proceeding, .timer), (.completed, .timer):
            break
        case (.initial, .response), (.initial, .abandoned), (.initial, .timer), (.initial, .transportError),
            (.terminated, _):
            break
        }
        return effects
    }

    private mutating func terminate(_ effects: inout TransactionEffects) {
        state = .terminated
        effects.append(.terminate)
    }
}
