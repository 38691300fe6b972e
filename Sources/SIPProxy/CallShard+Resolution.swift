import NameResolution
import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// A name that the edge is to resolve for a request that waits for it.
public struct Resolution: Sendable {
    /// What is to be resolved.
    public let query: TargetQuery
    /// The source of the request.
    public let requester: IPAddress
    let shard: UInt8
    let context: SlabIndex
    let branch: Int

    /// How long a request waits for a name, in milliseconds.
    static let timeout: UInt64 = 5000
}

/// Branches that wait for a host name (RFC 3263): the name is resolved by the edge, off the packet path.
extension CallShard {
    /// Adds a branch that goes on when its name is resolved, and asks for that.
    mutating func awaitName(
        _ query: TargetQuery, _ destination: Destination, context: SlabIndex, now: Now, effects: inout Effects
    ) {
        guard let state = contexts[context] else { return }
        contexts[context]?.branches.append(ProxyBranch(client: .none, failover: Failover(destination)))
        effects.resolutions.append(
            Resolution(
                query: query, requester: state.source.remote.address, shard: number, context: context,
                branch: state.branches.count))
        let owner = TimerOwner(
            position: context.position, generation: context.generation, kind: .resolution, timer: .c)
        // One for all names of a group: they are asked for at the same time, and a group begins when the last has ended.
        transactions.timers.cancel(contexts[context]?.resolutionTimer ?? .none)
        contexts[context]?.resolutionTimer = transactions.timers.schedule(
            at: now.instant.advanced(byMilliseconds: Resolution.timeout), owner)
    }

    /// Goes on with a branch whose name was resolved; without any place to try the branch has failed.
    mutating func resolved(
        _ resolution: Resolution, _ answer: TargetAnswer, server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let state = contexts[resolution.context], resolution.branch < state.branches.count,
            state.branches[resolution.branch].isUnresolved
        else { return }
        let candidates: [Candidate]
        switch answer {
        case .candidates(let found): candidates = server.unreachablePlaces.ordered(found, now: now.instant)
        case .failure(let failure):
            logNameFailure(resolution, failure, now, &effects)
            nameFailed(resolution.branch, resolution.context, server: server, now: now, effects: &effects)
            return
        }
        let flows = candidates.compactMap { server.flow(to: $0.remote, $0.transport) }
        guard !flows.isEmpty, !state.request.isEmpty else {
            logNameFailure(resolution, .notReachable, now, &effects)
            nameFailed(resolution.branch, resolution.context, server: server, now: now, effects: &effects)
            return
        }
        forward(
            resolution.branch, resolution.context, over: flows, server: server, now: now, effects: &effects)
    }

    /// Ends the branches of a context whose names were not resolved in time.
    mutating func resolutionTimedOut(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let state = contexts[context] else { return }
        for position in state.branches.indices {
            guard let failover = state.branches[position].failover, !failover.isResolved else { continue }
            if case .name(let query) = server.nextHop(of: failover.destination) {
                logNameFailure(query, nil, of: state, now, &effects)
            }
            nameFailed(position, context, server: server, now: now, effects: &effects)
        }
    }

    private mutating func nameFailed(
        _ branch: Int, _ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        contexts[context]?.branches[branch].failover = nil
        fail(branch, context, status: 503)
        branchEnded(context, server: server, now: now, effects: &effects)
    }

    private func logNameFailure(
        _ resolution: Resolution, _ failure: ResolutionFailure, _ now: Now, _ effects: inout Effects
    ) {
        guard let state = contexts[resolution.context] else { return }
        logNameFailure(resolution.query, failure, of: state, now, &effects)
    }

    /// Writes which name it was, what went wrong, and with which server; nil for a resolver that said nothing in time.
    private func logNameFailure(
        _ query: TargetQuery, _ failure: ResolutionFailure?, of context: ResponseContext, _ now: Now,
        _ effects: inout Effects
    ) {
        query.host.withSlice { name in
            guard effects.beginNameFailure(name, from: context.isOwn ? nil : context.source, now) else { return }
            effects.log.field("name", name)
            effects.log.field("what", sentence: failure?.text ?? "the resolver did not answer in time")
            if let server = failure?.server {
                effects.log.field("server", transport: .udp, address: server)
            }
            effects.log.reason(.nameNotResolved)
            effects.log.end()
        }
    }

    /// Counts a branch as ended with a status of our own.
    mutating func fail(_ branch: Int, _ context: SlabIndex, status: UInt16) {
        contexts[context]?.branches[branch].state = .completed
        contexts[context]?.branches[branch].status = status
        if status == 408 || status == 503 { contexts[context]?.branches[branch].isFlowFailed = true }
        if contexts[context]?.isBetter(status) == true {
            contexts[context]?.bestStatus = status
            contexts[context]?.best = []
        }
    }
}
