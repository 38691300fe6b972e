import DNSMessage
import Primitives

/// Turns names into places to try: all names at once, in virtual time, without a socket.
///
/// A resolution asks its questions of the table of hosts, of the cache, and then of the servers; the same question is
/// asked once, however many want it. What is to be sent and who has got an answer is in `effects`; the edge carries them
/// out, and tells what comes back.
public struct NameResolver: Sendable {
    /// What the resolver is told.
    public struct Settings: Sendable {
        /// The servers, the preferred first.
        public var servers: [SocketAddress]
        /// How long a try may take, in milliseconds.
        public var timeout: UInt64 = 2000
        /// How often each server is asked.
        public var attempts = 2
        /// NAPTR records are asked for (RFC 3263 section 4.1).
        public var usesNAPTR = true
        /// What the listeners can reach.
        public var reachability: Reachability
        /// Resolutions that wait at the same time.
        public var resolutionLimit = 4000
        /// Questions that wait at the same time.
        public var questionLimit = 10_000
        /// Answers that are kept.
        public var cacheCapacity = 10_000
        /// The memory that they may take, in bytes.
        public var cacheByteLimit = 16 << 20

        /// Settings with these servers and ways, all else at its default.
        public init(servers: [SocketAddress], reachability: Reachability) {
            self.servers = servers
            self.reachability = reachability
        }
    }

    /// What the edge is to do.
    public enum Effect: Sendable {
        /// Send a query; what comes of it is told by `received` or `failed` with its number.
        case send(UInt64, DNSQuery, to: SocketAddress, isStream: Bool)
        /// Nothing is expected for a query any more.
        case close(UInt64)
        /// A resolution has ended.
        case complete(UInt64, TargetAnswer)
    }

    /// What `resolve` gives.
    public enum Beginning: Sendable {
        case answered(TargetAnswer)
        /// The answer comes as an effect.
        case waits
    }

    /// A resolution that waits.
    private struct Job {
        let query: TargetQuery
        let requester: IPAddress
        let seed: HashKey
        var results: [Question: LookupResult] = [:]
        var pending: Set<Question> = []
        var failure: LookupFailure?
        /// Nothing more is waited for.
        var isOver = false
        /// There was no place to ask for something: nothing more is asked for.
        var isRefused = false
        var deadline = TimerReference.none
        var grace = TimerReference.none
    }

    /// The end of a resolution in milliseconds: before the request that waits for it gives up.
    public static let timeout: UInt64 = 4500
    /// How long further addresses are waited for when there is one already (as the delay of RFC 8305 section 3).
    public static let grace: UInt64 = 500
    /// Questions of one resolution.
    private static let questionsPerResolution = 48

    /// What it was told.
    public private(set) var settings: Settings
    /// The names that are not asked for.
    public var hosts = HostTable()
    /// What is to be done, in order; the edge takes it out.
    public var effects: [Effect] = []
    private var jobs: [UInt64: Job] = [:]
    private var jobShares: Shares
    var questionShares: Shares
    var cache: LookupCache
    var lookups: [Question: Lookup] = [:]
    var questionsByQuery: [UInt64: Question] = [:]
    var timers: TimerWheel<ResolverTimer>
    var random: RandomNumbers
    var health: [SocketAddress: ServerHealth] = [:]
    private var lastQuery: UInt64 = 0

    /// A resolver with nothing known; `key` is a secret that makes its queries unpredictable.
    public init(_ settings: Settings, key: HashKey, now: Instant) {
        self.settings = settings
        jobShares = Shares(limit: settings.resolutionLimit)
        questionShares = Shares(limit: settings.questionLimit)
        cache = LookupCache(capacity: settings.cacheCapacity, byteLimit: settings.cacheByteLimit)
        timers = TimerWheel(now: now)
        random = RandomNumbers(key: key)
    }

    /// Resolutions and questions that wait, and answers that are kept.
    public var sizes: (resolutions: Int, questions: Int, answers: Int) {
        (jobs.count, lookups.count, cache.count)
    }

    /// When `tick` must be called next; nil when nothing is waited for.
    public var nextWake: Instant? { timers.nextWake }

    // MARK: Events

    /// Begins a resolution, whose end is told with `number`.
    ///
    /// - Parameter requester: Who it is for: one may have an eighth of all resolutions, and of all questions, when more
    ///   than half of them are in use.
    public mutating func resolve(
        _ query: TargetQuery, for number: UInt64, requester: IPAddress, now: Instant
    ) -> Beginning {
        var job = Job(query: query, requester: requester, seed: HashKey(random.next(), random.next()))
        // Before it counts: what is known needs no place.
        job.isRefused = !jobShares.hasPlace(for: requester)
        if let answer = advance(&job, number, now) {
            leave(job, number)
            return .answered(answer)
        }
        let owner = ResolverTimer(kind: .resolution, number: number)
        job.deadline = timers.schedule(at: now.advanced(byMilliseconds: Self.timeout), owner)
        jobs[number] = job
        jobShares.take(for: requester)
        return .waits
    }

