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
    /// Names to resolve; `SIPServer.resolved` takes the addresses.
    public var resolutions: [Resolution] = []

    /// Empty effects that write log lines up to a level.
    public init(log: consuming LogBuffer) { self.log = log }
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
