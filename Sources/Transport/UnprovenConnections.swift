/// The connections on which nobody has proved who he is, from the oldest to the newest.
struct UnprovenConnections {
    private var order: [UInt64] = []
    /// Where in `order` the oldest is.
    private var first = 0
    private var members: Set<UInt64> = []

    /// How many there are.
    var count: Int { members.count }

    /// Adds a connection, the newest.
    mutating func insert(_ identifier: UInt64) {
        if members.insert(identifier).inserted { order.append(identifier) }
        // What has left stays in the order until it is the larger part of it.
        if order.count - first > 2 * members.count + 64 || first > order.count / 2 + 64 {
            order = order[first...].filter { members.contains($0) }
            first = 0
        }
    }

    /// Takes a connection out: it has proved something, or is gone. False when it was not there.
    @discardableResult
    mutating func remove(_ identifier: UInt64) -> Bool { members.remove(identifier) != nil }

    /// Takes the oldest out; nil when there is none.
    mutating func takeOldest() -> UInt64? {
        while first < order.count {
            let identifier = order[first]
            first += 1
            if members.remove(identifier) != nil { return identifier }
        }
        return nil
    }
}
