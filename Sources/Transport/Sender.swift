import Glibc
import Primitives

/// Sends outboxes. Each thread that sends has its own; failures are reported by the loop that it belongs to.
public final class Sender {
    private let sockets: [DatagramSocket?]
    private let table: ConnectionTable
    private let owner: ConnectionOwner
    private let counters: LoopCounters
    private var batch = DatagramBatch(receiving: false)
    /// How many milliseconds this outbox may still wait for room in full socket buffers.
    private var patience = 0

    init(sockets: [DatagramSocket?], table: ConnectionTable, owner: ConnectionOwner, counters: LoopCounters) {
        self.sockets = sockets
        self.table = table
        self.owner = owner
        self.counters = counters
    }

    /// Sends the messages in order, and empties the outbox.
    ///
    /// A message that cannot be sent is counted, and reported to the loop's delegate in its next turn when it has an origin.
    public func send(_ outbox: inout Outbox) {
        if outbox.messages.isEmpty { return }
        patience = 5
        // Nothing is appended to the outbox before it is emptied, so its bytes stay where they are.
        outbox.bytes.slice.withUnsafeBytes { bytes in
            let count = outbox.messages.count
            var next = 0
            while next < count {
                let first = outbox.messages[next]
                if first.flow.transport == .udp {
                    next = sendDatagrams(outbox.messages, from: next, bytes)
                } else {
                    sendOnStream(
                        first, UnsafeRawBufferPointer(rebasing: bytes[first.start..<first.start + first.length]))
                    next += 1
                }
            }
        }
        outbox.removeAll()
    }

    /// Sends the run of datagrams of one listener that starts at `start`, at most one batch; gives where the next run starts.
    private func sendDatagrams(_ messages: [Outbox.Message], from start: Int, _ bytes: UnsafeRawBufferPointer) -> Int {
        let listener = messages[start].flow.listener
        guard Int(listener) < sockets.count, let socket = sockets[Int(listener)] else {
            fail(messages[start])
            return start + 1
        }
        let isIPv4 = socket.address.address.isIPv4
        var end = start
        while end < messages.count, end - start < DatagramBatch.capacity {
            let message = messages[end]
            guard message.flow.transport == .udp, message.flow.listener == listener,
                message.flow.remote.address.isIPv4 == isIPv4
            else { break }
            let part = UnsafeRawBufferPointer(rebasing: bytes[message.start..<message.start + message.length])
            batch.set(end - start, part, to: message.flow.remote)
            end += 1
        }
        if end == start {
            // The other address family than the listener's.
            fail(messages[start])
            return start + 1
        }
        var sent = 0
        var failures = 0
        var attempts = 0
        while start + sent < end {
            switch batch.send(sent..<end - start, on: socket.number) {
            case .success(let count):
                sent += count
                attempts = 0
            case .failure(let error):
                attempts += 1
                // Any error but a full buffer may belong to an earlier datagram that came back (IP_RECVERR); the call reports it
                // once, so another attempt tells. There may be one for each datagram that other threads sent to devices
                // that are gone.
                if error.number == EAGAIN || error.number == ENOBUFS {
                    if patience > 0 {
                        patience -= 1
                        var waiting = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
                        poll(&waiting, 1, 1)
                        continue
                    }
                } else if attempts <= DatagramBatch.capacity, error.number != EMSGSIZE {
                    continue
                }
                fail(messages[start + sent])
                failures += 1
                sent += 1
                attempts = 0
            }
        }
        counters.sent.count(sent - failures)
        return end
    }

    private func sendOnStream(_ message: Outbox.Message, _ bytes: UnsafeRawBufferPointer) {
        var flow = message.flow
        if flow.connection != 0 {
            if let connection = table.connection(flow.connection) {
                // No message is as short as the empty lines of a keepalive.
                let isPing = bytes.count <= 4
                let result = isPing ? connection.sendPing(bytes) : connection.send(bytes, origin: message.origin)
                if result == .sent { return counters.sent.count() }
            }
            if message.reconnectPort == 0 { return fail(message) }
            // RFC 3261 18.2.2: a response whose connection is gone goes to the address and port in its Via.
            flow.connection = 0
            flow.remote.port = message.reconnectPort
        }
        // A connection found by its peer may just have ended; then one is opened.
        for _ in 0..<2 {
            guard let (connection, isNew) = try? table.connection(to: flow, owner: owner) else { break }
            if isNew { counters.opened.count() }
            switch connection.send(bytes, origin: message.origin) {
            case .sent:
                return counters.sent.count()
            case .closed:
                table.forgetPeer(connection)
                if isNew { return fail(message) }
            case .full:
                return fail(message)
            }
        }
        fail(message)
    }

    private func fail(_ message: Outbox.Message) {
        counters.dropped.count()
        owner.mailbox.post(origin: message.origin, flow: message.flow)
    }
}
