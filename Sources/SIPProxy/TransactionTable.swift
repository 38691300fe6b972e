import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// A server transaction: its machine and what a completed one needs, the key and the last response.
struct ServerTransaction {
    enum Machine {
        case invite(ServerInviteTransaction)
        case nonInvite(ServerNonInviteTransaction)
    }

    var machine: Machine
    let key: TransactionKey
    /// Where its responses go (18.2.2), and the port of the client's Via for the case that a connection is gone.
    let flow: Flow
    let viaPort: UInt16
    /// The context that answers it; `.none` once the final response is sent.
    var context = SlabIndex.none
    /// The call of an application that it belongs to; `.none` for none.
    var call = SlabIndex.none
    /// The client in whose share it is counted; nil within a dialog.
    var owner: LoginKey?
    /// The bytes to send when the request comes again; empty for nothing.
    var lastResponse: [UInt8] = []
    var retransmissionTimer = TimerReference.none
    var stateTimer = TimerReference.none

    /// Gives an event to the machine.
    mutating func handle(_ event: ServerEvent, _ timers: TransactionTimerSettings) -> TransactionEffects {
        switch machine {
        case .invite(var invite):
            defer { machine = .invite(invite) }
            return invite.handle(event.invite, timers)
        case .nonInvite(var nonInvite):
            defer { machine = .nonInvite(nonInvite) }
            return nonInvite.handle(event.nonInvite, timers)
        }
    }
}

/// A client transaction: its machine, and the request as sent, of which retransmissions, ACK and CANCEL are made.
struct ClientTransaction {
    enum Machine {
        case invite(ClientInviteTransaction)
        case nonInvite(ClientNonInviteTransaction)
    }

    var machine: Machine
    /// Where the request goes.
    let flow: Flow
    /// The second part of our branch: a keyed hash that a stranger cannot guess.
    let branchHash: UInt64
    /// The response context and the branch in it; `.none` for a CANCEL of our own and when the context needs no more.
    var context: SlabIndex
    var branch: Int
    /// It went to one of the places that a name led to.
    var isOfName = false
    /// The CANCEL of this INVITE, whose answers bear the same branch; `.none` when there is none.
    var cancel = SlabIndex.none
    /// The request as sent; empty once no message can be made of it any more.
    var request: [UInt8] = []
    var retransmissionTimer = TimerReference.none
    var stateTimer = TimerReference.none

    /// Gives an event to the machine.
    mutating func handle(_ event: ClientEvent, _ timers: TransactionTimerSettings) -> TransactionEffects {
        switch machine {
        case .invite(var invite):
            defer { machine = .invite(invite) }
            return invite.handle(event.invite, timers)
        case .nonInvite(var nonInvite):
            defer { machine = .nonInvite(nonInvite) }
            return nonInvite.handle(event.nonInvite, timers)
        }
    }

    var isInvite: Bool {
        if case .invite = machine { true } else { false }
    }
}

extension SlabIndex {
    /// A reference to nothing.
    static let none = SlabIndex(position: UInt32.max, generation: 0)
}

/// What a timer of the wheel belongs to.
struct TimerOwner: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable, Sendable {
        case server, client, context, resolution
        /// Of a call: those of its program, its 2xx without ACK, its session.
        case callRinging, callTalk, callPause, callDeadline, callAnswer, callSession
        /// The ringing of a party of the API, and the next attempt to bring a caller another session.
        case callParty, callBringing
    }

    var position: UInt32
    var generation: UInt32
    var kind: Kind
    var timer: TransactionTimer

    var index: SlabIndex { SlabIndex(position: position, generation: generation) }
}

/// The transactions of one shard, their keys and timers.
struct TransactionTable {
    var servers = Slab<ServerTransaction>()
    var clients = Slab<ClientTransaction>()
    var serversByKey: [TransactionKey: SlabIndex] = [:]
    var timers: TimerWheel<TimerOwner>
    /// The client transactions on each stream connection.
    private var clientsByConnection: [UInt64: Set<SlabIndex>] = [:]

    init(now: Instant) { timers = TimerWheel(now: now) }

    /// The number of transactions of both kinds.
    var count: Int { servers.count + clients.count }

    mutating func insertServer(
        _ machine: ServerTransaction.Machine, key: TransactionKey, flow: Flow, viaPort: UInt16
    ) -> SlabIndex {
        let index = servers.insert(ServerTransaction(machine: machine, key: key, flow: flow, viaPort: viaPort))
        serversByKey[key] = index
        return index
    }

    /// Removes a server transaction.
    ///
    /// - Returns: The client in whose share it was counted.
    mutating func removeServer(_ index: SlabIndex) -> LoginKey? {
        guard let transaction = servers.remove(index) else { return nil }
        serversByKey[transaction.key] = nil
        timers.cancel(transaction.retransmissionTimer)
        timers.cancel(transaction.stateTimer)
        return transaction.owner
    }

    mutating func insertClient(_ transaction: ClientTransaction) -> SlabIndex {
        let connection = transaction.flow.connection
        let index = clients.insert(transaction)
        if connection != 0 { clientsByConnection[connection, default: []].insert(index) }
        return index
    }

    /// The client transactions whose requests went over a stream connection.
    func clients(on connection: UInt64) -> Set<SlabIndex> { clientsByConnection[connection] ?? [] }

    @discardableResult
    mutating func removeClient(_ index: SlabIndex) -> ClientTransaction? {
        guard let transaction = clients.remove(index) else { return nil }
        let connection = transaction.flow.connection
        if connection != 0 {
            clientsByConnection[connection]?.remove(index)
            if clientsByConnection[connection]?.isEmpty == true { clientsByConnection[connection] = nil }
        }
        timers.cancel(transaction.retransmissionTimer)
        timers.cancel(transaction.stateTimer)
        return transaction
    }

    /// Starts or restarts a timer of a server transaction.
    mutating func startServerTimer(_ timer: TransactionTimer, _ milliseconds: UInt32, _ index: SlabIndex, _ now: Now) {
        let owner = TimerOwner(position: index.position, generation: index.generation, kind: .server, timer: timer)
        let reference = timers.schedule(at: now.instant.advanced(byMilliseconds: UInt64(milliseconds)), owner)
        if timer.isRetransmission {
            servers[index]?.retransmissionTimer = reference
        } else {
            servers[index]?.stateTimer = reference
        }
    }

    /// Starts or restarts a timer of a client transaction.
    mutating func startClientTimer(_ timer: TransactionTimer, _ milliseconds: UInt32, _ index: SlabIndex, _ now: Now) {
        let owner = TimerOwner(position: index.position, generation: index.generation, kind: .client, timer: timer)
        let reference = timers.schedule(at: now.instant.advanced(byMilliseconds: UInt64(milliseconds)), owner)
        if timer.isRetransmission {
            clients[index]?.retransmissionTimer = reference
        } else {
            clients[index]?.stateTimer = reference
        }
    }

    mutating func stopServerTimer(_ timer: TransactionTimer, _ index: SlabIndex) {
        guard let transaction = servers[index] else { return }
        timers.cancel(timer.isRetransmission ? transaction.retransmissionTimer : transaction.stateTimer)
    }

    mutating func stopClientTimer(_ timer: TransactionTimer, _ index: SlabIndex) {
        guard let transaction = clients[index] else { return }
        timers.cancel(timer.isRetransmission ? transaction.retransmissionTimer : transaction.stateTimer)
    }
}
