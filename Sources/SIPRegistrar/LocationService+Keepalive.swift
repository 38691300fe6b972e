import Primitives

/// A device that was found reachable or unreachable, for the log.
public struct ReachabilityChange: Sendable {
    /// The client's login.
    public let login: [UInt8]
    /// The binding.
    public let binding: Binding

    /// A change of a client's binding.
    public init(login: [UInt8], binding: Binding) {
        self.login = login
        self.binding = binding
    }
}

/// The keepalive: who is to be pinged, and what came of it.
extension LocationService {
    /// Calls `send` for each binding that is due for a ping, in time for an interval: a part of all at each call, which goes
    /// on where the last one ended. So pings are spread by themselves, and no binding has a timer.
    ///
    /// - Parameters:
    ///   - limit: The most pings at this call.
    ///   - send: Writes the ping; short, and must not call the service.
    /// - Returns: The devices that are unreachable from now on.
    public func sweepPings(
        _ policy: KeepalivePolicy, now: Now, limit: Int,
        _ send: (_ client: LoginKey, _ login: ByteSlice, _ binding: borrowing Binding) -> Void
    ) -> [ReachabilityChange] {
        pingSweep.withLock { sweep in
            if sweep.adopt(policy) { forgetSilence(by: policy) }
            guard policy.method != .off else { return [] }
            var lost: [ReachabilityChange] = []
            sweep.advance(to: now.instant, round: policy.round)
            var left = limit
            while left > 0, let part = sweep.next() {
                let shard = shards[part.shard]
                if part.start == 0 { sweep.enter(part.shard, shard.pingGeneration.load(ordering: .acquiring)) }
                guard sweep.isShardPinged else { continue }
                let hasPinged = shard.clients.withLock { table in
                    ping(&table, part, policy, now.unix, &left, &lost, send)
                }
                sweep.looked(at: part, hasPinged: hasPinged)
            }
            return lost
        }
    }

    private func ping(
        _ table: inout ClientTable, _ part: PingSweep.Part, _ policy: KeepalivePolicy, _ now: UnixTime,
        _ left: inout Int, _ lost: inout [ReachabilityChange],
        _ send: (_ client: LoginKey, _ login: ByteSlice, _ binding: borrowing Binding) -> Void
    ) -> Bool {
        var hasPinged = false
        let count = table.placeCount
        for position in part.start * count / PingSweep.parts..<part.end * count / PingSweep.parts {
            table.updateKept(position) { entry in
                for index in entry.bindings.indices where policy.pings(entry.bindings[index]) {
                    hasPinged = true
                    guard entry.bindings[index].hasFlow, entry.bindings[index].isLive(at: now) else { continue }
                    let spread = entry.bindings[index].spread
                    guard
                        entry.bindings[index].liveness.isDue(
                            spread, interval: policy.interval, step: policy.round, now: now)
                    else { continue }
                    let expectsAnswer = policy.expectsAnswer(from: entry.bindings[index])
                    let isLost = entry.bindings[index].liveness.ping(
                        at: now, limit: policy.unanswered, expectsAnswer: expectsAnswer)
                    entry.withLogin { send(key(of: $0), $0, entry.bindings[index]) }
                    left -= 1
                    if isLost { lost.append(ReachabilityChange(login: entry.login, binding: entry.bindings[index])) }
                }
            }
        }
        return hasPinged
    }

    /// Devices that nobody expects an answer from any more are not unreachable for their silence of before.
    private func forgetSilence(by policy: KeepalivePolicy) {
        for shard in shards {
            shard.clients.withLock { table in
                for position in 0..<max(0, table.placeCount) {
                    table.updateKept(position) { entry in
                        for index in entry.bindings.indices where !policy.expectsAnswer(from: entry.bindings[index]) {
                            entry.bindings[index].liveness.forgetSilence()
                        }
                    }
                }
            }
        }
    }

    /// Remembers that the client has a binding that is to be pinged.
    func expectPings(of key: LoginKey) { _ = shard(of: key).pingGeneration.add(1, ordering: .releasing) }

    /// A client's device was heard on the flow with this mark: an answer to a ping has come.
    ///
    /// - Returns: The devices that are reachable again.
    public func heard(_ key: LoginKey, flow mark: UInt32, now: UnixTime) -> [ReachabilityChange] {
        withClient(key) { $0.heard(isAnswer: true, now: now) { $0.flow.mark == mark } } ?? []
    }

