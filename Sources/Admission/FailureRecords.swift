import Observability
import Primitives
import Synchronization

/// The failures of attempts, each kind under a keyed hash: of a login from a source, or of a login from anywhere.
///
/// Of fixed size. When a set of places is full, what has expired is forgotten first, then the fewest failures: somebody
/// who invents logins cannot have those of one that is guessed forgotten, but by as many failures.
final class FailureRecords: Sendable {
    /// Failures under one key.
    struct Record: Sendable {
        var key = HashValue(0, 0)
        var count: UInt32 = 0
        var source = Source.none
        var login: [UInt8] = []
        var reason = Reason.wrongPassword
        /// Times in milliseconds since 1970: of the first failure, of the last, of the last check, of the next one.
        var first: Int64 = 0
        var last: Int64 = 0
        var checked: Int64 = 0
        var until: Int64 = 0
    }

    /// Whether an attempt may be checked.
    enum Turn: Equatable {
        case free
        /// After so many milliseconds; the last check was `sinceCheck` ago.
        case waits(milliseconds: Int64, sinceCheck: Int64)
    }

    /// What a new failure is about.
    struct Failure {
        let source: Source
        let login: ByteSlice
        let reason: Reason
    }

    private final class Shard: Sendable {
        let records = Mutex<[Record]>([])
    }

    private static let ways = 4
    private static let shardCount = 16
    private let shards: [Shard]
    private let placesPerShard: Int
    private let windowLength: Atomic<Int64>
    private let pause: @Sendable (UInt32) -> Int64

    /// Records in at most `places` places.
    ///
    /// - Parameters:
    ///   - window: How long after the last failure they are remembered, in milliseconds.
    ///   - pause: The milliseconds to wait after so many failures; 0 for none.
    init(places: Int, window: Int64, pause: @escaping @Sendable (UInt32) -> Int64) {
        shards = (0..<Self.shardCount).map { _ in Shard() }
        placesPerShard = max(1, places / Self.shardCount / Self.ways) * Self.ways
        windowLength = Atomic(window)
        self.pause = pause
    }

    /// How long after the last failure they are remembered, in milliseconds.
    var window: Int64 {
        get { windowLength.load(ordering: .relaxed) }
        set { windowLength.store(newValue, ordering: .relaxed) }
    }

    private func shard(of key: HashValue) -> Shard { shards[Int(key.first % UInt64(Self.shardCount))] }

    private func places(of key: HashValue) -> Range<Int> {
        let start = Int(key.first >> 8 % UInt64(placesPerShard / Self.ways)) * Self.ways
        return start..<start + Self.ways
    }

    private func isExpired(_ record: Record, at now: Int64) -> Bool {
        record.count == 0 || now &- record.last > window && now >= record.until
    }

    private func find(_ key: HashValue, _ records: [Record], at now: Int64) -> Int? {
        if records.isEmpty { return nil }
        return places(of: key).first { records[$0].key == key && !isExpired(records[$0], at: now) }
    }

    /// Whether an attempt may be checked now; of several that wait for their turn one has it.
    func turn(_ key: HashValue, at now: UnixTime) -> Turn {
        let now = now.milliseconds
        return shard(of: key).records.withLock { records in
            guard let index = find(key, records, at: now) else { return .free }
            let pause = pause(records[index].count)
            if pause == 0 { return .free }
            if now < records[index].until {
                return .waits(
                    milliseconds: records[index].until &- now, sinceCheck: now &- records[index].checked)
            }
            records[index].until = now &+ pause
            records[index].checked = now
            return .free
        }
    }

    /// Notes that an attempt is checked though it was not its turn.
    func noteCheck(_ key: HashValue, at now: UnixTime) {
        shard(of: key).records.withLock { records in
            if let index = find(key, records, at: now.milliseconds) { records[index].checked = now.milliseconds }
        }
    }

    /// Counts a failure.
    ///
    /// - Returns: The failures with it, and the milliseconds to wait from now on.
    func add(_ key: HashValue, _ failure: Failure, at now: UnixTime) -> (count: UInt32, pause: Int64) {
        let now = now.milliseconds
        return shard(of: key).records.withLock { records in
            if records.isEmpty { records = [Record](repeating: Record(), count: placesPerShard) }
            let index = find(key, records, at: now) ?? replaceable(key, &records, at: now)
            records[index].count = records[index].count == UInt32.max ? UInt32.max : records[index].count + 1
            records[index].reason = failure.reason
            if records[index].first == 0 {
                records[index].first = now
                records[index].source = failure.source
                records[index].login = failure.login.prefix(64).bytes
            }
            records[index].last = now
            records[index].checked = now
            let pause = pause(records[index].count)
            records[index].until = max(records[index].until, now &+ pause)
            return (records[index].count, pause)
        }
    }

    /// A place that may be given to another key, emptied.
    private func replaceable(_ key: HashValue, _ records: inout [Record], at now: Int64) -> Int {
        let places = places(of: key)
        var chosen = places.lowerBound
        for index in places {
            if isExpired(records[index], at: now) {
                chosen = index
                break
            }
            if (records[index].count, records[index].last) < (records[chosen].count, records[chosen].last) {
                chosen = index
            }
        }
        records[chosen] = Record()
        records[chosen].key = key
        return chosen
    }

    /// Forgets the failures under a key; nil when there are none.
    @discardableResult
    func remove(_ key: HashValue) -> Record? {
        shard(of: key).records.withLock { records in
            guard !records.isEmpty,
                let index = places(of: key).first(where: { records[$0].key == key && records[$0].count > 0 })
            else { return nil }
            let record = records[index]
            records[index] = Record()
            return record
        }
    }

    /// What has to wait now.
    func waiting(at now: UnixTime) -> [Record] {
        shards.flatMap { shard in
            shard.records.withLock { records in
                records.filter { !isExpired($0, at: now.milliseconds) && pause($0.count) > 0 }
            }
        }
    }
}
