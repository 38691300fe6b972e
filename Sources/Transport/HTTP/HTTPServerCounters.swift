import Synchronization

/// What the HTTP server did since its start.
public struct HTTPServerCounters: Hashable, Sendable {
    /// Connections accepted.
    public var accepted: UInt64 = 0
    /// Connections open now.
    public var open: UInt64 = 0
    /// Connections refused because of a limit, or because no descriptor was left.
    public var refused: UInt64 = 0
    /// Requests that were complete.
    public var requests: UInt64 = 0
    /// Responses with a status from 400 to 499, also those to what was no request.
    public var clientFailures: UInt64 = 0
    /// Responses with a status from 500 on.
    public var serverFailures: UInt64 = 0
    /// Requests that were answered 503 because too many were waiting.
    public var saturated: UInt64 = 0
    /// Connections closed because the peer was too slow with a request or in taking a response.
    public var timeouts: UInt64 = 0
}

/// The counters as they are counted, by the loop alone.
final class HTTPTally: Sendable {
    let accepted = Atomic<UInt64>(0)
    let open = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let requests = Atomic<UInt64>(0)
    let clientFailures = Atomic<UInt64>(0)
    let serverFailures = Atomic<UInt64>(0)
    let saturated = Atomic<UInt64>(0)
    let timeouts = Atomic<UInt64>(0)

    /// Counts a response by its status.
    func count(status: Int) {
        if status >= 500 { serverFailures.count() } else if status >= 400 { clientFailures.count() }
    }

    /// The counters now.
    var counters: HTTPServerCounters {
        HTTPServerCounters(
            accepted: accepted.load(ordering: .relaxed), open: open.load(ordering: .relaxed),
            refused: refused.load(ordering: .relaxed), requests: requests.load(ordering: .relaxed),
            clientFailures: clientFailures.load(ordering: .relaxed),
            serverFailures: serverFailures.load(ordering: .relaxed), saturated: saturated.load(ordering: .relaxed),
            timeouts: timeouts.load(ordering: .relaxed))
    }
}
