import DNSMessage
import Primitives

/// Answers for as long as they hold, so many of them and so many bytes; the least recently used out first.
struct LookupCache: Sendable {
    private struct Entry {
        var question: Question
        var result: LookupResult
        var expires: Instant
        /// When it is not given any more, not even in place of no answer (RFC 8767).
        var ends: Instant
        var cost = 0
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
    private let byteLimit: Int
    private var places: [Question: Int] = [:]
    private var entries: [Entry] = []
    /// Places of `entries` that are free.
    private var free: [Int] = []
    /// The memory that the answers take, about.
    private(set) var byteCount = 0
    private var newest = -1
    private var oldest = -1

    init(capacity: Int, byteLimit: Int) {
        self.capacity = max(1, capacity)
        self.byteLimit = byteLimit
    }

    var count: Int { places.count }

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
    mutating func removeAll() { self = LookupCache(capacity: capacity, byteLimit: byteLimit) }

    private mutating func store(_ question: Question, _ result: LookupResult, expires: Instant, ends: Instant) {
        if let place = places[question] { remove(place) }
        var entry = Entry(question: question, result: result, expires: expires, ends: ends)
        entry.cost = Self.cost(question, result)
        if entry.cost > byteLimit { return }
        while oldest >= 0, places.count >= capacity || byteCount + entry.cost > byteLimit { remove(oldest) }
        byteCount += entry.cost
        let place = free.popLast() ?? entries.count
        if place == entries.count { entries.append(entry) } else { entries[place] = entry }
        places[question] = place
        linkNewest(place)
    }

    private mutating func remove(_ place: Int) {
        unlink(place)
        places[entries[place].question] = nil
        byteCount -= entries[place].cost
        // What it holds goes at once.
        entries[place].result = .absent
        free.append(place)
    }

    /// The memory of an answer with its question, about: what stands in arrays, each with its head, and a place in the table.
    private static func cost(_ question: Question, _ result: LookupResult) -> Int {
        let head = 32
        func size(_ name: DNSName) -> Int { head + name.labels.capacity }
        var cost = MemoryLayout<Entry>.stride + 2 * MemoryLayout<(Question, Int)>.stride + size(question.name)
        switch result {
        case .alias(let name): cost += size(name)
        case .records(let values):
            cost += head + values.capacity * MemoryLayout<RecordValue>.stride
            for value in values {
                switch value {
                case .alias(let name): cost += size(name)
                case .service(let record): cost += size(record.target)
                case .namingAuthority(let record):
                    cost += size(record.replacement) + 2 * head + record.flags.capacity + record.services.capacity
                case .address, .startOfAuthority: break
                }
            }
        case .absent, .failed: break
        }
        return cost
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
