import Glibc
import Primitives
import SIPMessage
import Synchronization

/// A TCP connection. Its loop reads; any thread may send.
///
/// The descriptor is closed when the last holder of the object lets go, so its number cannot be reused under a sender.
final class Connection: @unchecked Sendable {
    // Unchecked: `input` is touched by the thread of the owning loop only; all else is constant or behind the lock.

    /// What became of bytes to be sent.
    enum Sent { case sent, closed, full }

    /// What only the owning loop knows.
    struct Input: ~Copyable {
        var framer: StreamFramer
        /// When bytes came last.
        var last: Instant
        /// Since when a message is incomplete.
        var partialSince: Instant?
        /// When a connection that is not read any more is to be closed.
        var closesAt: Instant?
        /// When the connection was made.
        let since: Instant
        /// What of the framer's bytes is counted in `memory`.
        var counted = 0
    }

    /// What waits to be written.
    private struct Output {
        var state: State
        var bytes: [UInt8] = []
        /// The part of `bytes` that was written.
        var written = 0
        /// Messages that want to hear of a failure, with the position in the stream where each ends.
        var origins: [(end: UInt64, origin: UInt64)] = []
        /// The position in the stream of the first byte of `bytes`.
        var position: UInt64 = 0
        /// When the peer last took something, or when something had to wait first.
        var progress: Instant
        var reads = true
        /// Why we have shut it down.
        var cause: CloseCause?

        var waiting: Int { bytes.count - written }
    }

    private enum State { case connecting, open, closed }

    /// The connection as a flow, with its identifier.
    let flow: Flow
    /// The loop that reads it.
    let owner: ConnectionOwner
    /// True when the peer connected to us.
    let wasAccepted: Bool
    /// What only the owning loop touches.
    var input: Input
    /// True once somebody has proved on it who he is; always for one that we have opened.
    var isProven: Bool { proven.load(ordering: .relaxed) }
    private let proven: Atomic<Bool>
    /// A ping was sent whose answer is not read yet.
    private let isPinged = Atomic(false)
    private let descriptor: FileDescriptor
    private let currentLimits: Replaceable<TransportLimits>
    private var limits: TransportLimits { currentLimits.value }
    private let memory: StreamMemory
    private let output: Mutex<Output>

    /// The identifier, never 0.
    var identifier: UInt64 { flow.connection }

    /// The number for system calls, good while this object is held.
    var number: Int32 { descriptor.number }

    /// A connection that was accepted, or one that is being opened.
    init(
        _ descriptor: consuming FileDescriptor, flow: Flow, owner: ConnectionOwner, wasAccepted: Bool, isOpen: Bool,
        limits: Replaceable<TransportLimits>, memory: StreamMemory, now: Instant
    ) {
        self.descriptor = descriptor
        self.flow = flow
        self.owner = owner
        self.wasAccepted = wasAccepted
        currentLimits = limits
        self.memory = memory
        proven = Atomic(!wasAccepted)
        input = Input(framer: StreamFramer(limit: limits.value.messageSize), last: now, since: now)
        output = Mutex(Output(state: isOpen ? .open : .connecting, progress: now))
    }

    /// Notes that somebody has proved on the connection who he is; false when that was known.
    func prove() -> Bool { !proven.exchange(true, ordering: .relaxed) }

