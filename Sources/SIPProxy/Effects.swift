import Admission
import Observability
import Primitives
import SIPRegistrar

/// What one worker has at hand while it handles events, and what the events want done.
///
/// The deciding code fills it; the edge empties it at the end of each batch: sends the outbox, writes the log, hands
/// the binding changes to the store.
public struct Effects: ~Copyable {
    /// The messages to send.
    public var outbox = Outbox()
    /// The log lines to write.
    public var log: LogBuffer
    /// Changes of bindings, each with the answer that waits for its commit.
    public var registrations: [StoredAnswer] = []
    /// Changes of the records of calls and texts, in their order.
    public var records: [RecordChange] = []
    /// Names to resolve; `SIPServer.resolved` takes the addresses.
    public var resolutions: [Resolution] = []

    /// True when there is something for the store.
    @inlinable public var hasChanges: Bool { !registrations.isEmpty || !records.isEmpty }

    /// What keeps one source from filling the log with refusals.
    private var limiter: LogLimiter
    /// Who knows the sources of clients.
    private let admission: Admission

    /// Empty effects that write log lines up to a level; `key` is a secret of the limiter of lines, `lines` what all of
    /// them share.
    public init(log: consuming LogBuffer, key: HashKey, admission: Admission, lines: SharedLines) {
        self.log = log
        self.admission = admission
        limiter = LogLimiter(key: key, shared: lines)
    }

    /// Starts the line of a refusal, unless its source has had its share of lines.
    mutating func beginRefusal(_ event: LogEvent, _ subject: ByteSlice, from flow: Flow, _ now: Now) -> Bool {
        guard log.accepts(event) else { return false }
        let source = flow.remote.address
        if event.level != .debug,
            !limiter.admits(source, event, subject, isKnown: admission.isKnown(source), at: now.instant)
        {
            return false
        }
        guard log.begin(event, at: now.unix) else { return false }
        log.field("src", source: flow)
        return true
    }

    /// Writes what the limiter has left out, when it is time.
    public mutating func logSuppressions(now: Now) {
        for suppression in limiter.takeSuppressions(at: now.instant) {
            guard log.begin(.logSuppressed, at: now.unix) else { continue }
            if let source = suppression.source { log.field("src", source) }
            log.field("lines", number: Int64(suppression.lines))
            log.field(
                "what",
                suppression.source != nil
                    ? "refusals of requests from this address"
                    : "refusals of requests from addresses without clients")
            log.end()
        }
    }
}

/// An answer that promises that something is stored, with what is to be stored.
public struct StoredAnswer: Sendable {
    /// What the store must commit first.
    public var changes: [BindingChange]
    /// Where the answer goes.
    public var flow: Flow
    /// The answer; empty when it was given already.
    public var response: [UInt8]
}
