import Primitives

/// What an event loop tells the protocol. All calls come on the loop's own thread.
public protocol EventLoopDelegate: AnyObject {
    /// A complete message: a datagram, or a framed message of a stream. Valid for the call.
    ///
    /// A head on a stream that has no usable Content-Length (RFC 3261 section 20.14), or one over the limit, comes too,
    /// without a body: it is to be answered 400 or 513 in this turn, for its connection is closed soon after.
    func received(_ message: ByteSlice, on flow: Flow, now: Now)
    /// A peer was heard on a stream between messages: it has sent a keepalive, which was answered, or the answer to ours.
    func heard(on flow: Flow, isAnswer: Bool, now: Now)
    /// True for a peer whose connections are not taken, and those it has are closed.
    func refuses(_ peer: IPAddress) -> Bool
    /// How many more connections than `TransportLimits.connectionsPerSource` a peer's source may have, for those who are
    /// known to be there; `Int.max` for no limit.
    func connectionAllowance(of peer: IPAddress) -> Int
    /// A stream ended: its connection identifier is never used again.
    func closed(_ flow: Flow, because cause: CloseCause, now: Now)
    /// A connection was not taken in.
    func refused(_ flow: Flow, because cause: CloseCause, now: Now)
    /// A message with a non-zero origin could not be sent (no route, connect failure, queue full, too big).
    func sendFailed(origin: UInt64, flow: Flow, now: Now)
    /// A datagram came back as undeliverable (ICMP): `original` is its beginning, at least as much as the network returned.
    func unreachable(_ original: ByteSlice, flow: Flow, now: Now)
    /// Called at least every 100 ms, and about every 10 ms while `isBusy` said so.
    func tick(now: Now)
    /// Whether short ticks are wanted (timers are running).
    var isBusy: Bool { get }
    /// End of a turn: the delegate hands its outbox to `loop.send(&outbox)`.
    func turnEnded(_ loop: EventLoop)
}

extension EventLoopDelegate {
    /// Keepalives matter only to who keeps bindings.
    public func heard(on flow: Flow, isAnswer: Bool, now: Now) {}

    /// Nobody is refused unless the delegate says so.
    public func refuses(_ peer: IPAddress) -> Bool { false }

    /// Nobody is known unless the delegate says so.
    public func connectionAllowance(of peer: IPAddress) -> Int { 0 }
}
