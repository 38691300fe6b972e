import CallControl
import NameResolution
import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction
import Synchronization

/// What the server is told; `SIPServer.replaceSettings` changes it while it runs.
public struct ServerSettings: Sendable {
    /// The addresses it is reached at; a `Flow` names them by index.
    public var listeners: [Listener]
    /// The durations of transactions.
    public var timers = TransactionTimerSettings()
    /// Timer C in milliseconds (RFC 3261 16.6 step 11: more than three minutes).
    public var timerC: UInt32 = 181_000
    /// Contacts of one client that a request is forked to at the most.
    public var maxForks = 10
    /// Max-Breadth of a request that brings none (RFC 5393 section 5.3.3.1).
    public var maxBreadth: UInt32 = 60
    /// A secret of this run: transaction keys, branches, tags.
    public var runKey: HashKey
    /// A secret that survives restarts: route tokens.
    public var routeKey: HashKey
    /// The largest message in bytes.
    public var messageSize = 65535
    /// The most header fields of a message, at most `SIPMessage.headerCapacity`.
    public var headerCount = SIPMessage.headerCapacity
    /// How devices behind NAT are kept reachable.
    public var keepalive = KeepalivePolicy()
    /// Transactions of all calls together; the last tenth is for requests within dialogs.
    public var maxTransactions = 1_000_000
    /// Requests of one client that may hold a transaction.
    public var maxTransactionsPerClient: UInt32 = 2_000
    /// True when the answer to a REGISTER waits until its bindings are stored.
    public var awaitsStore = true
    /// The trunks to the outside, in the order in which they are tried.
    public var gateways: [Gateway] = []
    /// True when the texts of clients with an application go to it, and not to the client that they name.
    public var textsGoToApplications = true
    /// How long the first document of a call is waited for before its caller gets a final answer, in milliseconds; the
    /// fallback included.
    public var applicationDeadline: UInt64 = 6_000
    /// Documents that one call of an application, or one text, may fetch.
    public var applicationDocuments = 100
    /// Seconds after which an answered call of an application ends whatever its document says.
    public var longestCall: UInt32 = 14_400
    /// True when the server is about to end: what would begin a call or a dialog, and texts, are refused.
    public var isDraining = false

    /// Settings with these listeners and secrets, all else at its default.
    public init(listeners: [Listener], runKey: HashKey, routeKey: HashKey) {
        self.listeners = listeners
        self.runKey = runKey
        self.routeKey = routeKey
    }
}

/// The SIP server without its sockets: registrar, stateful proxy and the transactions beneath (RFC 3261 sections 10, 16
/// and 17).
///
/// Any worker may hand it any message. What belongs to one call is in the shard of its Call-ID, behind that shard's
/// lock; location and credentials are in a table of their own. Every method takes the time and fills `Effects`.
public final class SIPServer: Sendable {
    private let currentSettings: Replaceable<ServerSettings>
    let registrar: Registrar
    let authenticator: Authenticator
    let location: LocationService
    let domains: DomainTable
    let unreachablePlaces = UnreachablePlaces()
    /// The applications of clients and numbers.
    public let applications: ApplicationDirectory
    private let shards: [Shard]
    private let hasTimers = Atomic(false)
    let reachability = Mutex(ReachabilityLog())
    /// The transactions of all shards.
    let openTransactions = Atomic(0)
    /// Tells records of the same millisecond apart.
    private let recordCounter: Atomic<UInt64>

    private final class Shard: Sendable {
        let state: Mutex<CallShard>

        init(_ number: UInt8, now: Instant) { state = Mutex(CallShard(number: number, now: now)) }
    }

    /// Shards: enough that two workers seldom want the same one at the same time.
    static let shardCount = 32

    /// A server without any transaction.
    public init(
        settings: ServerSettings, registrar: Registrar, authenticator: Authenticator, location: LocationService,
        domains: DomainTable, applications: ApplicationDirectory = ApplicationDirectory(), now: Now
    ) {
        self.applications = applications
        currentSettings = Replaceable(settings)
        self.registrar = registrar
        self.authenticator = authenticator
        self.location = location
        self.domains = domains
        shards = (0..<SIPServer.shardCount).map { Shard(UInt8($0), now: now.instant) }
        var hash = SipHash(key: settings.runKey)
        hash.update("records")
        // Not from 0: records of this run's first millisecond must differ from those of the last run's.
        recordCounter = Atomic(hash.finalize().first)
    }

