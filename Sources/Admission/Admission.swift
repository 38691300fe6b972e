import Observability
import Primitives
import Synchronization

/// Who may send how much, and who may try to authenticate how often: the state of sources, shared by all workers.
///
/// In shards with a lock each; memory is fixed but for what is kept of sources that clients are known by.
public final class Admission: Sendable {
    private final class Shard: Sendable {
        let sources = Mutex(SourceTable())
    }

    private static let shardCount = 64
    private struct Rules: Sendable {
        let policy: AdmissionPolicy
        let sizes: Sizes

        init(_ policy: AdmissionPolicy) {
            self.policy = policy
            sizes = Sizes(policy)
        }
    }

    private let rules: Replaceable<Rules>
    var policy: AdmissionPolicy {
        @inline(__always) _read { yield rules.value.policy }
    }
    private var sizes: Sizes {
        @inline(__always) _read { yield rules.value.sizes }
    }
    private let shards: [Shard]
    private let key: HashKey
    /// Failures by source and login.
    let attempts: FailureRecords
    /// Failures by login, from where its client is not known.
    let logins: FailureRecords
    /// Failures by source that has no client.
    let strangers: FailureTable
    /// Failures by source with nonces of another one.
    let foreign: FailureTable
    private let hasFailures = Atomic(false)
    private let hasBans = Atomic(false)
    /// The monotonic clock as of the last sweep, for failures, whose time is the calendar's.
    private let sweptAt = Atomic<UInt64>(0)

    /// Nobody is known yet; `key` must be unpredictable.
    public init(policy: AdmissionPolicy, key: HashKey) {
        let rules = Replaceable(Rules(policy))
        self.rules = rules
        self.key = key
        shards = (0..<Self.shardCount).map { _ in Shard() }
        attempts = FailureRecords(places: 16_384, window: policy.failureWindow) {
            rules.value.policy.pause(ofPair: $0)
        }
        logins = FailureRecords(places: 4096, window: Self.loginWindow(policy)) {
            rules.value.policy.pause(ofLogin: $0)
        }
        strangers = FailureTable(window: policy.failureWindow)
        foreign = FailureTable(window: policy.failureWindow)
    }

    /// Takes other rules for all from now on; bans and delays that have begun last as long as was said.
    public func replacePolicy(_ policy: AdmissionPolicy) {
        rules.replace { $0 = Rules(policy) }
        attempts.window = policy.failureWindow
        logins.window = Self.loginWindow(policy)
        strangers.window = policy.failureWindow
        foreign.window = policy.failureWindow
    }

    /// Longer than the longest pause, after which the next failure must find those of before.
    private static func loginWindow(_ policy: AdmissionPolicy) -> Int64 { max(policy.failureWindow, 60_000) }

    // MARK: Packets

    /// True for an address that is neither limited nor banned.
    @inline(__always)
    public func isTrusted(_ address: IPAddress) -> Bool {
        if !policy.isEnabled { return true }
        for network in policy.trusted where network.contains(address) { return true }
        return false
    }

    /// Takes in a packet, or a message of a stream, before anything of it is read; false when it is to be dropped.
    @inline(__always)
    public func admits(_ address: IPAddress, at now: Instant) -> Bool {
        if isTrusted(address) { return true }
        let source = Source(address)
        let hash = hash(of: source).first
        return shard(hash).sources.withLock { $0.admits(source, hash >> 16, sizes, at: now) }
    }

    /// True for an address whose connections are closed.
    public func isBanned(_ address: IPAddress) -> Bool {
        guard hasBans.load(ordering: .relaxed), !isTrusted(address) else { return false }
        let source = Source(address)
        return shard(of: source).sources.withLock { $0.bans[source]?.isActive == true }
    }

    func hash(of source: Source) -> HashValue {
        var hash = SipHash(key: key)
        hash.update(source.number)
        return hash.finalize()
    }

    /// What tells a login from a source from all others.
    func hash(of source: Source, _ login: HashValue) -> HashValue {
        var hash = SipHash(key: key)
        hash.update(source.number)
        hash.update(login.first)
        hash.update(login.second)
        return hash.finalize()
    }

    private func shard(_ hash: UInt64) -> Shard { shards[Int(truncatingIfNeeded: hash % UInt64(Self.shardCount))] }

    private func shard(of source: Source) -> Shard { shard(hash(of: source).first) }

    // MARK: Clients

    /// A client that is known by `old` (`.none` for nowhere) is known by `new` from now on.
    public func move(from old: Source, to new: Source) {
        if old == new { return }
        let now = Instant(milliseconds: sweptAt.load(ordering: .relaxed))
        if old != .none {
            let hash = hash(of: old).first
            shard(hash).sources.withLock { $0.lose(old, hash >> 16, sizes, at: now) }
        }
        if new != .none {
            let hash = hash(of: new)
            shard(hash.first).sources.withLock { $0.gain(new, hash.first >> 16, sizes, at: now) }
            if isUsed { strangers.reset(hash) }
        }
    }

    /// True for a source that a client is known by, and for one that is trusted.
    public func isKnown(_ address: IPAddress) -> Bool {
        if isTrusted(address) { return true }
        let source = Source(address)
        return shard(of: source).sources.withLock { $0.homes[source] != nil }
    }

    /// The clients that are known by a source.
    public func clients(of address: IPAddress) -> Int {
        let source = Source(address)
        return shard(of: source).sources.withLock { Int($0.homes[source]?.clients ?? 0) }
    }

    // MARK: Failures

    /// False when nobody has failed yet: an attempt needs no look at the tables then.
    var isUsed: Bool { hasFailures.load(ordering: .relaxed) }

