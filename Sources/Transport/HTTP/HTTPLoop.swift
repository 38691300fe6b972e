import CLinux
import Glibc
import HTTPMessage
import Primitives
import Synchronization

/// The thread that has the sockets of the HTTP server: accepts, reads, writes, keeps the limits of time.
final class HTTPLoop: HTTPThreadBody, @unchecked Sendable {
    // Unchecked: after the start everything that changes is touched by the loop's thread only, but for atomics and queues.

    let currentSettings: Replaceable<HTTPServerSettings>
    var settings: HTTPServerSettings { currentSettings.value }
    let tally: HTTPTally
    let jobs: HTTPJobQueue
    let errorBody: HTTPErrorBody
    let refused: HTTPRefusalObserver
    let poller: Poller
    private let answers: HTTPAnswerQueue
    private var listeners: [StreamSocket]
    private var connections: [UInt64: HTTPConnection] = [:]
    private var perSource: [IPAddress: Int] = [:]
    private var refusedCount = 0
    private var lastIdentifier: UInt64 = 0
    private var acceptPausedUntil: Instant?
    private let stopRequested = Atomic(false)
    /// When the last connections are cut off; nil while the server runs.
    private(set) var stopsAt: Instant?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32_768, alignment: 64)
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)

    /// A loop for open listeners.
    init(
        settings: HTTPServerSettings, listeners: [StreamSocket], jobs: HTTPJobQueue, answers: HTTPAnswerQueue,
        tally: HTTPTally, errorBody: @escaping HTTPErrorBody, refused: @escaping HTTPRefusalObserver
    ) throws(SystemError) {
        currentSettings = Replaceable(settings)
        self.listeners = listeners
        self.jobs = jobs
        self.answers = answers
        self.tally = tally
        self.errorBody = errorBody
        self.refused = refused
        poller = try Poller()
        super.init()
        events.initialize(repeating: epoll_event())
        try poller.add(answers.number, events: EPOLLIN.rawValue | EPOLLET.rawValue, token: Self.answersToken)
        for (index, listener) in listeners.enumerated() {
            // Accepted sockets inherit it, which spares a call for each.
            try System.set(listener.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            try poller.add(listener.number, events: EPOLLIN.rawValue, token: Self.listenerToken | UInt64(index))
        }
    }

    deinit {
        buffer.deallocate()
        events.deallocate()
    }

    override var threadName: String { "http" }

    /// Makes `run` finish what is running, and return. For any thread.
    func stop() {
        stopRequested.store(true, ordering: .releasing)
        answers.wake()
    }

    override func run() {
        var lastSweep = System.now().instant
        while true {
            let isQuiet = connections.isEmpty && acceptPausedUntil == nil && stopsAt == nil
            let count = poller.wait(events, timeout: isQuiet ? -1 : Int32(settings.sweepTime))
            let now = System.now().instant
            for index in 0..<count { handle(events[index].data.u64, events[index].events, now) }
            for answer in answers.take() { take(answer, now) }
            if now.milliseconds(since: lastSweep) >= settings.sweepTime {
                lastSweep = now
                sweep(now)
            }
            if stopsAt == nil, stopRequested.load(ordering: .acquiring) { beginStop(now) }
            if let stopsAt, connections.isEmpty || now >= stopsAt { break }
        }
        for connection in connections.values { end(connection) }
    }

    private func handle(_ token: UInt64, _ events: UInt32, _ now: Instant) {
        if token == Self.answersToken { return }
        if token & Self.listenerToken != 0 { return accept(Int(token & 0xffff), now) }
        guard let connection = connections[token] else { return }
        // An error, or both directions ended: nobody is left to answer.
        if events & Poller.failed != 0 { return end(connection) }
        if events & EPOLLIN.rawValue != 0, !read(connection, now) { return end(connection) }
        proceed(connection, now)
    }

    /// Reads once; what is left is reported again. False when the connection is over.
    private func read(_ connection: HTTPConnection, _ now: Instant) -> Bool {
        let length: Int
        do throws(SystemError) {
            guard let available = try System.read(connection.number, buffer) else { return true }
            length = available
        } catch {
            return false
        }
        if case .lingering = connection.phase {
            connection.lingered += length
            return length > 0 && connection.lingered < Self.lingeringSize
        }
        if length == 0 {
            connection.inputEnded = true
        } else {
            connection.received(ByteSlice(UnsafeRawBufferPointer(rebasing: buffer[..<length])), now)
        }
        return true
    }

    // MARK: Connections

    private func accept(_ index: Int, _ now: Instant) {
        guard index < listeners.count else { return }
        for _ in 0..<64 {
            do throws(SystemError) {
                guard let (number, peer) = try System.accept(listeners[index].number) else { return }
                take(FileDescriptor(number), from: peer, now)
            } catch {
                // A connection that ended while it waited is none of our concern.
                guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.number) else { continue }
                // Out of descriptors: the connection stays in the queue, and would wake us without end.
                tally.refused.count()
                acceptPausedUntil = now.advanced(byMilliseconds: 1000)
                watchListeners(false)
                return
            }
        }
    }

    private func watchListeners(_ watched: Bool) {
        for (index, listener) in listeners.enumerated() {
            let events = watched ? EPOLLIN.rawValue : 0
            try? poller.modify(listener.number, events: events, token: Self.listenerToken | UInt64(index))
        }
    }

    private func take(_ descriptor: consuming FileDescriptor, from peer: SocketAddress, _ now: Instant) {
        let source = ConnectionTable.source(peer.address)
        let isTableFull = connections.count - refusedCount >= settings.connections
        let isRefused =
            isTableFull
            || settings.connectionsPerSource.map {
                perSource[source, default: 0] >= $0 && !settings.trustedProxies.contains(peer.address)
            } ?? false
        if isRefused {
            tally.refused.count()
            // Beyond this a refusal is a closed connection without a word.
            if refusedCount >= Self.refusals { return }
            refusedCount += 1
        } else {
            tally.accepted.count()
            tally.open.count()
            if settings.connectionsPerSource != nil { perSource[source, default: 0] += 1 }
        }
        lastIdentifier += 1
        let connection = HTTPConnection(
            descriptor, identifier: lastIdentifier, peer: peer, isRefused: isRefused, limits: settings.limits, now: now)
        connections[connection.identifier] = connection
        guard (try? connection.watch(poller)) != nil else { return end(connection) }
        guard isRefused else { return }
        // What it would have asked for is not known: JSON is what the command line reads, and people can.
        let whose = isTableFull ? "" : " from this address"
        fail(connection, HTTPFailure(503, "There are too many connections\(whose)."), wantsJSON: true, now)
        proceed(connection, now)
    }

    /// Ends a connection. Its descriptor is closed with it, and so leaves the poller.
    func end(_ connection: HTTPConnection) {
        guard connections.removeValue(forKey: connection.identifier) != nil else { return }
        if case .streaming(let source) = connection.phase { _ = jobs.submit(.release(source)) }
        if connection.isRefused {
            refusedCount -= 1
            return
        }
        tally.open.wrappingSubtract(1, ordering: .relaxed)
        guard settings.connectionsPerSource != nil else { return }
        let source = ConnectionTable.source(connection.peer.address)
        let left = perSource[source, default: 1] - 1
        perSource[source] = left > 0 ? left : nil
    }

    private func take(_ answer: HTTPAnswer, _ now: Instant) {
        if let status = answer.status { tally.count(status: status) }
        guard let connection = connections[answer.connection] else {
            if case .more(let source) = answer.sequel { _ = jobs.submit(.release(source)) }
            return
        }
        take(answer, on: connection, now)
        if case .reset = answer.sequel { return end(connection) }
        proceed(connection, now)
    }

    // MARK: Time

    private func sweep(_ now: Instant) {
        if let until = acceptPausedUntil, now >= until {
            acceptPausedUntil = nil
            watchListeners(true)
        }
        for connection in Array(connections.values) {
            switch connection.delay(now, settings) {
            case .none:
                break
            case .idle, .farewell:
                end(connection)
            case .request:
                tally.timeouts.count()
                let wantsJSON = connection.parser.wantsJSON
                fail(connection, HTTPFailure(408, "The request took too long."), wantsJSON: wantsJSON, now)
                proceed(connection, now)
            case .response:
                tally.timeouts.count()
                connection.reset()
                end(connection)
            }
        }
    }

    private func beginStop(_ now: Instant) {
        stopsAt = now.advanced(byMilliseconds: settings.stopTime)
        // Closed, they refuse what would come now.
        for listener in listeners { poller.remove(listener.number) }
        listeners = []
        acceptPausedUntil = nil
        for connection in Array(connections.values) where connection.isIdle { end(connection) }
    }

    private static let answersToken: UInt64 = 1 << 63
    private static let listenerToken: UInt64 = 1 << 62
    /// Connections beyond the limit that are told so at a time.
    private static let refusals = 64
    /// How many bytes a peer may send on after the answer that ends its connection.
    private static let lingeringSize = 4_194_304
}