    /// A peer was heard on a connection, though it has sent no message: a keepalive, or the answer to one.
    ///
    /// - Returns: The devices that are reachable again.
    public func heard(connection: UInt64, isAnswer: Bool, now: UnixTime) -> [ReachabilityChange] {
        let keys = shard(ofConnection: connection).connections.withLock { $0[connection] }
        var changes: [ReachabilityChange] = []
        for key in keys ?? [] {
            changes +=
                withClient(key) { $0.heard(isAnswer: isAnswer, now: now) { $0.flow.connection == connection } } ?? []
        }
        return changes
    }

    /// The network has said that a ping of a client's device did not arrive.
    ///
    /// - Returns: The devices that are unreachable from now on.
    public func pingFailed(_ key: LoginKey, flow mark: UInt32, _ policy: KeepalivePolicy) -> [ReachabilityChange] {
        withClient(key) { entry in
            var changes: [ReachabilityChange] = []
            for index in entry.bindings.indices where entry.bindings[index].flow.mark == mark {
                guard entry.bindings[index].liveness.pingFailed(limit: policy.unanswered) else { continue }
                changes.append(ReachabilityChange(login: entry.login, binding: entry.bindings[index]))
            }
            return changes
        } ?? []
    }
}

extension ClientEntry {
    fileprivate mutating func heard(
        isAnswer: Bool, now: UnixTime, _ condition: (Binding) -> Bool
    ) -> [ReachabilityChange] {
        var changes: [ReachabilityChange] = []
        for index in bindings.indices where condition(bindings[index]) {
            guard bindings[index].liveness.heard(at: now, isAnswer: isAnswer) else { continue }
            changes.append(ReachabilityChange(login: login, binding: bindings[index]))
        }
        return changes
    }
}

/// Where the sweep for pings is: it goes once round all shards in each part of the interval, and so comes by each client at
/// an even pace however many there are.
struct PingSweep: Sendable {
    /// The shard to look at, from one of its `parts` to another.
    struct Part {
        var shard: Int
        var start: Int
        var end: Int
    }

    /// The steps in which a shard is looked at.
    static let parts = 1024
    private static let whole = UInt64(LocationService.shardCount * parts)

    private var policy: KeepalivePolicy?
    private var begin: Instant?
    /// The time for all shards that `goal` is counted by.
    private var round: Int64 = 0
    private var position: UInt64 = 0
    private var goal: UInt64 = 0
    /// The generation at which each shard was found without a binding to ping.
    private var empty = [UInt64](repeating: 0, count: LocationService.shardCount)
    private var generation: UInt64 = 0
    private var hasPinged = false
    /// True when there may be something to ping in the shard that is being looked at.
    private(set) var isShardPinged = false

    /// Goes by a policy; another one may ping where there was nothing to ping.
    ///
    /// - Returns: True when it is another than the one before.
    mutating func adopt(_ policy: KeepalivePolicy) -> Bool {
        if policy == self.policy { return false }
        defer { self.policy = policy }
        if self.policy == nil { return false }
        for shard in empty.indices { empty[shard] = .max }
        isShardPinged = true
        hasPinged = true
        return true
    }

    /// Moves the goal to where the sweep is to be at `now`, at most once round.
    mutating func advance(to now: Instant, round: Int64) {
        guard let begin, round == self.round else {
            // The way that is behind was counted in another measure: the sweep begins anew.
            (begin, self.round, position, goal) = (now, round, 0, 0)
            return
        }
        let passed = now.milliseconds(since: begin)
        goal = passed &* Self.whole / UInt64(max(1, round))
        if goal > position &+ Self.whole {
            // Behind by more than a round: what was not looked at comes a round later.
            position = (goal - Self.whole) / UInt64(Self.parts) * UInt64(Self.parts)
        }
    }

    /// The sweep comes to the beginning of a shard with this generation.
    mutating func enter(_ shard: Int, _ generation: UInt64) {
        self.generation = generation
        isShardPinged = generation != empty[shard]
        hasPinged = false
    }

    /// A part was looked at; a shard without anything to ping is known as such at its end.
    mutating func looked(at part: Part, hasPinged: Bool) {
        if hasPinged { self.hasPinged = true }
        if part.end == Self.parts, !self.hasPinged { empty[part.shard] = generation }
    }

    /// The next part up to the goal, within one shard; nil at the goal.
    mutating func next() -> Part? {
        guard position < goal else { return nil }
        let start = Int(position % UInt64(Self.parts))
        let shard = Int(position / UInt64(Self.parts) % UInt64(LocationService.shardCount))
        let length = min(Self.parts - start, Int(min(goal - position, UInt64(Self.parts))))
        position += UInt64(length)
        return Part(shard: shard, start: start, end: start + length)
    }
}