    /// The settings of now.
    var settings: ServerSettings {
        @inline(__always) _read { yield currentSettings.value }
    }

    /// Changes settings for all messages from now on. Listeners and keys must stay what they are.
    public func replaceSettings(_ change: (inout ServerSettings) -> Void) { currentSettings.replace(change) }

    /// Handles a message.
    ///
    /// - Parameters:
    ///   - message: The worker's message value, to parse into.
    ///   - bytes: The message as received: a datagram, or a framed message of a stream.
    public func receive(
        _ bytes: ByteSlice, into message: inout SIPMessage, from flow: Flow, now: Now, effects: inout Effects
    ) {
        guard Int(flow.listener) < settings.listeners.count else { return }
        if bytes.first == 0, !flow.transport.isReliable, answerSTUN(bytes, flow, &effects) { return }
        var fault = message.parse(bytes, isStream: flow.transport.isReliable)
        if bytes.count > settings.messageSize { fault = .tooLarge }
        // A stream gives a head without its body only when that is over the limit.
        if fault == .bodyShort, flow.transport.isReliable { fault = .tooLarge }
        if fault == nil, message.fieldCount > settings.headerCount { fault = .tooManyHeaders }
        if let fault {
            answerFault(fault, message, flow, now, &effects)
            return
        }
        if message.isRequest, message.method == .register {
            register(message, flow, now, &effects)
            return
        }
        if !message.isRequest, PingToken.isLikely(branch: message.topVia.branch) {
            receivePingAnswer(message, now: now, effects: &effects)
            return
        }
        // After the shard is left: `tick` clears it before it counts, so that no timer is overlooked.
        defer { hasTimers.store(true, ordering: .relaxed) }
        with(shard(of: message.callID)) { shard in
            if message.isRequest {
                shard.receiveRequest(message, from: flow, server: self, now: now, effects: &effects)
            } else {
                shard.receiveResponse(message, from: flow, server: self, now: now, effects: &effects)
            }
            shard.settleCalls(server: self, now: now, effects: &effects)
        }
    }

