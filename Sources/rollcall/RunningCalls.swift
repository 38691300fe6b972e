import Glibc
import Primitives
import Store

/// What still goes on when the server is to end.
struct RunningCalls: Equatable {
    /// Calls that have begun, and whose end was not heard of; nil when the database does not tell.
    var calls: Int?
    /// Requests that are under way: of SIP, texts among them, and to applications.
    var requests: Int

    /// True when nobody would notice the end.
    var isNone: Bool { calls == 0 && requests == 0 }

    /// Counts what goes on now. The proxy keeps no dialogs: the records of calls know which are open.
    static func count(_ parts: DaemonParts, _ store: Store?) -> RunningCalls {
        let requests = parts.server.requestsUnderWay + parts.applications.pending
        // An answer that is on its way into the database is a call as well; a database that stands still is not waited for.
        for _ in 0..<10 where parts.writer.statistics().queued > 0 { usleep(10_000) }
        return RunningCalls(calls: (try? store?.openCallCount()).map { Int(clamping: $0) }, requests: requests)
    }
}
