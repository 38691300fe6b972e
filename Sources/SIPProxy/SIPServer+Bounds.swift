import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// What a client may do that has proved who it is.
struct ClientStanding: Sendable {
    /// It has a binding that has not expired.
    var isRegistered = false
    /// Its calls and texts are for an application of its own.
    var hasApplication = false
    /// The row of its account.
    var accountID: Int64 = 0
    /// It has as many requests under way as one client may.
    var isOverShare = false
}

/// The bounds of what may be under way: in all, for one client, and under load.
extension SIPServer {
    /// True when there are as many transactions as there may be; requests within dialogs may have the last tenth, so that
    /// calls can end.
    func isFull(forDialogs: Bool) -> Bool {
        let limit = settings.maxTransactions
        return openTransactions.load(ordering: .relaxed) >= (forDialogs ? limit : limit - limit / 10)
    }

    /// Counts one more transaction in a client's share, unless that is used up, and tells what the client may do.
    func takeShare(of key: LoginKey, now: Now) -> ClientStanding {
        let limit = settings.maxTransactionsPerClient
        let standing = location.withClient(key) { client -> ClientStanding in
            if client.openTransactions >= limit { return ClientStanding(isOverShare: true) }
            client.openTransactions += 1
            return ClientStanding(
                isRegistered: client.bindings.contains { $0.isLive(at: now.unix) },
                hasApplication: client.hasApplication, accountID: client.accountID)
        }
        return standing ?? ClientStanding()
    }

    /// Gives back what `takeShare` has taken.
    func releaseShare(of key: LoginKey) {
        _ = location.withClient(key) { client in
            // A client that was removed and made anew has nothing to give back.
            if client.openTransactions > 0 { client.openTransactions -= 1 }
        }
    }

    /// Why a request is refused under load that no route token of ours came with; nil when it is let in.
    ///
    /// First those go that nobody vouches for, but for a trickle of them, so that new and roaming phones get in; then
    /// everything that begins something. What belongs to a call, and the refreshing of bindings, is never refused.
    func loadRefusal(
        of request: borrowing SIPMessage, from flow: Flow, now: Now, effects: inout Effects
    ) -> Reason? {
        if effects.load == .normal { return nil }
        let isRegister = request.method == .register
        if effects.load == .overloaded, !isRegister, request.toTag.isEmpty { return .serverOverloaded }
        if isFromDevice(request, flow, now) { return nil }
        if effects.load == .overloaded { return .serverOverloaded }
        return answersChallenge(request, now) || effects.strangers.passes(at: now.instant) ? nil : .serverOverloaded
    }

    /// True for a datagram that is not even answered: under overload, of somebody who answers no challenge, brings no
    /// route token and has no device where it came from. Who means it repeats it.
    func isDropped(_ request: borrowing SIPMessage, from flow: Flow, _ load: LoadLevel, _ now: Now) -> Bool {
        if load != .overloaded || flow.transport.isReliable { return false }
        return !answersChallenge(request, now) && !isFromDevice(request, flow, now)
    }

    /// True for a request that shows credentials for a challenge of ours, whatever its password.
    private func answersChallenge(_ request: borrowing SIPMessage, _ now: Now) -> Bool {
        authenticator.answersChallenge(request, request.method == .register ? .registrar : .proxy, now: now.unix)
    }

    /// True when the client that a request says it is from has a device where it came from.
    func isFromDevice(_ request: borrowing SIPMessage, _ flow: Flow, _ now: Now) -> Bool {
        hasBinding(request.method == .register ? request.to : request.from, at: flow.remote.address, now)
    }

    /// True when the client that an address names has a device at this address.
    private func hasBinding(_ address: NameAddress, at source: IPAddress, _ now: Now) -> Bool {
        guard let uri = SIPURI(address.uri), uri.hasUser else { return false }
        return location.withClient(uri.user) { client in
            client.bindings.contains { $0.flow.remote.address == source && $0.isLive(at: now.unix) }
        } ?? false
    }

    /// When a refused client is to try again, in seconds: not all at the same time, and a server that is stopping is not
    /// back as soon as one that has too much to do.
    func retryTime(for request: borrowing SIPMessage, _ reason: Reason) -> UInt32 {
        var hash = SipHash(key: settings.runKey)
        hash.update("retry")
        hash.update(request.callID)
        let least: UInt32 = reason == .serverStopping ? 10 : 5
        return least + UInt32(truncatingIfNeeded: hash.finalize().first % (UInt64(least) + 1))
    }
}
