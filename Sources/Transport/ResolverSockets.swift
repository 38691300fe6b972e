import CLinux
import Glibc
import Primitives

/// The sockets of the resolver's thread: one a query, and so a port that nobody can guess, as long as there are not too
/// many; then queries share them.
final class ResolverSockets: @unchecked Sendable {
    // Unchecked: it is made before the resolver's thread, which then uses it alone.

    /// What happens on the sockets.
    enum Event {
        /// Bytes from the server of these queries.
        case received(ByteSlice, among: Set<UInt64>)
        /// These queries will not be answered.
        case failed(Set<UInt64>)
    }

    private final class Socket {
        let descriptor: FileDescriptor
        let server: SocketAddress
        let isStream: Bool
        var queries: Set<UInt64> = []
        /// Datagrams that answered nothing.
        var strays = 0
        var output: [UInt8] = []
        var input: [UInt8] = []

        init(_ descriptor: consuming FileDescriptor, _ server: SocketAddress, isStream: Bool) {
            self.descriptor = descriptor
            self.server = server
            self.isStream = isStream
        }
    }

    private let poller: Poller
    private let knock: Int32
    private var sockets: [UInt64: Socket] = [:]
    private var socketsByQuery: [UInt64: UInt64] = [:]
    private var lastToken: UInt64 = 0
    private var streams = 0
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 64)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)

    /// Sockets at a time.
    static let limit = 1024
    /// Connections at a time.
    private static let streamLimit = 128
    /// Datagrams that answer nothing after which a socket is given up: somebody tries to guess an answer.
    private static let strayLimit = 64

    /// No sockets but the one by which the thread is woken.
    init(knock: Int32) throws(SystemError) {
        poller = try Poller()
        self.knock = knock
        try poller.add(knock, events: Poller.readable, token: 0)
    }

    deinit {
        events.deallocate()
        buffer.deallocate()
    }

    /// Sends a query; false when it cannot be sent.
    func send(_ bytes: [UInt8], _ number: UInt64, to server: SocketAddress, isStream: Bool) -> Bool {
        if isStream {
            guard streams < Self.streamLimit, sockets.count < Self.limit, let token = open(server, isStream: true)
            else { return false }
            let length = UInt16(clamping: bytes.count)
            sockets[token]?.output = [UInt8(length >> 8), UInt8(length & 0xff)] + bytes
            attach(number, token)
            return true
        }
        guard let token = sockets.count < Self.limit ? open(server, isStream: false) ?? shared(server) : shared(server),
            let socket = sockets[token]
        else { return false }
        attach(number, token)
        let result = bytes.withUnsafeBytes { bytes in
            Glibc.send(socket.descriptor.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        // A full buffer is as a lost packet: the next try follows.
        if result >= 0 || errno == EAGAIN || errno == EINTR { return true }
        close(number)
        return false
    }

    /// Expects nothing for a query any more.
    func close(_ number: UInt64) {
        guard let token = socketsByQuery.removeValue(forKey: number), let socket = sockets[token] else { return }
        socket.queries.remove(number)
        if socket.queries.isEmpty { remove(token) }
    }

    /// Waits for events; `body` gives whether bytes were an answer.
    func wait(timeout: Int32, _ body: (Event) -> Bool) {
        let count = poller.wait(events, timeout: timeout)
        for index in 0..<count {
            let event = events[index]
            if event.data.u64 == 0 {
                var value: eventfd_t = 0
                eventfd_read(knock, &value)
            } else if let socket = sockets[event.data.u64] {
                if socket.isStream {
                    handleStream(socket, event.data.u64, event.events, body)
                } else {
                    handleDatagrams(socket, event.data.u64, body)
                }
            }
        }
    }

    private func attach(_ number: UInt64, _ token: UInt64) {
        sockets[token]?.queries.insert(number)
        socketsByQuery[number] = token
    }

    private func open(_ server: SocketAddress, isStream: Bool) -> UInt64? {
        let family = server.address.isIPv4 ? AF_INET : AF_INET6
        guard let descriptor = try? System.socket(isStream ? .tcp : .udp, family: family) else { return nil }
        let number = descriptor.number
        // Connected: the kernel lets in nobody but the server, and tells when it is not there.
        guard (try? System.connect(number, server)) != nil else { return nil }
        lastToken += 1
        let events = isStream ? Poller.readable | Poller.writable : Poller.readable
        guard (try? poller.add(number, events: events, token: lastToken)) != nil else { return nil }
        sockets[lastToken] = Socket(descriptor, server, isStream: isStream)
        if isStream { streams += 1 }
        return lastToken
    }

    /// A socket of other queries to the same server. The order of a Set is another in each process.
    private func shared(_ server: SocketAddress) -> UInt64? {
        var seen = 0
        var chosen: UInt64?
        for (token, socket) in sockets where !socket.isStream && socket.server == server {
            seen += 1
            if chosen == nil || UInt64.random(in: 0..<UInt64(seen)) == 0 { chosen = token }
            if seen == 64 { break }
        }
        return chosen
    }

    private func remove(_ token: UInt64) {
        guard let socket = sockets.removeValue(forKey: token) else { return }
        if socket.isStream { streams -= 1 }
        poller.remove(socket.descriptor.number)
        for number in socket.queries { socketsByQuery[number] = nil }
    }

    private func fail(_ socket: Socket, _ token: UInt64, _ body: (Event) -> Bool) {
        let queries = socket.queries
        remove(token)
        _ = body(.failed(queries))
    }

    private func handleDatagrams(_ socket: Socket, _ token: UInt64, _ body: (Event) -> Bool) {
        // A bound, so that a flood on one socket leaves the others their turn.
        for _ in 0..<16 {
            let length = recv(socket.descriptor.number, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            if length < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { fail(socket, token, body) }
                return
            }
            let bytes = ByteSlice(UnsafeRawBufferPointer(rebasing: buffer[0..<length]))
            if !body(.received(bytes, among: socket.queries)) { socket.strays += 1 }
            if socket.strays >= Self.strayLimit {
                fail(socket, token, body)
                return
            }
        }
    }

    private func handleStream(_ socket: Socket, _ token: UInt64, _ events: UInt32, _ body: (Event) -> Bool) {
        let number = socket.descriptor.number
        if events & Poller.failed != 0, events & Poller.readable == 0 { return fail(socket, token, body) }
        if events & Poller.writable != 0, !socket.output.isEmpty {
            guard let written = try? socket.output.withUnsafeBytes({ try System.write(number, $0) }) else {
                return fail(socket, token, body)
            }
            socket.output.removeFirst(written)
            if socket.output.isEmpty { try? poller.modify(number, events: Poller.readable, token: token) }
        }
        guard events & Poller.readable != 0 else { return }
        let length: Int
        do {
            guard let read = try System.read(number, buffer) else { return }
            length = read
        } catch { return fail(socket, token, body) }
        socket.input += buffer[0..<length]
        if socket.input.count >= 2 {
            let size = Int(socket.input[0]) << 8 | Int(socket.input[1])
            if socket.input.count >= size + 2 {
                // One answer a connection: what it was asked for, or a failure.
                let isAnswer = socket.input.withSlice { body(.received($0[2..<size + 2], among: socket.queries)) }
                if !isAnswer { fail(socket, token, body) }
                return
            }
        }
        if length == 0 { fail(socket, token, body) }
    }
}
