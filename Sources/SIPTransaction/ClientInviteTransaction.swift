/// The INVITE client transaction (RFC 3261 section 17.1.1, figure 5, as replaced by figure 5 of RFC 6026).
///
/// The transaction user's part: ACK for 2xx, timer C, CANCEL (a transaction of its own) and what a timeout means
/// (section 8.1.3.1 and 16.8: as if a 408 had come).
public struct ClientInviteTransaction: BitwiseCopyable, Sendable {
    /// The states of the figure, and the one before the request is sent.
    public enum State: UInt8, BitwiseCopyable, Sendable, CaseIterable {
        case initial, calling, proceeding, accepted, completed, terminated
    }

    /// What can happen to the transaction.
    public enum Event: Sendable, Equatable {
        /// The transaction user wants the INVITE sent.
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
            state = .calling
            effects.append(.sendRequest)
            if !isReliable {
                effects.append(.start(.a, milliseconds: settings.interval(beforeRetransmission: 0)))
            }
            effects.append(.start(.b, milliseconds: settings.transactionTimeout))

        case (.calling, .timer(.a)) where !isReliable:
            retransmissions = min(retransmissions + 1, 31)
            effects.append(.sendRequest)
            effects.append(.start(.a, milliseconds: settings.interval(beforeRetransmission: retransmissions)))
        case (.calling, .timer(.b)):
            stopCallingTimers(&effects, except: .b)
            terminate(&effects, telling: .timedOut)
        case (.calling, .transportError):
            stopCallingTimers(&effects)
            terminate(&effects, telling: .transportFailed)
        case (.calling, .response(.provisional)):
            state = .proceeding
            stopCallingTimers(&effects)
            effects.append(.passToUser)
        case (.calling, .response(.success)):
            stopCallingTimers(&effects)
            accept(&effects, settings)
        case (.calling, .response(.failure)):
            stopCallingTimers(&effects)
            complete(&effects, settings)

        case (.proceeding, .response(.provisional)):
            effects.append(.passToUser)
        case (.proceeding, .response(.success)):
            accept(&effects, settings)
        case (.proceeding, .response(.failure)):
            complete(&effects, settings)

        case (.accepted, .response(.success)):
            // Retransmissions, and 2xx of other forks: only the transaction user can tell them apart.
            effects.append(.passToUser)
        case (.accepted, .timer(.m)):
            terminate(&effects)

        case (.completed, .response(.failure)):
            effects.append(.sendAcknowledgement)
        case (.completed, .timer(.d)):
            terminate(&effects)
        case (.completed, .transportError):
            effects.append(.stop(.d))
            terminate(&effects, telling: .transportFailed)

        // Late or misplaced responses: a server that sends them after its final response is at fault.
        case (.accepted, .response(.provisional)), (.accepted, .response(.failure)),
            (.completed, .response(.provisional)), (.completed, .response(.success)):
            break
        // Nothing is being sent in these states: an error can only be a late report.
        case (.proceeding, .transportError), (.accepted, .transportError):
            break
        // Timers of states that were left, or that this transport does not need.
        case (.calling, .timer), (.proceeding, .timer), (.accepted, .timer), (.completed, .timer):
            break
        // The request is given once.
        case (.calling, .request), (.proceeding, .request), (.accepted, .request), (.completed, .request):
            break
        case (.initial, .response), (.initial, .timer), (.initial, .transportError), (.terminated, _):
            break
        }
        return effects
    }

    private func stopCallingTimers(_ effects: inout TransactionEffects, except fired: TransactionTimer? = nil) {
        if !isReliable { effects.append(.stop(.a)) }
        if fired != .b { effects.append(.stop(.b)) }
    }

    private mutating func accept(_ effects: inout TransactionEffects, _ settings: TransactionTimerSettings) {
        state = .accepted
        effects.append(.passToUser)
        // RFC 6026 section 7.2: on every transport, for it also awaits the 2xx of other forks.
        effects.append(.start(.m, milliseconds: settings.transactionTimeout))
    }

    private mutating func complete(_ effects: inout TransactionEffects, _ settings: TransactionTimerSettings) {
        state = .completed
        effects.append(.sendAcknowledgement)
        effects.append(.passToUser)
        if isReliable {
            // Timer D is 0: nothing is repeated on a reliable transport.
            terminate(&effects)
        } else {
            effects.append(.start(.d, milliseconds: settings.timerD))
        }
    }

    private mutating func terminate(_ effects: inout TransactionEffects, telling news: TransactionEffect? = nil) {
        state = .terminated
        if let news { effects.append(news) }
        effects.append(.terminate)
    }
}
