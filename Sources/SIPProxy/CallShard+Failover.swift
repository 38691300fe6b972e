import NameResolution
import Primitives
import SIPMessage
import SIPTransaction

/// What is left to try for a branch that goes to a name.
struct Failover {
    /// What the request is forwarded to, wherever that is.
    let destination: Destination
    /// The name has been resolved.
    var isResolved = false
    /// The ways that are left, the next at the end.
    var rest: [Flow] = []
    /// When no further one is begun, and the last one ends.
    var deadline = Instant(milliseconds: 0)

    /// A destination whose name is still to be resolved.
    init(_ destination: Destination) { self.destination = destination }
}

/// Failover (RFC 3263 section 4.3): while a name has further places, a branch has not failed.
///
/// A place has failed when its transport says so, when it answers 503, and when nothing comes from it. How long that is,
/// the RFC leaves to timers B and F, which with several places would take minutes; so a place that is not the last has 10
/// times T1 (5 s: the request and three repetitions), and all together have 64 times T1 (32 s), which is when a client that
/// does not send INVITE gives up.
extension CallShard {
    /// How long the first response of a place is waited for, in milliseconds.
    private static func patience(
        isLast: Bool, until deadline: Instant, _ timers: TransactionTimerSettings, _ now: Now
    ) -> UInt32 {
        let left = UInt32(clamping: deadline.milliseconds(since: now.instant))
        return isLast ? left : min(left, UInt32(clamping: 10 * UInt64(timers.t1)))
    }

    /// Forwards the request of a branch to the first of its places.
    mutating func forward(
        _ branch: Int, _ context: SlabIndex, over flows: [Flow], server: SIPServer, now: Now, effects: inout Effects
    ) {
        let time = UInt64(server.settings.timers.transactionTimeout)
        contexts[context]?.branches[branch].failover?.isResolved = true
        contexts[context]?.branches[branch].failover?.rest = flows.reversed()
        contexts[context]?.branches[branch].failover?.deadline = now.instant.advanced(byMilliseconds: time)
        _ = forwardNext(branch, context, server: server, now: now, effects: &effects)
    }

    /// Goes on with the next place of a branch whose present one has failed; false when the branch has failed with it.
    mutating func failOver(
        _ transaction: ClientTransaction, server: SIPServer, now: Now, effects: inout Effects
    ) -> Bool {
        guard transaction.isOfName, let state = contexts[transaction.context],
            transaction.branch < state.branches.count
        else { return false }
        let branch = state.branches[transaction.branch]
        guard let failover = branch.failover else { return false }
        server.unreachablePlaces.insert(transaction.flow.place, now: now.instant)
        // A ringing phone may be behind a place that then answers 503; one that is silent after ringing is not tried anew.
        guard !state.isFinal, !state.isCancelled, !state.isTimedOut, !branch.isCancelWanted, !failover.rest.isEmpty,
            now.instant < failover.deadline
        else { return false }
        return forwardNext(
            transaction.branch, transaction.context, server: server, now: now, effects: &effects)
    }

    private mutating func forwardNext(
        _ branch: Int, _ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) -> Bool {
        guard let flow = contexts[context]?.branches[branch].failover?.rest.popLast(), let state = contexts[context],
            let failover = state.branches[branch].failover, !state.request.isEmpty
        else { return false }
        contexts[context]?.branches[branch].state = .calling
        let timers = server.settings.timers
        let patience = Self.patience(
            isLast: failover.rest.isEmpty, until: failover.deadline, timers, now)
        var request = SIPMessage()
        state.request.withSlice { bytes in
            _ = request.parse(bytes)
            forward(
                request, to: failover.destination, over: flow, context: context, branch: branch, source: state.source,
                plan: state.plan, patience: patience, server: server, now: now, effects: &effects)
        }
        return true
    }

    /// Handles a branch of which nothing will come from where its request went: the next place, else the branch has failed.
    mutating func branchFailed(
        _ index: SlabIndex, status: UInt16, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let transaction = transactions.clients[index], let state = contexts[transaction.context],
            transaction.branch < state.branches.count
        else { return }
        let branch = state.branches[transaction.branch]
        // A place that the branch has left already has nothing to say any more, nor one that has given its answer: it is the
        // ACK that did not arrive.
        guard branch.client == index, branch.state != .completed else { return }
        logBranchFailure(transaction, status, now, &effects)
        if branch.state == .calling, failOver(transaction, server: server, now: now, effects: &effects) { return }
        fail(transaction.branch, transaction.context, status: status)
        branchEnded(transaction.context, server: server, now: now, effects: &effects)
    }

    /// A place has given a sign of life: it is good again, and a request other than INVITE has its full time for the final
    /// response.
    mutating func noteResponse(
        _ status: UInt16, of index: SlabIndex, _ transaction: ClientTransaction, server: SIPServer, now: Now
    ) {
        guard transaction.isOfName, let branch = contexts[transaction.context]?.branches[transaction.branch],
            let failover = branch.failover
        else { return }
        if status != 503 { server.unreachablePlaces.remove(transaction.flow.place) }
        guard status < 200, !transaction.isInvite, branch.state == .calling else { return }
        transactions.stopClientTimer(.f, index)
        let left = UInt32(clamping: failover.deadline.milliseconds(since: now.instant))
        transactions.startClientTimer(.f, left, index, now)
    }
}
