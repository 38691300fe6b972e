import CLinux
import Glibc
import Primitives
import SIPMessage
import Synchronization

/// The loop of one worker on its own thread: waits for its sockets, hands up what they bring, keeps the limits of time.
public final class EventLoop: @unchecked Sendable {
    // Unchecked: after the start everything that changes is touched by the loop's thread only, but for what `owner` holds.

    /// The position among the loops.
    public let index: Int
    /// Who is told; set before the start.
    public var delegate: (any EventLoopDelegate)?

    private let datagramSockets: [DatagramSocket?]
    private let streamSockets: [StreamSocket?]
    private let table: ConnectionTable
    private let owner: ConnectionOwner
    private let counters: LoopCounters
    private let sender: Sender
    private let stopping = Atomic(false)
    /// When the last turn began, as milliseconds of the monotonic clock; for the watchdog.
    private let turnedAt = Atomic<UInt64>(0)
    private var batch = DatagramBatch(receiving: true)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)
    private var acceptPausedUntil: Instant?
    /// What this turn tells about the load.
    public private(set) var load = LoadSample()
    /// The time at which this turn began.
    public private(set) var turnStart = System.now()
    /// How many datagrams each socket has lost, as of the last look.
    private var lostDatagrams: [UInt32]

    init(
        index: Int, datagramSockets: [DatagramSocket?], streamSockets: [StreamSocket?], table: ConnectionTable,
        counters: LoopCounters
    ) throws(SystemError) {
        self.index = index
        self.datagramSockets = datagramSockets
        self.streamSockets = streamSockets
        self.table = table
        self.counters = counters
        owner = table.owners[index]
        lostDatagrams = datagramSockets.map { $0?.queue?.lost ?? 0 }
        sender = Sender(sockets: datagramSockets, table: table, owner: owner, counters: counters)
        events.initialize(repeating: epoll_event())
        try owner.poller.add(owner.mailbox.number, events: EPOLLIN.rawValue, token: Token.mailbox)
        for (listener, socket) in datagramSockets.enumerated() {
            guard let socket else { continue }
            try owner.poller.add(socket.number, events: EPOLLIN.rawValue, token: Token.datagrams | UInt64(listener))
        }
        for (listener, socket) in streamSockets.enumerated() {
            guard let socket else { continue }
            try owner.poller.add(socket.number, events: EPOLLIN.rawValue, token: Token.streams | UInt64(listener))
        }
    }

    deinit {
        buffer.deallocate()
        events.deallocate()
    }

    /// Sends the messages of the outbox and empties it. For the loop's own thread; others have a `Sender`.
    public func send(_ outbox: inout Outbox) { sender.send(&outbox) }

    /// Ends the loop's waiting, so that a turn ends soon. For any thread.
    public func wake() { owner.mailbox.wake() }

    /// When the loop last came round. A loop that works comes round ten times a second, also when nothing happens.
    public var lastTurn: Instant { Instant(milliseconds: turnedAt.load(ordering: .relaxed)) }

    /// Lets connections live on which somebody has proved who he is. For the loop's own thread.
    public func prove(_ connections: [UInt64]) {
        for identifier in connections {
            if let connection = owner.connection(identifier), connection.prove() { table.prove(connection) }
        }
    }

    /// Makes `run` return soon. For any thread.
    func stop() {
        stopping.store(true, ordering: .releasing)
        wake()
    }

    /// Runs until `stop`; the body of the loop's thread.
    func run() {
        guard let delegate else { preconditionFailure("an event loop needs a delegate") }
        clinux_name_thread("sip-\(index)")
        let sweepTime = table.limits.sweepTime
        var now = System.now()
        var lastTick = now.instant
        var lastSweep = now.instant
        while !stopping.load(ordering: .acquiring) {
            let tickTime: UInt64 = delegate.isBusy ? 10 : 100
            let elapsed = now.instant.milliseconds(since: lastTick)
            let timeout = elapsed < tickTime ? min(tickTime - elapsed, sweepTime) : 0
            let count = owner.poller.wait(events, timeout: Int32(timeout))
            now = System.now()
            turnedAt.store(now.instant.milliseconds, ordering: .relaxed)
            turnStart = now
            load = LoadSample()
            for index in 0..<count {
                handle(token: events[index].data.u64, events: events[index].events, delegate, now)
            }
            for failure in owner.mailbox.takeFailures() {
                delegate.sendFailed(origin: failure.origin, flow: failure.flow, now: now)
            }
            if now.instant.milliseconds(since: lastTick) >= tickTime {
                lastTick = now.instant
                delegate.tick(now: now)
            }
            if now.instant.milliseconds(since: lastSweep) >= sweepTime {
                lastSweep = now.instant
                sweep(delegate, now)
            }
            delegate.turnEnded(self)
        }
        for connection in owner.all where connection.finish() != nil { table.remove(connection) }
    }

    private func handle(token: UInt64, events: UInt32, _ delegate: any EventLoopDelegate, _ now: Now) {
        let listener = Int(token & Token.indexMask)
        switch token & Token.kindMask {
        case Token.datagrams:
            guard let socket = datagramSockets[listener] else { return }
            if events & Poller.failed != 0 { receiveErrors(socket, listener: UInt16(listener), delegate, now) }
            if events & EPOLLIN.rawValue != 0 { receive(socket, listener: UInt16(listener), delegate, now) }
        case Token.streams:
            accept(listener: listener, delegate, now)
        case Token.mailbox:
            owner.mailbox.clear()
        default:
            guard let connection = owner.connection(token) else { return }
            handle(connection, events: events, delegate, now)
        }
    }

    // MARK: Datagrams

    private func receive(_ socket: DatagramSocket, listener: UInt16, _ delegate: any EventLoopDelegate, _ now: Now) {
        let count = batch.receive(from: socket.number)
        var ignored = 0
        for index in 0..<count {
            let peer = batch.peer(index)
            let datagram = Self.withoutLeadingBlank(batch.datagram(index))
            guard datagram.count >= Self.shortestMessage, let peer, peer.port != 0 else {
                ignored += 1
                continue
            }
            delegate.received(datagram, on: Flow(transport: .udp, listener: listener, remote: peer), now: now)
        }
        load.handled += count
        // Where a batch is not full, nothing is left.
        if count == DatagramBatch.capacity { lookAtQueue(socket, listener, batch.byteCount(of: count) / count) }
        counters.received.count(count - ignored)
        if ignored > 0 { counters.ignored.count(ignored) }
    }

    /// Estimates how many datagrams still wait behind a batch, by the memory that they take.
    private func lookAtQueue(_ socket: DatagramSocket, _ listener: UInt16, _ length: Int) {
        guard let queue = socket.queue else { return }
        load.waiting += queue.bytes / (length + Self.datagramOverhead)
        load.lost += Int(queue.lost &- lostDatagrams[Int(listener)])
        lostDatagrams[Int(listener)] = queue.lost
    }

    /// What the kernel needs for a datagram beside its bytes, about.
    private static let datagramOverhead = 768

    /// Takes the datagrams that the network returned. What is left is reported again by the poller.
    private func receiveErrors(
        _ socket: DatagramSocket, listener: UInt16, _ delegate: any EventLoopDelegate, _ now: Now
    ) {
        _ = System.pendingError(socket.number)
        for _ in 0..<DatagramBatch.capacity {
            guard let (length, peer, error) = socket.returned(buffer) else { return }
            // Too big for some network on the way: the kernel has learned, and the retransmission is cut to size.
            guard error != 0, error != EMSGSIZE, let peer, length >= Self.shortestMessage else { continue }
            counters.unreachable.count()
            delegate.unreachable(
                ByteSlice(UnsafeRawBufferPointer(rebasing: buffer[..<length])),
                flow: Flow(transport: .udp, listener: listener, remote: peer), now: now)
        }
    }

    /// No SIP message is shorter: "A sip:b SIP/2.0" needs more. What is, keeps a NAT open (RFC 5626 section 4.4, and products
    /// that send zeros or blanks), and wants no answer.
    private static let shortestMessage = 12

    /// RFC 3261 section 7.5: empty lines before a message are ignored.
    @inline(__always)
    private static func withoutLeadingBlank(_ datagram: ByteSlice) -> ByteSlice {
        guard let first = datagram.first, first <= ASCII.carriageReturn else { return datagram }
        if first == 0, STUNMessage.isLikely(datagram) { return datagram }
        var start = 0
        while start < datagram.count,
            datagram[start] == 0 || datagram[start] == ASCII.carriageReturn || datagram[start] == ASCII.lineFeed
        { start += 1 }
        return datagram.from(start)
    }

    // MARK: Streams

    private func accept(listener: Int, _ delegate: any EventLoopDelegate, _ now: Now) {
        guard let socket = streamSockets[listener] else { return }
        for _ in 0..<64 {
            do throws(SystemError) {
                guard let (number, peer) = try System.accept(socket.number) else { return }
                let flow = Flow(transport: .tcp, listener: UInt16(listener), remote: peer)
                let descriptor = FileDescriptor(number)
                // Closed at once: the descriptor ends here.
                if delegate.refuses(peer.address) {
                    counters.refused.count()
                    continue
                }
                let refusal = table.accept(
                    descriptor, from: peer, listener: UInt16(listener), owner: owner,
                    allowance: delegate.connectionAllowance(of: peer.address), now: now.instant)
                guard let refusal else {
                    counters.accepted.count()
                    continue
                }
                counters.refused.count()
                delegate.refused(flow, because: refusal, now: now)
            } catch {
                // A connection that ended while it waited is none of our concern.
                guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.number) else { continue }
                // Out of descriptors: the connection stays in the queue, and would wake us without end.
                counters.refused.count()
                let nobody = SocketAddress(address: socket.address.address, port: 0)
                delegate.refused(
                    Flow(transport: .tcp, listener: UInt16(listener), remote: nobody), because: .descriptors, now: now)
                acceptPausedUntil = now.instant.advanced(byMilliseconds: 1000)
                watchStreamSockets(false)
                return
            }
        }
    }

    private func watchStreamSockets(_ watched: Bool) {
        for (listener, socket) in streamSockets.enumerated() {
            guard let socket else { continue }
            try? owner.poller.modify(
                socket.number, events: watched ? EPOLLIN.rawValue : 0, token: Token.streams | UInt64(listener))
        }
    }

    private func handle(_ connection: Connection, events: UInt32, _ delegate: any EventLoopDelegate, _ now: Now) {
        if events & (Poller.writable | Poller.failed) != 0, !connection.becameWritable(now.instant) {
            return end(connection, .peer, delegate, now)
        }
        if events & (Poller.readable | Poller.failed) != 0 { read(connection, delegate, now) }
    }

    private func read(_ connection: Connection, _ delegate: any EventLoopDelegate, _ now: Now) {
        // Not read any more, and an event came nevertheless: the peer is gone.
        if connection.input.closesAt != nil { return end(connection, .unreadable, delegate, now) }
        if delegate.refuses(connection.flow.remote.address) { return end(connection, .banned, delegate, now) }
        let length: Int
        do throws(SystemError) {
            guard let available = try System.read(connection.number, buffer) else { return }
            length = available
        } catch {
            return end(connection, .peer, delegate, now)
        }
        if length == 0 { return end(connection, .peer, delegate, now) }
        connection.input.last = now.instant
        connection.input.framer.append(ByteSlice(UnsafeRawBufferPointer(rebasing: buffer[..<length])))
        if connection.takePinged() { connection.input.framer.awaitsPong = true }
        var messages = 0
        var pings = 0
        defer { counters.received.count(messages) }
        reading: while true {
            switch connection.input.framer.next() {
            case .incomplete:
                break reading
            case .message(let message):
                messages += 1
                delegate.received(message, on: connection.flow, now: now)
            case .ping:
                pings += 1
            case .unframed(let head, _):
                messages += 1
                counters.streamFailures.count()
                delegate.received(head, on: connection.flow, now: now)
                connection.stopReading(closingAt: now.instant.advanced(byMilliseconds: Self.farewellTime))
                break reading
            case .failure:
                counters.streamFailures.count()
                return end(connection, .unreadable, delegate, now)
            }
        }
        load.handled += messages
        if pings > 0 { answer(pings, connection) }
        let isAnswer = connection.input.framer.takePong()
        if pings > 0 || isAnswer { delegate.heard(on: connection.flow, isAnswer: isAnswer, now: now) }
        if !connection.countInput() {
            counters.streamFailures.count()
            return end(connection, .memory, delegate, now)
        }
        if !connection.input.framer.isPartial {
            connection.input.partialSince = nil
        } else if messages > 0 || connection.input.partialSince == nil {
            connection.input.partialSince = now.instant
        }
    }

    /// Answers pings (RFC 5626 section 4.4.1). The bound is for floods: an honest peer sends one at a time.
    private func answer(_ pings: Int, _ connection: Connection) {
        var pongs = [UInt8](repeating: ASCII.carriageReturn, count: 2 * min(pings, 32))
        for index in stride(from: 1, to: pongs.count, by: 2) { pongs[index] = ASCII.lineFeed }
        _ = pongs.withUnsafeBytes { connection.send($0, origin: 0) }
    }

    private func end(_ connection: Connection, _ cause: CloseCause, _ delegate: any EventLoopDelegate, _ now: Now) {
        guard let origins = connection.finish() else { return }
        table.remove(connection)
        for origin in origins { delegate.sendFailed(origin: origin, flow: connection.flow, now: now) }
        delegate.closed(connection.flow, because: connection.shutDownCause ?? cause, now: now)
    }

    private func sweep(_ delegate: any EventLoopDelegate, _ now: Now) {
        if let until = acceptPausedUntil, now.instant >= until {
            acceptPausedUntil = nil
            watchStreamSockets(true)
        }
        for connection in owner.all {
            guard let cause = connection.overdue(now.instant) else { continue }
            if connection.input.partialSince != nil { counters.streamFailures.count() }
            end(connection, cause, delegate, now)
        }
    }

    /// How long a connection stays for the answer to a message after which it cannot be read, in milliseconds.
    private static let farewellTime: UInt64 = 1000

    /// What events belong to: a connection's identifier (below 2^62), or one of these with a listener's index.
    private enum Token {
        static let datagrams: UInt64 = 1 << 63 | 1 << 32
        static let streams: UInt64 = 1 << 63 | 2 << 32
        static let mailbox: UInt64 = 1 << 63 | 3 << 32
        static let kindMask: UInt64 = 1 << 63 | 0xff << 32
        static let indexMask: UInt64 = 0xffff
    }
}
