import DNSMessage
import Primitives

/// A question that the servers are being asked.
struct Lookup: Sendable {
    let question: Question
    /// The resolutions that wait for the answer.
    var waiting: Set<UInt64>
    /// Who asked first, of whose share it is.
    let requester: IPAddress
    /// The servers in the order in which they are asked.
    let servers: [SocketAddress]
    /// The number of the query of the present try; 0 before the first.
    var number: UInt64 = 0
    var query: DNSQuery?
    var timer = TimerReference.none
    /// Tries so far.
    var tries = 0
    var isStream = false
    var isExtended = true
    /// The server does not keep the case of letters: it is not asked to in further tries.
    var isCaseLost = false
    /// What became of the last try.
    var failure: LookupFailure?

    /// The server of the present try.
    var server: SocketAddress { servers[max(0, tries - 1) % servers.count] }
}

/// How a server has done of late; it only changes the order in which servers are asked.
struct ServerHealth: Sendable {
    /// Tries that failed since it answered last.
    var failures = 0
    var lastFailure = Instant(milliseconds: 0)
    var lastCause = LookupFailure.Cause.timeout

    /// Failures that make it the last choice: one dead name is not the server's fault.
    private static let limit = 3
    /// How long it is the last choice, in milliseconds.
    private static let time: UInt64 = 30_000

    func isSuspect(_ now: Instant) -> Bool {
        failures >= Self.limit && now.milliseconds(since: lastFailure) < Self.time
    }
}

extension NameResolver {
    /// Asks the servers a question that nobody has asked yet.
    mutating func ask(_ question: Question, for number: UInt64, _ requester: IPAddress, _ now: Instant) {
        let servers =
            settings.servers.filter { health[$0]?.isSuspect(now) != true }
            + settings.servers.filter { health[$0]?.isSuspect(now) == true }
        guard !servers.isEmpty else { return }
        lookups[question] = Lookup(question: question, waiting: [number], requester: requester, servers: servers)
        questionShares.take(for: requester)
        tryNext(question, now)
    }

    /// Sends the query of the next try, or ends the question when there were enough.
    private mutating func tryNext(_ question: Question, _ now: Instant) {
        guard var lookup = lookups[question] else { return }
        close(&lookup)
        if lookup.tries > 0, lookup.waiting.isEmpty, cache.staleResult(of: question, now: now) == nil {
            // All who waited have gone. That no server could say is only known when each was asked.
            end(lookup)
            if lookup.tries >= lookup.servers.count { _ = cache.noteFailure(question, now: now) }
            return
        }
        if lookup.tries >= lookup.servers.count * max(1, settings.attempts) {
            end(lookup)
            let result = cache.noteFailure(question, now: now) ?? .failed
            deliver(result, lookup.failure, of: question, to: lookup.waiting, now)
            return
        }
        lookup.tries += 1
        lookup.isStream = false
        send(&lookup, now)
        // Whoever has an old answer does not wait for the second try (RFC 8767 section 5).
        var waiting: Set<UInt64> = []
        if lookup.tries > 1, cache.staleResult(of: question, now: now) != nil { swap(&waiting, &lookup.waiting) }
        lookups[question] = lookup
        if !waiting.isEmpty, let result = cache.noteFailure(question, now: now) {
            deliver(result, nil, of: question, to: waiting, now)
        }
    }

    private mutating func send(_ lookup: inout Lookup, _ now: Instant) {
        lookup.number = nextQuery()
        let query = DNSQuery(
            lookup.question, identifier: UInt16(truncatingIfNeeded: random.next()),
            letters: lookup.isStream || lookup.isCaseLost ? 0 : random.next(), isExtended: lookup.isExtended)
        lookup.query = query
        questionsByQuery[lookup.number] = lookup.question
        lookup.timer = timers.schedule(
            at: now.advanced(byMilliseconds: settings.timeout), ResolverTimer(kind: .query, number: lookup.number))
        effects.append(.send(lookup.number, query, to: lookup.server, isStream: lookup.isStream))
    }

    private mutating func close(_ lookup: inout Lookup) {
        if lookup.number == 0 { return }
        timers.cancel(lookup.timer)
        questionsByQuery[lookup.number] = nil
        effects.append(.close(lookup.number))
        lookup.number = 0
    }

    /// Forgets a question whose query is closed.
    private mutating func end(_ lookup: Lookup) {
        lookups[lookup.question] = nil
        questionShares.release(for: lookup.requester)
    }

    // MARK: Events

    /// Handles what came where answers to `queries` are awaited, from the server that they went to.
    ///
    /// - Returns: False for what answers none of them: somebody guesses, or it comes late.
    public mutating func received(_ bytes: ByteSlice, among queries: some Sequence<UInt64>, now: Instant) -> Bool {
        guard let header = DNSHeader(bytes) else { return false }
        for number in queries {
            guard let question = questionsByQuery[number], let lookup = lookups[question],
                let query = lookup.query, header.identifier == query.identifier
            else { continue }
            switch header.match(query) {
            case .none: continue
            case .exceptCase where !lookup.isStream:
                // The server does not keep the case, or somebody guesses the rest: over TCP nobody can.
                lookups[question]?.isCaseLost = true
                repeatOverStream(question, now)
            case .exact, .exceptCase: answered(question, DNSResponse(bytes), now)
            }
            return true
        }
        return false
    }

    /// Handles the news that a query failed: it could not be sent, its server is unreachable, its connection ended.
    public mutating func failed(_ number: UInt64, _ cause: LookupFailure.Cause = .unreachable, now: Instant) {
        guard let question = questionsByQuery[number] else { return }
        tryFailed(question, cause, now)
    }

    private mutating func tryFailed(_ question: Question, _ cause: LookupFailure.Cause, _ now: Instant) {
        guard let server = lookups[question]?.server else { return }
        health[server, default: ServerHealth()].failures += 1
        health[server]?.lastFailure = now
        health[server]?.lastCause = cause
        lookups[question]?.failure = LookupFailure(server: server, cause: cause)
        tryNext(question, now)
    }

    private mutating func repeatOverStream(_ question: Question, _ now: Instant) {
        guard var lookup = lookups[question] else { return }
        close(&lookup)
        lookup.isStream = true
        send(&lookup, now)
        lookups[question] = lookup
    }

    private mutating func answered(_ question: Question, _ response: DNSResponse?, _ now: Instant) {
        guard var lookup = lookups[question] else { return }
        guard let response else { return tryFailed(question, .malformed, now) }
        if response.isTruncated {
            if lookup.isStream { return tryFailed(question, .malformed, now) }
            return repeatOverStream(question, now)
        }
        switch response.code {
        case .noError, .nameError:
            health[lookup.server] = nil
            let (result, time) = response.result(of: question)
            if result == .failed { return tryFailed(question, .malformed, now) }
            close(&lookup)
            end(lookup)
            cache.insert(question, result, seconds: time, now: now)
            deliver(result, nil, of: question, to: lookup.waiting, now)
        case .formatError where lookup.isExtended, .notImplemented where lookup.isExtended:
            // RFC 6891 section 6.2.2: a server that does not know EDNS is asked without.
            close(&lookup)
            lookup.isExtended = false
            send(&lookup, now)
            lookups[question] = lookup
        default: tryFailed(question, .code(response.code), now)
        }
    }
}