    /// The number of a record that begins now.
    public func nextRecordNumber(now: Now) -> RecordNumber {
        RecordNumber(at: now.unix, counter: recordCounter.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    /// Sends a request of the server's own, which has no Via; its end is told by its record.
    func send(
        _ bytes: ByteSlice, to destinations: [Destination], otherFlows: [Binding], _ record: PendingRecord, now: Now,
        effects: inout Effects
    ) {
        var request = SIPMessage()
        // The only fault is that there is no Via, which forwarding adds.
        _ = request.parse(bytes)
        defer { hasTimers.store(true, ordering: .relaxed) }
        with(shard(of: request.callID)) { shard in
            shard.start(
                request, destinations: destinations, otherFlows: otherFlows, record, server: self, now: now,
                effects: &effects)
            shard.settleCalls(server: self, now: now, effects: &effects)
        }
    }

    /// Handles the news that a message with this origin (`Outbox.Message.origin`) could not be sent.
    public func sendFailed(origin: UInt64, now: Now, effects: inout Effects) {
        guard let (shard, index) = CallShard.decode(origin: origin), Int(shard) < shards.count else { return }
        with(shards[Int(shard)]) {
            $0.transportFailed(index, server: self, now: now, effects: &effects)
            $0.settleCalls(server: self, now: now, effects: &effects)
        }
    }

    /// Handles the end of a stream connection: what was sent on it and not answered will not be (16.9).
    public func connectionClosed(_ connection: UInt64, now: Now, effects: inout Effects) {
        forEachShard { shard in
            for index in shard.transactions.clients(on: connection) {
                shard.transportFailed(index, server: self, now: now, effects: &effects)
            }
            shard.settleCalls(server: self, now: now, effects: &effects)
        }
    }

    /// Calls `body` with each shard, under its lock.
    func forEachShard(_ body: (inout CallShard) -> Void) { for shard in shards { with(shard, body) } }

    /// Handles the answer to a name that `Effects.resolutions` asked for.
    public func resolved(
        _ resolution: Resolution, _ answer: TargetAnswer, now: Now, effects: inout Effects
    ) {
        with(shards[Int(resolution.shard)]) {
            $0.resolved(resolution, answer, server: self, now: now, effects: &effects)
            $0.settleCalls(server: self, now: now, effects: &effects)
        }
    }

    /// Handles the beginning of a datagram of ours that came back as unreachable (RFC 3261 18.4).
    public func unreachable(_ bytes: ByteSlice, into message: inout SIPMessage, now: Now, effects: inout Effects) {
        // Only the head is there, and perhaps not all of it: faults do not matter, our Via does.
        _ = message.parse(bytes)
        guard message.isRequest else { return }
        let branch = message.topVia.branch
        if pingCameBack(branch, now: now, effects: &effects) { return }
        // Where the Call-ID was cut off the branch is sought everywhere: it happens seldom.
        for shard in message.callID.isEmpty ? shards : [shard(of: message.callID)] {
            with(shard) {
                if let index = $0.client(ofBranch: branch) {
                    $0.transportFailed(index, server: self, now: now, effects: &effects)
                    $0.settleCalls(server: self, now: now, effects: &effects)
                }
            }
        }
    }

    /// Lets the timers that are due fire.
    public func tick(now: Now, effects: inout Effects) {
        hasTimers.store(false, ordering: .relaxed)
        var timers = 0
        for shard in shards {
            with(shard) {
                $0.fireTimers(server: self, now: now, effects: &effects)
                $0.settleCalls(server: self, now: now, effects: &effects)
                timers += $0.transactions.timers.count
            }
        }
        if timers > 0 { hasTimers.store(true, ordering: .relaxed) }
    }

    /// True while timers may be running, so that `tick` is needed often.
    public var isBusy: Bool { hasTimers.load(ordering: .relaxed) }

    /// How many transactions and response contexts there are; all are zero after load.
    public var tableSizes: (transactions: Int, contexts: Int, timers: Int) {
        var sizes = (transactions: 0, contexts: 0, timers: 0)
        for shard in shards {
            shard.state.withLock {
                sizes.transactions += $0.transactions.count
                sizes.contexts += $0.contexts.count + $0.calls.count
                sizes.timers += $0.transactions.timers.count
            }
        }
        return sizes
    }

    /// Calls `body` under the lock of a shard, and counts what that has changed in the number of transactions.
    @inline(__always)
    private func with(_ shard: Shard, _ body: (inout CallShard) -> Void) {
        shard.state.withLock { state in
            let before = state.transactions.count
            body(&state)
            let change = state.transactions.count - before
            if change != 0 { openTransactions.add(change, ordering: .relaxed) }
        }
    }

    /// Requests that were forwarded and have no final response yet, texts of the API among them. Fewer than contexts: that of
    /// a call stays for a while after its answer.
    public var requestsUnderWay: Int {
        shards.reduce(0) { sum, shard in
            sum
                + shard.state.withLock { shard in shard.contexts.indices.count { shard.contexts[$0]?.isFinal == false }
                }
        }
    }

    private func shard(of callID: ByteSlice) -> Shard { shards[Int(shardNumber(of: callID))] }

    /// The shard in which a Call-ID falls.
    func shardNumber(of callID: ByteSlice) -> UInt8 {
        var hash = SipHash(key: settings.runKey)
        hash.update(callID)
        return UInt8(truncatingIfNeeded: hash.finalize().first & UInt64(SIPServer.shardCount - 1))
    }

    /// Calls `body` with a shard, under its lock, and then lets its calls settle; nil for a number of no shard.
    func withShard<Result>(
        _ number: UInt8, now: Now, effects: inout Effects, _ body: (inout CallShard, inout Effects) -> Result
    ) -> Result? {
        guard Int(number) < shards.count else { return nil }
        var result: Result?
        defer { hasTimers.store(true, ordering: .relaxed) }
        with(shards[Int(number)]) {
            result = body(&$0, &effects)
            $0.settleCalls(server: self, now: now, effects: &effects)
        }
        return result
    }
}
