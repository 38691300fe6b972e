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
    /// Names to resolve; `SIPServer.resolved` takes the answers.
    public var resolutions: [Resolution] = []
    /// Requests to applications; `SIPServer.webhookAnswered` takes the answers that are wanted.
    public var webhooks: [PendingWebhook] = []
    /// Stream connections on which a client has proved who it is, or a dialog that we have let through.
    public var provenConnections: [UInt64] = []
    /// How much the worker has to do; under load requests that begin something are refused.
    public var load = LoadLevel.normal
    /// Requests of strangers that are served while the worker is busy.
    var strangers = Trickle(rate: 20)

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

    /// Notes that the peer behind a flow has proved that it may be here.
    @inline(__always)
    mutating func prove(_ flow: Flow) {
        if flow.connection != 0 { provenConnections.append(flow.connection) }
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

    /// Writes that a connection was refused or closed because of a limit, unless its source has had its share of lines.
    public mutating func logLimit(_ why: ByteSlice, of flow: Flow, now: Now) {
        guard beginRefusal(.flowLimited, why, from: flow, now) else { return }
        log.field("why", why)
        log.end()
    }

    /// Starts the line of a name that could not be resolved, unless who wanted it has had its share of lines.
    mutating func beginNameFailure(_ name: ByteSlice, from flow: Flow?, _ now: Now) -> Bool {
        guard log.accepts(.dnsError) else { return false }
        let source = flow?.remote.address ?? IPAddress(ipv4: 0)
        guard limiter.admits(source, .dnsError, name, at: now.instant) else { return false }
        guard log.begin(.dnsError, at: now.unix) else { return false }
        if let flow { log.field("src", source: flow) }
        return true
    }

    /// Writes that nothing could be sent to a peer, or that nothing came from it, unless it has had its share of lines: the end
    /// of each call and text is told anyway.
    ///
    /// - Parameter isTo: True when it is about what was sent to it.
    mutating func logTransportError(_ what: ByteSlice, _ flow: Flow, isTo: Bool, now: Now) {
        guard log.accepts(.transportError) else { return }
        let isAdmitted = withUnsafeBytes(of: flow.remote.port) { port in
            limiter.admits(flow.remote.address, .transportError, ByteSlice(port), at: now.instant)
        }
        guard isAdmitted, log.begin(.transportError, at: now.unix) else { return }
        log.field(isTo ? "dst" : "src", source: flow)
        log.field("what", what)
        log.end()
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
    /// What takes the changes back when they cannot be stored; nil when there is nothing to take back.
    public var undo: BindingUndo?
}
