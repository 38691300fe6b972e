import Observability
import Primitives

/// The sources of one shard.
///
/// Strangers have places of fixed number: where they run out, the one that was silent longest is forgotten, so that a
/// flood with invented addresses fills nothing. Sources of clients are never forgotten; a client has at most one more of
/// them than devices.
struct SourceTable: Sendable {
    private struct Stranger {
        var source = Source.none
        var bucket = TokenBucket(level: 0, at: Instant(milliseconds: 0))
    }

    /// A source that clients have authenticated from, or have devices at.
    struct Home {
        var clients: UInt32
        var bucket: TokenBucket
        /// Failures that are still checked, beyond which only attempts of the source's own clients are.
        var failures: TokenBucket
    }

    private static let ways = 8
    /// Strangers that a shard remembers.
    static let strangerCount = 1024
    /// Bans that a shard remembers, those that have ended included.
    static let banCount = 128

    private var strangers: [Stranger] = []
    private(set) var homes: [Source: Home] = [:]
    private(set) var bans: [Source: Ban] = [:]
    /// Bans that have ended before their time, to be told by the next sweep.
    private var ended: [(source: Source, ban: Ban, end: BanChange.End)] = []
    /// True when there is something for a sweep to do.
    var needsSweep: Bool { !bans.isEmpty || !ended.isEmpty }
    /// The bans that have not ended.
    private(set) var banned = 0
    /// Packets that were not admitted.
    private(set) var dropped: UInt64 = 0

    // MARK: Packets

    /// Takes a packet of a source in; `place` is a part of its hash.
    @inline(__always)
    mutating func admits(_ source: Source, _ place: UInt64, _ sizes: Sizes, at now: Instant) -> Bool {
        if banned > 0, bans[source]?.isActive == true {
            dropped &+= 1
            return false
        }
        let isAdmitted: Bool
        if !homes.isEmpty, let index = homes.index(forKey: source) {
            isAdmitted = homes.values[index].bucket.take(sizes.home(homes.values[index].clients), at: now)
        } else {
            isAdmitted = admitStranger(source, place, sizes.stranger, at: now)
        }
        if !isAdmitted { dropped &+= 1 }
        return isAdmitted
    }

    private mutating func admitStranger(
        _ source: Source, _ place: UInt64, _ size: TokenBucket.Size, at now: Instant
    ) -> Bool {
        let index = self.place(of: source, place, size, at: now)
        return strangers[index].bucket.take(size, at: now)
    }

    /// The place of a stranger; of a new one that of the stranger who was silent longest.
    private mutating func place(
        of source: Source, _ place: UInt64, _ size: TokenBucket.Size, at now: Instant
    ) -> Int {
        // No memory in a shard before its first stranger.
        if strangers.isEmpty { strangers = [Stranger](repeating: Stranger(), count: Self.strangerCount) }
        let start = Int(truncatingIfNeeded: place % UInt64(Self.strangerCount / Self.ways)) &* Self.ways
        var oldest = start
        for index in start..<start + Self.ways {
            if strangers[index].source == source { return index }
            if strangers[index].bucket.time < strangers[oldest].bucket.time { oldest = index }
        }
        // The new one goes on with what its predecessor has left: else a scanner could have its empty bucket forgotten, and
        // get a full one, with a few packets of invented addresses. After two seconds' silence it is full anyway.
        if strangers[oldest].source == .none { strangers[oldest].bucket = TokenBucket(level: size.depth, at: now) }
        strangers[oldest].source = source
        return oldest
    }

    // MARK: Clients

    /// A client is one of the source from now on.
    mutating func gain(_ source: Source, _ place: UInt64, _ sizes: Sizes, at now: Instant) {
        if let index = homes.index(forKey: source) {
            // What it has saved up at the smaller size is its own.
            homes.values[index].bucket.fill(sizes.home(homes.values[index].clients), at: now)
            homes.values[index].clients &+= 1
            return
        }
        // It goes on with the bucket that it had as a stranger.
        let index = self.place(of: source, place, sizes.stranger, at: now)
        homes[source] = Home(
            clients: 1, bucket: strangers[index].bucket,
            failures: TokenBucket(level: sizes.failures(1).depth, at: now))
        // Whoever knows a password there is no scanner.
        end(source, .known)
    }

    /// A client is no longer one of the source.
    mutating func lose(_ source: Source, _ place: UInt64, _ sizes: Sizes, at now: Instant) {
        guard let index = homes.index(forKey: source) else { return }
        homes.values[index].clients -= 1
        guard homes.values[index].clients == 0 else { return }
        let place = self.place(of: source, place, sizes.stranger, at: now)
        strangers[place].bucket = homes.values[index].bucket
        homes.remove(at: index)
    }