    /// Lets the timers that are due fire.
    public mutating func tick(now: Instant) {
        while let timer = timers.popExpired(now) {
            switch timer.kind {
            case .query: failed(timer.number, .timeout, now: now)
            case .resolution, .grace:
                jobs[timer.number]?.isOver = true
                goOn(timer.number, now)
            }
        }
    }

    /// Takes other servers from now on. What was learned from the old ones is forgotten.
    public mutating func replaceServers(_ servers: [SocketAddress]) {
        guard servers != settings.servers else { return }
        settings.servers = servers
        health = [:]
        cache.removeAll()
    }

    // MARK: Resolutions

    /// Gives the answer of a question to all that wait for it.
    mutating func deliver(
        _ result: LookupResult, _ failure: LookupFailure?, of question: Question, to waiting: Set<UInt64>,
        _ now: Instant
    ) {
        // In the order in which they began.
        for number in waiting.sorted() {
            guard jobs[number]?.pending.remove(question) != nil else { continue }
            jobs[number]?.results[question] = result
            if let failure { jobs[number]?.failure = failure }
            goOn(number, now)
        }
    }

    private mutating func goOn(_ number: UInt64, _ now: Instant) {
        guard var job = jobs.removeValue(forKey: number) else { return }
        guard let answer = advance(&job, number, now) else {
            jobs[number] = job
            return
        }
        timers.cancel(job.deadline)
        timers.cancel(job.grace)
        jobShares.release(for: job.requester)
        leave(job, number)
        effects.append(.complete(number, answer))
    }

    /// Lets a resolution that has ended wait for its questions no more.
    private mutating func leave(_ job: Job, _ number: UInt64) {
        for question in job.pending { lookups[question]?.waiting.remove(number) }
    }

    /// Takes a resolution as far as it goes now; nil while it waits.
    private mutating func advance(_ job: inout Job, _ number: UInt64, _ now: Instant) -> TargetAnswer? {
        while true {
            let results = job.results
            var resolution = TargetResolution(
                job.query, settings.reachability, usesNAPTR: settings.usesNAPTR, seed: job.seed,
                known: { results[$0] })
            switch resolution.step() {
            case .done(.failure(let failure)):
                // "There is none" is only true when all could be asked.
                if failure == .noAddress, job.isRefused { return .failure(.busy) }
                if failure == .noAddress, let failure = job.failure { return .failure(.servers(failure)) }
                return .failure(failure)
            case .done(let answer): return answer
            case .needs(let questions, let candidates):
                if job.isOver, !candidates.isEmpty { return .candidates(candidates) }
                var hasNews = false
                for question in questions where !job.pending.contains(question) || job.isOver {
                    if let result = answer(question, &job, number, now) {
                        job.results[question] = result
                        hasNews = true
                    }
                }
                if hasNews { continue }
                if !candidates.isEmpty, job.grace == .none {
                    let owner = ResolverTimer(kind: .grace, number: number)
                    job.grace = timers.schedule(at: now.advanced(byMilliseconds: Self.grace), owner)
                }
                return nil
            }
        }
    }

    /// What is known about a question now; nil after it was asked.
    private mutating func answer(
        _ question: Question, _ job: inout Job, _ number: UInt64, _ now: Instant
    ) -> LookupResult? {
        if let result = hosts.result(of: question) ?? cache.result(of: question, now: now) {
            if result == .failed { job.failure = job.failure ?? lastFailure(now) }
            return result
        }
        let mayAsk = job.results.count + job.pending.count < Self.questionsPerResolution
        // To wait for what somebody has asked already needs no place.
        if !job.isOver, mayAsk, lookups[question] == nil, !questionShares.hasPlace(for: job.requester) {
            job.isRefused = true
        }
        if job.isOver || job.isRefused || !mayAsk || settings.servers.isEmpty {
            if let stale = cache.staleResult(of: question, now: now) { return stale }
            if job.isOver { job.failure = job.failure ?? lookups[question]?.failure ?? lastFailure(now) }
            return .failed
        }
        // A host of the table has no NAPTR records either; it was given an address above when it is one.
        job.pending.insert(question)
        if lookups[question] != nil {
            lookups[question]?.waiting.insert(number)
        } else {
            ask(question, for: number, job.requester, now)
        }
        return nil
    }

    private func lastFailure(_ now: Instant) -> LookupFailure? {
        settings.servers.first.map { LookupFailure(server: $0, cause: health[$0]?.lastCause ?? .timeout) }
    }

    /// The number of a further query.
    mutating func nextQuery() -> UInt64 {
        lastQuery &+= 1
        return lastQuery
    }
}

/// What a timer of the resolver belongs to.
struct ResolverTimer: BitwiseCopyable, Sendable {
    enum Kind: UInt8, BitwiseCopyable, Sendable { case query, resolution, grace }

    var kind: Kind
    var number: UInt64
}
