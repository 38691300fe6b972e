import DNSMessage
import Primitives

/// Answers for as long as they hold, the least recently used out first.
struct LookupCache: Sendable {
    private struct Entry {
        var question: Question
        var result: LookupResult
        var expires: Instant
        /// When it is not given any more, not even in place of no answer (RFC 8767).
        var ends: Instant
        var newer = -1
        var older = -1
    }

    /// The bounds of a positive answer's time.
    static let positive: ClosedRange<UInt32> = 1...86400
    /// The bounds of the time of an answer that there is nothing.
    static let negative: ClosedRange<UInt32> = 5...300
    /// How long no server is asked again when none could answer, in milliseconds.
    static let failureTime: UInt64 = 5000
    /// How long an answer that has expired is still good when no server can answer, in milliseconds.
    static let staleTime: UInt64 = 3_600_000
    /// How long such an answer is given before the servers are asked again (RFC 8767 section 5: 30 s).
    static let staleRetry: UInt64 = 30_000

    private let capacity: Int
    private var places: [Question: Int] = [:]
    private var entries: [Entry] = []
    private var newest = -1
    private var oldest = -1

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { entries.count }

    /// Keeps what a server has said, for `seconds` within bounds.
    mutating func insert(_ question: Question, _ result: LookupResult, seconds: UInt32, now: Instant) {
        let bounds = result == .absent ? Self.negative : Self.positive
        let time = UInt64(min(max(seconds, bounds.lowerBound), bounds.upperBound)) * 1000
        store(
            question, result, expires: now.advanced(byMilliseconds: time),
            ends: now.advanced(byMilliseconds: time + Self.staleTime))
    }

    /// Notes that no server could say. An answer from before that is still good enough goes on for a while.
    ///
    /// - Returns: That answer.
    mutating func noteFailure(_ question: Question, now: Instant) -> LookupResult? {
        if let place = places[question], entries[place].result != .failed, now < entries[place].ends {
            let retry = now.advanced(byMilliseconds: Self.staleRetry)
            entries[place].expires = max(entries[place].expires, min(retry, entries[place].ends))
            return entries[place].result
        }
        let end = now.advanced(byMilliseconds: Self.failureTime)
        store(question, .failed, expires: end, ends: end)
        return nil
    }

    /// What holds now.
    mutating func result(of question: Question, now: Instant) -> LookupResult? {
        guard let place = places[question], now < entries[place].expires else { return nil }
        unlink(place)
        linkNewest(place)
        return entries[place].result
    }

    /// The answer, if need be one that has expired, but is good enough when no server can answer.
    func staleResult(of question: Question, now: Instant) -> LookupResult? {
        guard let place = places[question], entries[place].result != .failed, now < entries[place].ends else {
            return nil
        }
        return entries[place].result
    }

    /// Forgets everything, after the servers were changed.
    mutating func removeAll() { self = LookupCache(capacity: capacity) }

    private mutating func store(_ question: Question, _ result: LookupResult, expires: Instant, ends: Instant) {
        if let place = places[question] {
            entries[place].result = result
            entries[place].expires = expires
            entries[place].ends = ends
            unlink(place)
            linkNewest(place)
            return
        }
        var place = entries.count
        let entry = Entry(question: question, result: result, expires: expires, ends: ends)
        if entries.count < capacity {
            entries.append(entry)
        } else {
            place = oldest
            unlink(place)
            places[entries[place].question] = nil
            entries[place] = entry
        }
        places[question] = place
        linkNewest(place)
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (entries[place].newer, entries[place].older)
        if newer >= 0 { entries[newer].older = older } else { newest = older }
        if older >= 0 { entries[older].newer = newer } else { oldest = newer }
    }

    private mutating func linkNewest(_ place: Int) {
        entries[place].newer = -1
        entries[place].older = newest
        if newest >= 0 { entries[newest].newer = place } else { oldest = place }
        newest = place
    }
}
