import NameResolution
import Primitives
import Synchronization

/// The places that names led to and that failed of late: they are tried last, so that a server that is down does not cost
/// every call its time (RFC 3263 section 4.3 leaves this to the client).
///
/// Nothing is ever left out because of it: what is known of one place can do no harm to others, and one answer from the
/// place ends it. The table is bounded; when it is full, what failed longest ago is forgotten.
final class UnreachablePlaces: Sendable {
    /// How long a failure is remembered, in milliseconds.
    static let time: UInt64 = 30_000
    private static let capacity = 1024

    private let failures = Mutex<[Candidate: Instant]>([:])
    /// Spares the lock while nothing has failed.
    private let isUsed = Atomic(false)

    /// Notes that nothing came from a place, or 503.
    func insert(_ place: Candidate, now: Instant) {
        failures.withLock { failures in
            if failures.count >= Self.capacity {
                failures = failures.filter { now.milliseconds(since: $0.value) < Self.time }
            }
            if failures.count >= Self.capacity, failures[place] == nil,
                let oldest = failures.min(by: { $0.value < $1.value })
            {
                failures[oldest.key] = nil
            }
            failures[place] = now
            isUsed.store(true, ordering: .relaxed)
        }
    }

    /// Notes that a place has answered.
    func remove(_ place: Candidate) {
        guard isUsed.load(ordering: .relaxed) else { return }
        failures.withLock { failures in
            failures[place] = nil
            if failures.isEmpty { isUsed.store(false, ordering: .relaxed) }
        }
    }

    /// The same places, those that failed of late behind the others.
    func ordered(_ places: [Candidate], now: Instant) -> [Candidate] {
        guard isUsed.load(ordering: .relaxed), places.count > 1 else { return places }
        let failures = failures.withLock { $0 }
        let hasFailed: (Candidate) -> Bool = { place in
            failures[place].map { now.milliseconds(since: $0) < Self.time } ?? false
        }
        return places.filter { !hasFailed($0) } + places.filter(hasFailed)
    }
}

extension Flow {
    /// The place that the flow leads to.
    var place: Candidate { Candidate(remote: remote, transport: transport) }
}
