/// Who may ask now, and who waits: so many requests at a time, of which one application gets half.
struct WebTurns {
    /// Requests under way at a time; as many may wait.
    var limit = 1000
    private var running = 0
    private var runningOf: [String: Int] = [:]
    private var waiting: [String: [WebExchange]] = [:]
    /// The applications with requests that wait, in the order of their turns.
    private var order: [String] = []
    private var waitingCount = 0

    /// True when nobody waits.
    var isEmpty: Bool { waitingCount == 0 }

    /// All that wait.
    var all: [WebExchange] { waiting.values.flatMap { $0 } }

    private var share: Int { max(1, limit / 2) }

    /// Adds a request; false when too many wait already.
    mutating func add(_ exchange: WebExchange, origin: String) -> Bool {
        // A flood for one application must not fill all places to wait.
        guard waitingCount < limit, waiting[origin, default: []].count < share else { return false }
        if waiting[origin] == nil { order.append(origin) }
        waiting[origin, default: []].append(exchange)
        waitingCount += 1
        return true
    }

    /// The next request that may begin, which is counted as running then; nil for none.
    mutating func next() -> (exchange: WebExchange, origin: String)? {
        guard running < limit else { return nil }
        for (index, origin) in order.enumerated() where runningOf[origin, default: 0] < share {
            guard var list = waiting[origin], !list.isEmpty else { continue }
            let exchange = list.removeFirst()
            order.remove(at: index)
            if list.isEmpty {
                waiting[origin] = nil
            } else {
                waiting[origin] = list
                order.append(origin)
            }
            waitingCount -= 1
            running += 1
            runningOf[origin, default: 0] += 1
            return (exchange, origin)
        }
        return nil
    }

    /// A request that was running has ended.
    mutating func ended(origin: String) {
        running -= 1
        if let count = runningOf[origin] { runningOf[origin] = count <= 1 ? nil : count - 1 }
    }

    /// Takes out the requests whose deadline came while they waited.
    mutating func expired(at now: UInt64) -> [WebExchange] {
        if waitingCount == 0 { return [] }
        var result: [WebExchange] = []
        for (origin, list) in waiting {
            // The first has waited longest.
            let late = list.prefix { now >= $0.deadline }
            if late.isEmpty { continue }
            result += late
            waitingCount -= late.count
            if late.count == list.count {
                waiting[origin] = nil
                order.removeAll { $0 == origin }
            } else {
                waiting[origin] = Array(list.dropFirst(late.count))
            }
        }
        return result
    }
}