    /// True when a source of clients has had as many failures as are checked.
    mutating func hasTooManyFailures(_ source: Source, _ sizes: Sizes, at now: Instant) -> Bool {
        guard let index = homes.index(forKey: source) else { return false }
        homes.values[index].failures.fill(sizes.failures(homes.values[index].clients), at: now)
        return homes.values[index].failures.level < 1000
    }

    /// Counts a failure of a source of clients; false when it is none.
    mutating func countFailure(_ source: Source, _ sizes: Sizes, at now: Instant) -> Bool {
        guard let index = homes.index(forKey: source) else { return false }
        _ = homes.values[index].failures.take(sizes.failures(homes.values[index].clients), at: now)
        return true
    }

    // MARK: Bans

    /// Bans a source, for twice as long as the last time.
    mutating func ban(_ source: Source, _ ban: Ban, _ policy: AdmissionPolicy) {
        var ban = ban
        ban.duration = policy.banTime
        if let last = bans[source] {
            if last.isActive { return }
            ban.duration = last.duration &* 2
        } else if bans.count >= Self.banCount {
            forgetBan()
        }
        ban.duration = min(max(ban.duration, 1), max(policy.longestBan, 1))
        bans[source] = ban
        banned += 1
    }

    /// Makes room: what has ended goes first, then what ends first; new ones, whose end is not known yet, go last.
    private mutating func forgetBan() {
        let chosen = bans.min { left, right in
            if left.value.isActive != right.value.isActive { return !left.value.isActive }
            if left.value.isTold != right.value.isTold { return left.value.isTold }
            return left.value.end.milliseconds < right.value.end.milliseconds
        }
        guard let chosen else { return }
        end(chosen.key, .forgotten)
    }

    /// Ends a ban before its time, and forgets it; its end is told when its beginning was.
    private mutating func end(_ source: Source, _ end: BanChange.End) {
        guard let ban = lift(source), ban.isTold, ended.count < Self.banCount else { return }
        ended.append((source, ban, end))
    }

    /// Ends a ban and forgets it; nil when there is none that has not ended.
    mutating func lift(_ source: Source) -> Ban? {
        guard let ban = bans.removeValue(forKey: source) else { return nil }
        guard ban.isActive else { return nil }
        banned -= 1
        return ban
    }

    /// Starts the clock of new bans, ends those whose time is over, forgets those of long ago.
    mutating func sweep(_ policy: AdmissionPolicy, at now: Instant, _ tell: (Ban.Change) -> Void) {
        for (source, ban, end) in ended { tell(.ended(source, ban, end)) }
        ended = []
        guard !bans.isEmpty else { return }
        for source in Array(bans.keys) {
            guard var ban = bans[source] else { continue }
            if !ban.isTold {
                ban.isTold = true
                ban.end = now.advanced(byMilliseconds: ban.duration)
                tell(.banned(source, ban))
            } else if ban.isActive, now >= ban.end {
                ban.isActive = false
                banned -= 1
                tell(.ended(source, ban, .time))
            } else if !ban.isActive, now.milliseconds(since: ban.end) > policy.longestBan {
                bans[source] = nil
                continue
            }
            bans[source] = ban
        }
    }
}

/// The sizes of buckets that follow from a policy.
struct Sizes: Sendable {
    let stranger: TokenBucket.Size
    private let rate: Int64
    private let depth: Int64
    private let ratePerClient: Int64
    private let depthPerClient: Int64

    init(_ policy: AdmissionPolicy) {
        rate = Int64(max(1, policy.packetsPerSource))
        depth = Int64(max(1, policy.burst))
        ratePerClient = Int64(max(0, policy.packetsPerClient))
        // As many seconds' packets as strangers may send at once.
        depthPerClient = min(ratePerClient, TokenBucket.Size.limit) &* min(depth, 1_000_000) / rate
        stranger = TokenBucket.Size(rate: rate, depth: depth)
    }

    /// The size for a source of so many clients.
    @inline(__always)
    func home(_ clients: UInt32) -> TokenBucket.Size {
        // Each factor is below 2^31: no overflow.
        let clients = Int64(clients)
        return TokenBucket.Size(
            rate: rate &+ min(ratePerClient, 1_000_000) &* clients,
            depth: depth &+ min(depthPerClient, 1_000_000) &* clients)
    }

    /// How many failures of a source of so many clients are checked.
    func failures(_ clients: UInt32) -> TokenBucket.Size {
        TokenBucket.Size(rate: 2 &+ Int64(clients) / 20, depth: 20 &+ Int64(clients) / 2)
    }
}
