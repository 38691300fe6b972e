/// The INVITE server transaction (RFC 3261 section 17.2.1, figure 7, as replaced by figure 7 of RFC 6026).
///
/// The transaction user's part: 100 (Trying) at once, before anything else, so that no rule of 200 ms is needed here;
/// retransmission of 2xx (section 13.3.1.4; a proxy only forwards them), which it gives as further responses. An ACK for
/// 2xx has a branch of its own and usually comes to the transaction user past this machine; one that has this
/// transaction's key is passed to it.
public struct ServerInviteTransaction: BitwiseCopyable, Sendable {
    /// The states of the figure, and the one before the request is handled.
    public enum State: UInt8, BitwiseCopyable, Sendable, CaseIterable {
        case initial, proceeding, accepted, completed, confirmed, terminated
    }

    /// What can happen to the transaction.
    public enum Event: Sendable, Equatable {
        /// The INVITE came, for the first time or again.
        case request
        /// An ACK came whose key is this transaction's.
        case acknowledgement
        /// The transaction user wants a response sent.
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

    /// A transaction whose request came over a reliable transport, or not.
    public init(isReliable: Bool) { self.isReliable = isReliable }

    /// The effects of `event`.
    public mutating func handle(_ event: Event, _ settings: TransactionTimerSettings) -> TransactionEffects {
        var effects = TransactionEffects()
        switch (state, event) {
        case (.initial, .request):
            state = .proceeding
            effects.append(.passToUser)

        case (.proceeding, .request):
            effects.append(.sendLastResponse)
        case (.proceeding, .response(.provisional)):
            effects.append(.sendResponse)
        case (.proceeding, .response(.success)):
            state = .accepted
            effects.append(.sendResponse)
            // RFC 6026 section 7.1: on every transport, for the transaction user may give further 2xx.
            effects.append(.start(.l, milliseconds: settings.transactionTimeout))
        case (.proceeding, .response(.failure)):
            state = .completed
            effects.append(.sendResponse)
            if !isReliable {
                effects.append(.start(.g, milliseconds: settings.limitedInterval(beforeRetransmission: 0)))
            }
            effects.append(.start(.h, milliseconds: settings.transactionTimeout))

        case (.accepted, .response(.success)):
            effects.append(.sendResponse)
        case (.accepted, .acknowledgement):
            effects.append(.passToUser)
        case (.accepted, .timer(.l)):
            terminate(&effects)

        case (.completed, .request):
            effects.append(.sendLastResponse)
        case (.completed, .timer(.g)) where !isReliable:
            retransmissions = min(retransmissions + 1, 31)
            effects.append(.sendLastResponse)
            effects.append(.start(.g, milliseconds: settings.limitedInterval(beforeRetransmission: retransmissions)))
        case (.completed, .timer(.h)):
            if !isReliable { effects.append(.stop(.g)) }
            effects.append(.timedOut)
            terminate(&effects)
        case (.completed, .acknowledgement):
            state = .confirmed
            if !isReliable { effects.append(.stop(.g)) }
            effects.append(.stop(.h))
            if isReliable {
                // Timer I is 0: no further ACK can come on a reliable transport.
                terminate(&effects)
            } else {
                effects.append(.start(.i, milliseconds: settings.t4))
            }

        case (.confirmed, .timer(.i)):
            terminate(&effects)

        // RFC 6026 figure 7: an error is told, and the state stays, so that retransmissions still find the transaction.
        case (.proceeding, .transportError), (.accepted, .transportError), (.completed, .transportError):
            effects.append(.transportFailed)

        // Retransmissions of the INVITE and the ACK: absorbed, what these states are for.
        case (.accepted, .request), (.confirmed, .request), (.confirmed, .acknowledgement):
            break
        // A final response has been given: another one, or a provisional one, is too late.
        case (.accepted, .response), (.completed, .response), (.confirmed, .response):
            break
        // An ACK to nothing.
        case (.proceeding, .acknowledgement):
            break
        // Nothing is sent any more: an error can only be a late report.
        case (.confirmed, .transportError):
            break
        // Timers of states that were left, or that this transport does not need.
        case (.proceeding, .timer), (.accepted, .timer), (.completed, .timer), (.confirmed, .timer):
            break
        case (.initial, .acknowledgement), (.initial, .response), (.initial, .timer), (.initial, .transportError),
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
