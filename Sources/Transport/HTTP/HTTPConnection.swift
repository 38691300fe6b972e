import CLinux
import Glibc
import HTTPMessage
import Primitives

/// A connection of the HTTP server; its loop's thread alone touches it.
final class HTTPConnection {
    /// What the connection is about.
    enum Phase {
        /// Waits for a request.
        case reading
        /// Waits for a handler, or for the next parts of a body.
        case answering
        /// Sends a body of which there is more.
        case streaming(HTTPBodySource)
        /// Ends when what waits is written; with `lingers` it still takes in, for a while, what the peer is sending, since
        /// closing with bytes unread would destroy the response (RFC 9112 section 9.6).
        case closing(lingers: Bool)
        /// Takes in what still comes, until that time.
        case lingering(until: Instant)
    }

    /// Why a connection is not to go on.
    enum Delay { case none, idle, request, response, farewell }

    /// The number of the connection, never used again.
    let identifier: UInt64
    /// The address and port of the peer.
    let peer: SocketAddress
    /// True for one beyond the limit, which only gets its refusal.
    let isRefused: Bool
    /// Reads the requests.
    var parser: HTTPRequestParser
    /// What waits to be written.
    private(set) var output = HTTPOutput()
    /// What the connection is about.
    var phase = Phase.reading
    /// True when the peer has shut its side: it may still want answers.
    var inputEnded = false
    /// The bytes that were taken in while lingering.
    var lingered = 0

    private let descriptor: FileDescriptor
    private var watched = EPOLLIN.rawValue
    private var hasHadRequest = false
    /// When the peer was last heard, or a response was written.
    private var lastActivity: Instant
    private var requestSince: Instant?
    private var bodySince: Instant?
    private var progress: Instant
    private var progressBytes = 0

    /// The number for system calls, good while this object is held.
    var number: Int32 { descriptor.number }

    /// A connection that was accepted.
    init(
        _ descriptor: consuming FileDescriptor, identifier: UInt64, peer: SocketAddress, isRefused: Bool,
        limits: HTTPLimits, now: Instant
    ) {
        self.descriptor = descriptor
        self.identifier = identifier
        self.peer = peer
        self.isRefused = isRefused
        parser = HTTPRequestParser(limits: limits, source: peer.address)
        lastActivity = now
        progress = now
    }

    /// Has the poller watch the connection.
    func watch(_ poller: Poller) throws(SystemError) { try poller.add(number, events: watched, token: identifier) }

    /// Has the poller watch for what matters now.
    func updateInterest(_ poller: Poller) {
        let reads: Bool
        switch phase {
        case .lingering: reads = true
        case .reading where output.count <= Self.lowWater: reads = true
        // What is pipelined may wait in the buffer, up to a bound.
        case .reading, .answering, .streaming: reads = parser.bufferedCount < Self.pipelineSize
        case .closing: reads = false
        }
        var wanted = output.count > 0 ? Poller.writable : 0
        if reads, !inputEnded { wanted |= EPOLLIN.rawValue }
        if wanted == watched { return }
        watched = wanted
        try? poller.modify(number, events: wanted, token: identifier)
    }

    /// Takes in bytes from the peer.
    func received(_ bytes: ByteSlice, _ now: Instant) {
        lastActivity = now
        parser.append(bytes)
    }

    /// Notes that the parser wants more, so that the time of a begun request runs.
    func requestIsIncomplete(_ now: Instant) {
        guard parser.isPartial else { return }
        if requestSince == nil { requestSince = now }
        if bodySince == nil, parser.isInBody { bodySince = now }
    }

    /// Notes that a request was read.
    func requestIsComplete() {
        hasHadRequest = true
        requestSince = nil
        bodySince = nil
    }

    /// Leaves bytes to be written.
    func append(_ piece: [UInt8], _ now: Instant) {
        if output.count == 0 {
            progress = now
            progressBytes = 0
        }
        output.append(piece)
        lastActivity = now
    }

    /// Writes what the peer takes; false when the connection failed.
    func write(_ now: Instant) -> Bool {
        if output.count == 0 { return true }
        guard let written = try? output.write(to: number) else { return false }
        progressBytes += written
        // A peer that takes a byte now and then is no better than one that takes none.
        if progressBytes >= 1024 || output.count == 0 {
            progress = now
            progressBytes = 0
        }
        if written > 0 { lastActivity = now }
        return true
    }

    /// Makes the closing of the descriptor a reset, which the peer cannot take for the end of a response.
    func reset() {
        output.removeAll()
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Tells the peer that nothing more comes.
    func endOutput() { shutdown(number, Int32(SHUT_WR)) }

    /// Whether a limit of time has passed, and which.
    func delay(_ now: Instant, _ settings: HTTPServerSettings) -> Delay {
        if case .lingering(let end) = phase { return now >= end ? .farewell : .none }
        if output.count > 0 { return now.milliseconds(since: progress) > settings.sendTime ? .response : .none }
        guard case .reading = phase else { return .none }
        let silence = now.milliseconds(since: lastActivity)
        if let bodySince {
            let isOver = now.milliseconds(since: bodySince) > settings.bodyTime || silence > settings.headTime
            return isOver ? .request : .none
        }
        if let requestSince { return now.milliseconds(since: requestSince) > settings.headTime ? .request : .none }
        return silence > (hasHadRequest ? settings.idleTime : settings.headTime) ? .idle : .none
    }

    /// True when no request is being answered, so that the end of the server may end the connection: what has come of a
    /// request that is not whole was not acted upon.
    var isIdle: Bool {
        switch phase {
        case .reading: output.count == 0
        case .lingering: true
        case .answering, .streaming, .closing: false
        }
    }

    /// How many bytes may wait for a peer when more is made for it.
    static let lowWater = 65_536
    /// How many bytes of further requests may wait in the buffer.
    private static let pipelineSize = 16_384
}