    /// Has the owner's poller watch the connection.
    func watch() throws(SystemError) {
        // Under the lock: another thread may have found the connection by its peer, and left something to be written.
        let failure = output.withLock { output -> SystemError? in
            do throws(SystemError) {
                try owner.poller.add(number, events: events(output), token: identifier)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Sends a message: writes what the peer takes now, and keeps the rest until it takes more.
    func send(_ message: UnsafeRawBufferPointer, origin: UInt64) -> Sent {
        output.withLock { output in
            if output.state == .closed { return .closed }
            var rest = message[...]
            if output.state == .open, output.waiting == 0 {
                guard let count = try? System.write(number, message) else {
                    shutdown(number, Int32(SHUT_RDWR))
                    return .closed
                }
                rest = message[count...]
                output.position &+= UInt64(count)
                output.progress = System.coarseInstant()
                if rest.isEmpty { return .sent }
            }
            let isMemoryFull = memory.isFull(forProven: isProven)
            if isMemoryFull || output.waiting + rest.count > limits.outputSize {
                // A message that was begun and cannot be finished would garble the stream.
                output.cause = output.cause ?? (isMemoryFull ? .memory : .outputFull)
                shutdown(number, Int32(SHUT_RDWR))
                return .full
            }
            memory.add(rest.count)
            // Only an open connection starts to be slow here; one that is being opened counts from its start.
            if output.state == .open, output.waiting == 0 { output.progress = System.coarseInstant() }
            output.bytes.append(contentsOf: rest)
            if origin != 0 { output.origins.append((output.position &+ UInt64(output.bytes.count), origin)) }
            updateInterest(output)
            return .sent
        }
    }

    /// Sends an empty line that asks for one in answer (RFC 5626 section 4.4.1).
    func sendPing(_ line: UnsafeRawBufferPointer) -> Sent {
        isPinged.store(true, ordering: .relaxed)
        return send(line, origin: 0)
    }

    /// True when a ping was sent since the last call.
    func takePinged() -> Bool {
        isPinged.load(ordering: .relaxed) && isPinged.exchange(false, ordering: .relaxed)
    }

    /// Completes the opening when the socket turned writable; false when the connection failed.
    func becameWritable(_ now: Instant) -> Bool {
        output.withLock { output in
            if output.state == .closed { return false }
            if output.state == .connecting {
                if System.pendingError(number) != 0 { return false }
                output.state = .open
            }
            if output.waiting > 0 {
                let count = output.bytes.withUnsafeBytes { bytes in
                    try? System.write(number, UnsafeRawBufferPointer(rebasing: bytes[output.written...]))
                }
                guard let count else { return false }
                if count > 0 { output.progress = now }
                output.written += count
                memory.add(-count)
                let end = output.position &+ UInt64(output.written)
                output.origins.removeAll { $0.end <= end }
            }
            // What was written goes when it is the larger part, so that a slow peer does not cost quadratic time.
            if output.written > output.waiting {
                output.position &+= UInt64(output.written)
                output.bytes.removeFirst(output.written)
                output.written = 0
                if output.bytes.isEmpty { output.bytes = [] }
            }
            updateInterest(output)
            return true
        }
    }

    /// Stops reading; the connection is closed at `instant`, after what is being answered has left.
    func stopReading(closingAt instant: Instant) {
        input.closesAt = instant
        output.withLock { output in
            output.reads = false
            updateInterest(output)
        }
    }

    /// Ends the connection: the origins of the messages that did not leave, or nil when it was ended before.
    func finish() -> [UInt64]? {
        output.withLock { output in
            if output.state == .closed { return nil }
            output.state = .closed
            memory.add(-output.waiting)
            owner.poller.remove(number)
            shutdown(number, Int32(SHUT_RDWR))
            defer {
                output.bytes = []
                output.origins = []
            }
            return output.origins.map(\.origin)
        }
    }

    /// Counts what the framer holds; false when all connections together hold too much. Called by the owning loop.
    func countInput() -> Bool {
        let buffered = input.framer.bufferedCount
        if buffered == input.counted { return true }
        let isMore = buffered > input.counted
        memory.add(buffered - input.counted)
        input.counted = buffered
        return !isMore || !memory.isFull(forProven: isProven)
    }

    /// Counts nothing of the framer any more. Called by the owning loop at the end.
    func uncountInput() {
        memory.add(-input.counted)
        input.counted = 0
    }

    /// Shuts the connection down, for any thread; its loop then ends it. False when that was done or begun before.
    func shutDown(because cause: CloseCause) -> Bool {
        output.withLock { output in
            if output.state == .closed || output.cause != nil { return false }
            output.cause = cause
            shutdown(number, Int32(SHUT_RDWR))
            return true
        }
    }

    /// Why we have shut the connection down; nil when we have not.
    var shutDownCause: CloseCause? { output.withLock { $0.cause } }

    /// The limit of time that has passed, if any. Called by the owning loop.
    func overdue(_ now: Instant) -> CloseCause? {
        if let closesAt = input.closesAt, now >= closesAt { return .unreadable }
        if let since = input.partialSince, now.milliseconds(since: since) > limits.messageTime { return .slowMessage }
        if !isProven, now.milliseconds(since: input.since) > limits.unprovenTime { return .unproven }
        return output.withLock { output in
            let silence = now.milliseconds(since: output.progress)
            if output.state == .connecting { return silence > limits.connectTime ? .connectTimeout : nil }
            if output.waiting > 0 { return silence > limits.sendTime ? .sendTimeout : nil }
            return now.milliseconds(since: input.last) > limits.idleTime && silence > limits.idleTime ? .idle : nil
        }
    }

    private func updateInterest(_ output: Output) {
        if output.state == .closed { return }
        try? owner.poller.modify(number, events: events(output), token: identifier)
    }

    /// What the poller is to watch for.
    private func events(_ output: Output) -> UInt32 {
        var events = output.reads && output.state == .open ? Poller.readable : 0
        if output.waiting > 0 || output.state == .connecting { events |= Poller.writable }
        return events
    }
}
