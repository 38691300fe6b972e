import Primitives
import SIPMessage

/// Calls that ring on a connection which is closed: the phone comes back by another, or is gone.
extension SIPServer {
    /// Where the device is that has got an INVITE: over a stream it may have another connection by now.
    func presentFlow(of invite: ClientTransaction, _ now: Now) -> Flow {
        guard invite.flow.transport.isReliable else { return invite.flow }
        return invite.request.withSlice { bytes in
            var request = SIPMessage()
            _ = request.parse(bytes)
            let flow = currentFlow(of: request.requestURI, request.to.uri, from: invite.flow, now: now)
            // What is sent has the Via of the INVITE, which names its listener.
            let isAlike = flow.transport == invite.flow.transport && flow.listener == invite.flow.listener
            return isAlike ? flow : invite.flow
        }
    }

    /// A device has not come back after its connection was closed: nothing will come from it, and its caller need not wait
    /// until it has rung for minutes.
    public func deviceLost(_ connection: UInt64, now: Now, effects: inout Effects) {
        if connection == 0 { return }
        forEachShard { shard in
            for index in shard.transactions.clients(on: connection) {
                shard.deviceLost(index, server: self, now: now, effects: &effects)
            }
        }
    }
}

extension CallShard {
    /// Ends a ringing branch whose device is gone. One that shared the connection may have come back.
    fileprivate mutating func deviceLost(_ index: SlabIndex, server: SIPServer, now: Now, effects: inout Effects) {
        guard let invite = transactions.clients[index], invite.isInvite, let state = contexts[invite.context],
            invite.branch < state.branches.count, state.branches[invite.branch].client == index,
            state.branches[invite.branch].state == .proceeding,
            server.presentFlow(of: invite, now) == invite.flow
        else { return }
        branchFailed(index, status: 503, server: server, now: now, effects: &effects)
        let context = transactions.removeClient(index)?.context ?? .none
        removeIfSpent(context)
    }
}