    func noteFailure() { hasFailures.store(true, ordering: .relaxed) }

    /// True when a source of clients has had as many failures as are checked.
    func hasTooManyFailures(_ source: Source) -> Bool {
        let now = Instant(milliseconds: sweptAt.load(ordering: .relaxed))
        return shard(of: source).sources.withLock { $0.hasTooManyFailures(source, sizes, at: now) }
    }

    /// Counts a failure of a source, which may have it banned when it has no clients.
    func countFailure(_ source: Source, _ login: ByteSlice, _ reason: Reason, at now: UnixTime) {
        let instant = Instant(milliseconds: sweptAt.load(ordering: .relaxed))
        let hash = hash(of: source)
        let shard = shard(hash.first)
        if shard.sources.withLock({ $0.countFailure(source, sizes, at: instant) }) { return }
        let count = strangers.add(hash, now: now)
        guard count >= UInt32(clamping: policy.bannedAfter) else { return }
        strangers.reset(hash)
        let ban = Ban(since: now, failures: count, login: login.prefix(64).bytes, reason: reason)
        shard.sources.withLock { $0.ban(source, ban, policy) }
        hasBans.store(true, ordering: .relaxed)
    }

    // MARK: Bans

    /// Lets bans begin and end; to be called about once a second.
    ///
    /// - Returns: Those that did, for the log.
    public func sweep(at now: Now) -> [BanChange] {
        sweptAt.store(now.instant.milliseconds, ordering: .relaxed)
        guard hasBans.load(ordering: .relaxed) else { return [] }
        hasBans.store(false, ordering: .relaxed)
        var changes: [BanChange] = []
        var isLeft = false
        for shard in shards {
            shard.sources.withLock { sources in
                sources.sweep(policy, at: now.instant) { change in
                    switch change {
                    case .banned(let source, let ban):
                        changes.append(BanChange(end: nil, report: report(source, ban)))
                    case .ended(let source, let ban, let end):
                        changes.append(BanChange(end: end, report: report(source, ban)))
                    }
                }
                if sources.needsSweep { isLeft = true }
            }
        }
        if isLeft { hasBans.store(true, ordering: .relaxed) }
        return changes
    }

    /// The bans and delays of now with times by the calendar, sources first, then the longest wait first.
    ///
    /// - Parameter time: The time of attempts (`Authenticator.time`), which goes on where the calendar was set back.
    public func reports(at now: Now, attempts time: UnixTime) -> [BanReport] {
        var reports: [BanReport] = []
        for shard in shards {
            shard.sources.withLock { sources in
                for (source, ban) in sources.bans where ban.isActive {
                    let left = ban.isTold ? ban.end.milliseconds(since: now.instant) : ban.duration
                    var report = report(source, ban)
                    report.until = UnixTime(milliseconds: time.milliseconds &+ Int64(clamping: left))
                    reports.append(report)
                }
            }
        }
        reports += attempts.waiting(at: time).map { BanReport(.attempt, $0) }
        reports += logins.waiting(at: time).map { BanReport(.login, $0) }
        let shift = now.unix.milliseconds &- time.milliseconds
        for index in reports.indices {
            reports[index].since.milliseconds &+= shift
            reports[index].until.milliseconds &+= shift
        }
        return reports.sorted { left, right in
            (left.kind.order, -left.until.milliseconds, left.key.first)
                < (right.kind.order, -right.until.milliseconds, right.key.first)
        }
    }

    /// Ends a ban or a delay at once, and forgets the failures that led to it; nil when there is none with this key.
    public func lift(_ key: HashValue, at now: UnixTime) -> BanReport? {
        if let record = attempts.remove(key) { return BanReport(.attempt, record) }
        if let record = logins.remove(key) { return BanReport(.login, record) }
        let found = shard(key.first).sources.withLock { sources -> BanReport? in
            guard let source = sources.bans.keys.first(where: { hash(of: $0) == key }), let ban = sources.lift(source)
            else { return nil }
            return report(source, ban)
        }
        if found != nil { strangers.reset(key) }
        return found
    }

    private func report(_ source: Source, _ ban: Ban) -> BanReport {
        BanReport(
            key: hash(of: source), kind: .source, source: source, login: ban.login, failures: ban.failures,
            since: ban.since, until: UnixTime(milliseconds: ban.since.milliseconds &+ Int64(clamping: ban.duration)),
            reason: ban.reason, isTold: ban.isTold)
    }

    // MARK: Numbers

    /// How much there is.
    public struct Statistics: Equatable, Sendable {
        /// Sources that clients are known by.
        public var sources = 0
        /// Clients that are known by a source, each as often as there are sources of it.
        public var clients = 0
        /// Sources that are banned.
        public var banned = 0
        /// Packets that were not admitted.
        public var dropped: UInt64 = 0
    }

    /// How much there is now.
    public var statistics: Statistics {
        var sum = Statistics()
        for shard in shards {
            shard.sources.withLock { sources in
                sum.sources += sources.homes.count
                for home in sources.homes.values { sum.clients += Int(home.clients) }
                sum.banned += sources.banned
                sum.dropped &+= sources.dropped
            }
        }
        return sum
    }
}

extension BanReport {
    fileprivate init(_ kind: Kind, _ record: FailureRecords.Record) {
        self.init(
            key: record.key, kind: kind, source: kind == .login ? .none : record.source, login: record.login,
            failures: record.count, since: UnixTime(milliseconds: record.first),
            until: UnixTime(milliseconds: record.until), reason: record.reason)
    }
}

extension BanReport.Kind {
    /// The order of a listing.
    fileprivate var order: Int {
        switch self {
        case .source: 0
        case .login: 1
        case .attempt: 2
        }
    }
}
