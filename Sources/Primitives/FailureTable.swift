import Synchronization

/// Counts failed attempts of whatever a keyed hash stands for: a source address, or an address with a login, known or not.
///
/// Of fixed size: when a set of places is full, the count that was raised longest ago is forgotten. Somebody with very
/// many addresses can thus hide, but neither fill the memory nor lock anybody out.
public final class FailureTable: Sendable {
    private struct Place {
        var tag: UInt64 = 0
        var count: UInt32 = 0
        var last: Int64 = 0
    }

    private final class Shard: Sendable {
        let places = Mutex([Place](repeating: Place(), count: FailureTable.placesPerShard))
    }

    private static let placesPerShard = 1024
    private static let ways = 4
    private let shards: [Shard]
    private let windowLength: Atomic<Int64>
    private let hasFailures = Atomic(false)

    /// A table that remembers a failure for `window` milliseconds after the last one.
    public init(window: Int64) {
        windowLength = Atomic(window)
        shards = (0..<16).map { _ in Shard() }
    }

    /// For how long a failure is remembered after the last one, in milliseconds.
    public var window: Int64 {
        get { windowLength.load(ordering: .relaxed) }
        set { windowLength.store(newValue, ordering: .relaxed) }
    }

    /// False when nobody has failed yet: a success then costs nothing.
    public var isUsed: Bool { hasFailures.load(ordering: .relaxed) }

    private func shard(of key: HashValue) -> Shard { shards[Int(key.first % UInt64(shards.count))] }

    private static func places(of key: HashValue) -> Range<Int> {
        let start = Int(key.first >> 8 % UInt64(placesPerShard / ways)) * ways
        return start..<start + ways
    }

    /// Counts one more failure and gives the count with it.
    public func add(_ key: HashValue, now: UnixTime) -> UInt32 {
        hasFailures.store(true, ordering: .relaxed)
        let window = window
        return shard(of: key).places.withLock { places in
            var chosen = Self.places(of: key).lowerBound
            for index in Self.places(of: key) {
                if now.milliseconds &- places[index].last > window { places[index].count = 0 }
                if places[index].count > 0, places[index].tag == key.second {
                    chosen = index
                    break
                }
                if places[index].count == 0 || places[index].last < places[chosen].last && places[chosen].count > 0 {
                    chosen = index
                }
            }
            if places[chosen].tag != key.second { places[chosen].count = 0 }
            places[chosen].tag = key.second
            places[chosen].last = now.milliseconds
            if places[chosen].count < UInt32.max { places[chosen].count += 1 }
            return places[chosen].count
        }
    }

    /// The failures counted under a key.
    public func count(of key: HashValue, now: UnixTime) -> UInt32 {
        shard(of: key).places.withLock { places in
            // A place that has expired keeps its tag; the key may be counted in a later one of the set.
            for index in Self.places(of: key) where places[index].tag == key.second && places[index].count > 0 {
                return now.milliseconds &- places[index].last > window ? 0 : places[index].count
            }
            return 0
        }
    }

    /// Forgets the failures after a success.
    public func reset(_ key: HashValue) {
        shard(of: key).places.withLock { places in
            for index in Self.places(of: key) where places[index].tag == key.second { places[index].count = 0 }
        }
    }
}
