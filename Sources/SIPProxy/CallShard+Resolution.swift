import Primitives
import SIPMessage
import SIPRegistrar

/// Branches that wait for a host name (RFC 3263): the name is resolved by the edge, off the packet path.
extension CallShard {
    /// Adds a branch that goes on when its name is resolved, and asks for that.
    mutating func awaitName(
        _ hop: UnresolvedHop, _ destination: Destination, context: SlabIndex, now: Now, effects: inout Effects
    ) {
        guard let branch = contexts[context]?.branches.count else { return }
        contexts[context]?.branches.append(ProxyBranch(client: .none, unresolved: destination))
        effects.resolutions.append(Resolution(hop: hop, shard: number, context: context, branch: branch))
        let owner = TimerOwner(
            position: context.position, generation: context.generation, kind: .resolution, timer: .c)
        // One for all names of a group: they are asked for at the same time, and a group begins when the last has ended.
        transactions.timers.cancel(contexts[context]?.resolutionTimer ?? .none)
        contexts[context]?.resolutionTimer = transactions.timers.schedule(
            at: now.instant.advanced(byMilliseconds: Resolution.timeout), owner)
    }

    /// Goes on with a branch whose name was resolved; without any address the branch has failed.
    mutating func resolved(
        _ resolution: Resolution, _ addresses: [IPAddress], server: SIPServer, now: Now, effects: inout Effects
    ) {
        guard let state = contexts[resolution.context], resolution.branch < state.branches.count,
            let destination = state.branches[resolution.branch].unresolved
        else { return }
        let flows = addresses.lazy.compactMap {
            server.flow(to: SocketAddress(address: $0, port: resolution.hop.port), resolution.hop.transport)
        }
        guard let flow = flows.first, !state.request.isEmpty else {
            nameFailed(resolution.branch, resolution.context, server: server, now: now, effects: &effects)
            return
        }
        contexts[resolution.context]?.branches[resolution.branch].unresolved = nil
        var request = SIPMessage()
        state.request.withSlice { bytes in
            _ = request.parse(bytes)
            forward(
                request, to: destination, over: flow, context: resolution.context, branch: resolution.branch,
                source: state.source, plan: state.plan, server: server, now: now, effects: &effects)
        }
    }

    /// Ends the branches of a context whose names were not resolved in time.
    mutating func resolutionTimedOut(_ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let branches = contexts[context]?.branches else { return }
        for position in branches.indices where branches[position].unresolved != nil {
            nameFailed(position, context, server: server, now: now, effects: &effects)
        }
    }

    private mutating func nameFailed(
        _ branch: Int, _ context: SlabIndex, server: SIPServer, now: Now, effects: inout Effects
    ) {
        if effects.log.begin(.dnsError, at: now.unix) {
            if case .binding(let binding)? = contexts[context]?.branches[branch].unresolved {
                binding.withText { effects.log.contact($0.contact) }
            }
            effects.log.reason(.nameNotResolved)
            effects.log.end()
        }
        contexts[context]?.branches[branch].unresolved = nil
        fail(branch, context, status: 503)
        branchEnded(context, server: server, now: now, effects: &effects)
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
