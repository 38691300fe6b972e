import Glibc
import Primitives
import Synchronization
import Testing

@testable import Transport

/// A delegate that writes down what it is told, echoes when it is asked to, and sends what a test gives it.
final class Recorder: EventLoopDelegate, @unchecked Sendable {
    // Unchecked: the outbox is touched by the loop's thread only.
    struct Log {
        var received: [(text: String, flow: Flow)] = []
        var closed: [Flow] = []
        var causes: [CloseCause] = []
        var toProve: [UInt64] = []
        var proved = 0
        var allowance = 0
        var failed: [(origin: UInt64, flow: Flow)] = []
        var unreachable: [(text: String, flow: Flow)] = []
        var ticks = 0
        var busy = false
        var toSend: [(bytes: [UInt8], flow: Flow, origin: UInt64)] = []
    }

    let log = Mutex(Log())
    private let echoes: Bool
    private var outbox = Outbox()

    init(echoes: Bool) { self.echoes = echoes }

    func received(_ message: ByteSlice, on flow: Flow, now: Now) {
        log.withLock { $0.received.append((message.string, flow)) }
        if echoes { outbox.send(message, to: flow) }
    }

    func closed(_ flow: Flow, because cause: CloseCause, now: Now) {
        log.withLock {
            $0.closed.append(flow)
            $0.causes.append(cause)
        }
    }

    func connectionAllowance(of peer: IPAddress) -> Int { log.withLock { $0.allowance } }

    func refused(_ flow: Flow, because cause: CloseCause, now: Now) { log.withLock { $0.causes.append(cause) } }

    func sendFailed(origin: UInt64, flow: Flow, now: Now) { log.withLock { $0.failed.append((origin, flow)) } }

    func unreachable(_ original: ByteSlice, flow: Flow, now: Now) {
        log.withLock { $0.unreachable.append((original.string, flow)) }
    }

    func tick(now: Now) { log.withLock { $0.ticks += 1 } }

    var isBusy: Bool { log.withLock { $0.busy } }

    func turnEnded(_ loop: EventLoop) {
        let messages = log.withLock { log in
            let messages = log.toSend
            log.toSend = []
            return messages
        }
        for message in messages {
            message.bytes.withSlice { outbox.send($0, to: message.flow, origin: message.origin) }
        }
        loop.send(&outbox)
        let toProve = log.withLock { $0.toProve }
        loop.prove(toProve)
        log.withLock { $0.proved = toProve.count }
    }
}

/// A running transport on loopback, one UDP and one TCP listener, with a recorder for each loop.
final class Edge: Sendable {
    static let loopback = IPAddress(ipv4: 0x7f00_0001)

    let transport: Transport
    let recorders: [Recorder]

    init(workers: Int = 1, echoes: Bool = false, address: IPAddress = loopback, _ limits: TransportLimits = .init())
        throws
    {
        let any = SocketAddress(address: address, port: 0)
        transport = try Transport(
            listeners: [.init(transport: .udp, address: any), .init(transport: .tcp, address: any)],
            workers: workers, limits: limits)
        recorders = transport.loops.map { loop in
            let recorder = Recorder(echoes: echoes)
            loop.delegate = recorder
            return recorder
        }
        try transport.start()
    }

    deinit { transport.stop() }

    var datagrams: SocketAddress { transport.listeners[0].address }
    var streams: SocketAddress { transport.listeners[1].address }

    /// The parts of all recorders' logs together.
    func all<Part>(_ part: (Recorder.Log) -> [Part]) -> [Part] {
        recorders.flatMap { recorder in recorder.log.withLock { part($0) } }
    }

    /// Has the first loop send a message.
    func send(
        _ bytes: [UInt8], _ transport: TransportProtocol, to remote: SocketAddress, origin: UInt64 = 0,
        on connection: UInt64 = 0
    ) {
        let flow = Flow(
            transport: transport, listener: transport == .udp ? 0 : 1, remote: remote, connection: connection)
        recorders[0].log.withLock { $0.toSend.append((bytes, flow, origin)) }
        self.transport.loops[0].wake()
    }

    /// Has the first loop send a message.
    func send(
        _ text: String, _ transport: TransportProtocol, to remote: SocketAddress, origin: UInt64 = 0,
        on connection: UInt64 = 0
    ) {
        send(Array(text.utf8), transport, to: remote, origin: origin, on: connection)
    }
}

/// A client's blocking socket with a limit of time for reading.
final class Peer {
    let number: Int32

    init(_ transport: TransportProtocol, on address: IPAddress = Edge.loopback, receiveBuffer: Int32? = nil) throws {
        let kind = transport == .udp ? SOCK_DGRAM : SOCK_STREAM
        number = socket(address.isIPv4 ? AF_INET : AF_INET6, Int32(kind.rawValue), 0)
        var limit = timeval(tv_sec: 3, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        try? System.set(number, SOL_SOCKET, SO_RCVBUF, receiveBuffer ?? 4_194_304)
        try System.bind(number, SocketAddress(address: address, port: 0))
    }

    /// Wraps an accepted socket.
    init(accepted number: Int32) {
        self.number = number
        var limit = timeval(tv_sec: 3, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(number) }

    var address: SocketAddress {
        get throws { try System.localAddress(number) }
    }

    func connect(_ remote: SocketAddress) throws { try System.connect(number, remote) }

    /// The next accepted connection of a listening socket.
    func accept() throws -> Peer {
        let accepted = Glibc.accept(number, nil, nil)
        try System.check(accepted, "accept")
        return Peer(accepted: accepted)
    }

    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// The next datagram, or what a stream has; nil at its end and after the limit of time.
    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 70_000)
        let length = recv(number, &buffer, buffer.count, 0)
        return length > 0 ? String(decoding: buffer.prefix(length), as: UTF8.self) : nil
    }

    /// As many bytes of a stream, or fewer at its end and after the limit of time.
    func receive(_ count: Int) -> String {
        var text = ""
        while text.utf8.count < count, let more = receive() { text += more }
        return text
    }

    /// True when the other side has closed the stream (also by a reset) before the limit of time.
    var isClosed: Bool {
        var byte: UInt8 = 0
        let length = recv(number, &byte, 1, 0)
        return length == 0 || length < 0 && errno != EAGAIN
    }
}

/// Waits until `condition` holds, at most `seconds`; whether it did.
func eventually(_ seconds: Double = 3, _ condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        if ContinuousClock.now > end { return false }
        usleep(2000)
    }
    return true
}

/// A request without a body that differs by its Call-ID.
func request(_ callID: Int) -> String { "OPTIONS sip:a@b SIP/2.0\r\nCall-ID: \(callID)\r\nContent-Length: 0\r\n\r\n" }
