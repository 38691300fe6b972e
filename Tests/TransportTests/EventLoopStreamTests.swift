import Glibc
import Primitives
import Testing

@testable import Transport

@Suite(.serialized) struct EventLoopStreamTests {
    static func limits(_ change: (inout TransportLimits) -> Void) -> TransportLimits {
        var limits = TransportLimits()
        change(&limits)
        return limits
    }

    static func connected(_ edge: Edge) throws -> Peer {
        let peer = try Peer(.tcp)
        try peer.connect(edge.streams)
        return peer
    }

    @Test("18.3: a message that comes byte by byte is handed up once, with its connection")
    func byteByByte() throws {
        let edge = try Edge(echoes: true)
        let peer = try Self.connected(edge)
        for byte in request(1).utf8 {
            peer.send([byte])
            usleep(200)
        }
        #expect(peer.receive(request(1).utf8.count) == request(1))
        let received = edge.all(\.received)
        #expect(received.map(\.text) == [request(1)])
        #expect(received.first?.flow.connection != 0)
        let remote = try peer.address
        #expect(received.first?.flow.remote == remote)
        #expect(received.first?.flow.listener == 1)
    }

    @Test("18.3: pipelined messages are answered in their order, on every connection of two loops")
    func pipelined() throws {
        let edge = try Edge(workers: 2, echoes: true)
        let text = (0..<500).map(request).joined()
        let peers = try (0..<8).map { _ in try Self.connected(edge) }
        for peer in peers { peer.send(text) }
        for peer in peers { #expect(peer.receive(text.utf8.count) == text) }
        #expect(edge.transport.counters.connections == 8)
        #expect(edge.transport.counters.accepted == 8)
        #expect(Set(edge.all(\.received).map(\.flow.connection)).count == 8)
    }

    @Test("RFC 5626 4.4.1: a double line end is answered by a single one, and is no message")
    func ping() throws {
        let edge = try Edge()
        let peer = try Self.connected(edge)
        peer.send("\r\n\r\n")
        #expect(peer.receive() == "\r\n")
        peer.send("\r\n")
        peer.send(request(1))
        peer.send("\r\n\r\n")
        #expect(peer.receive() == "\r\n")
        #expect(edge.all(\.received).map(\.text) == [request(1)])
    }

    @Test("A peer that closes is reported, and its connection fails messages from then on")
    func closedByPeer() throws {
        let edge = try Edge()
        var peer: Peer? = try Self.connected(edge)
        peer?.send(request(1))
        #expect(eventually { edge.all(\.received).count == 1 })
        let flow = try #require(edge.all(\.received).first?.flow)
        peer = nil
        #expect(eventually { edge.all(\.closed) == [flow] })
        #expect(edge.transport.counters.connections == 0)
        edge.send(request(2), .tcp, to: flow.remote, origin: 5, on: flow.connection)
        #expect(eventually { edge.all(\.failed).map(\.origin) == [5] })
    }

    @Test("A connection without traffic is closed after the idle time, one with traffic is not")
    func idle() throws {
        let edge = try Edge(Self.limits { $0.idleTime = 400 })
        let silent = try Self.connected(edge)
        let lively = try Self.connected(edge)
        silent.send(request(1))
        for _ in 0..<8 {
            lively.send("\r\n\r\n")
            #expect(lively.receive() == "\r\n")
            usleep(100_000)
        }
        #expect(edge.all(\.closed).count == 1)
        let remote = try silent.address
        #expect(edge.all(\.closed).first?.remote == remote)
        #expect(silent.isClosed)
    }

    @Test("A message that is not complete in time ends its connection, however often a byte comes")
    func slow() throws {
        let edge = try Edge(Self.limits { $0.messageTime = 300 })
        let peer = try Self.connected(edge)
        for _ in 0..<8 {
            peer.send("x")
            usleep(100_000)
        }
        #expect(peer.isClosed)
        #expect(edge.all(\.closed).count == 1)
        #expect(edge.transport.counters.streamFailures == 1)
    }

    @Test("18.1.1: a connection is opened on demand and used again, by both sides")
    func onDemand() throws {
        let edge = try Edge()
        let server = try Peer(.tcp)
        try System.listen(server.number)
        let remote = try server.address
        for index in 0..<100 { edge.send(request(index), .tcp, to: remote, origin: 1) }
        let accepted = try server.accept()
        let expected = (0..<100).map(request).joined()
        #expect(accepted.receive(expected.utf8.count) == expected)
        #expect(edge.transport.counters.opened == 1)
        accepted.send(request(7))
        #expect(eventually { edge.all(\.received).map(\.text) == [request(7)] })
        let flow = try #require(edge.all(\.received).first?.flow)
        #expect(flow.remote == remote && flow.connection != 0)
        edge.send(request(8), .tcp, to: remote, origin: 1, on: flow.connection)
        #expect(accepted.receive() == request(8))
        #expect(edge.all(\.failed).isEmpty)
    }

    @Test("A peer that closed the connection between two messages gets the second on a new one")
    func reopened() throws {
        let edge = try Edge()
        let server = try Peer(.tcp)
        try System.listen(server.number)
        let remote = try server.address
        for index in 0..<5 {
            edge.send(request(index), .tcp, to: remote, origin: 1)
            #expect(try server.accept().receive() == request(index))
            #expect(eventually { edge.all(\.closed).count == index + 1 })
        }
        #expect(Set(edge.all(\.closed).map(\.connection)).count == 5)
    }

    @Test("18.2.2: a message for a peer that is connected to us goes over its connection")
    func reusesAccepted() throws {
        let edge = try Edge()
        let peer = try Self.connected(edge)
        #expect(eventually { edge.transport.counters.accepted == 1 })
        edge.send(request(1), .tcp, to: try peer.address, origin: 1)
        #expect(peer.receive() == request(1))
        #expect(edge.transport.counters.opened == 0)
    }

    @Test("18.4: a refused connection fails all messages for it at once")
    func refused() throws {
        let edge = try Edge()
        let remote = try Peer(.tcp).address
        let clock = ContinuousClock.now
        for origin in 1...3 { edge.send(request(1), .tcp, to: remote, origin: UInt64(origin)) }
        #expect(eventually { edge.all(\.failed).map(\.origin).sorted() == [1, 2, 3] })
        #expect(ContinuousClock.now - clock < .seconds(1))
        #expect(edge.transport.counters.connections == 0)
    }

    @Test("A connection that does not come about fails its messages after the connect time")
    func connectTimeout() throws {
        let edge = try Edge(Self.limits { $0.connectTime = 300 })
        let server = try Peer(.tcp)
        // A queue of one that is full: the kernel then drops further attempts, as a dead host would.
        listen(server.number, 0)
        let fill = try (0..<4).map { _ in
            let peer = try Peer(.tcp)
            _ = fcntl(peer.number, F_SETFL, O_NONBLOCK)
            try peer.connect(try server.address)
            return peer
        }
        edge.send(request(1), .tcp, to: try server.address, origin: 9)
        #expect(eventually { edge.all(\.failed).map(\.origin) == [9] })
        #expect(edge.transport.counters.connections == 0)
        _ = fill
    }

    @Test("A peer that does not read fails the messages that do not fit the queue, and is closed")
    func fullQueue() throws {
        let edge = try Edge(Self.limits { $0.outputSize = 100_000 })
        let peer = try Peer(.tcp, receiveBuffer: 4096)
        try peer.connect(edge.streams)
        peer.send(request(1))
        #expect(eventually { edge.all(\.received).count == 1 })
        let flow = try #require(edge.all(\.received).first?.flow)
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: 60_000)
        for origin in 1...200 { edge.send(large, .tcp, to: flow.remote, origin: UInt64(origin), on: flow.connection) }
        #expect(eventually { edge.all(\.closed) == [flow] })
        #expect(eventually { edge.all(\.failed).contains { $0.origin == 200 } })
        let failed = edge.all(\.failed).map(\.origin)
        #expect(!failed.contains(1))
        #expect(Set(failed).count == failed.count)
    }

    @Test("A peer that takes nothing for the send time is closed, what waited fails")
    func slowReader() throws {
        let edge = try Edge(
            Self.limits {
                $0.sendTime = 300; $0.outputSize = 50_000_000
            })
        let peer = try Peer(.tcp, receiveBuffer: 4096)
        try peer.connect(edge.streams)
        #expect(eventually { edge.transport.counters.accepted == 1 })
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: 10_000_000)
        edge.send(large, .tcp, to: try peer.address, origin: 3)
        #expect(eventually { edge.all(\.closed).count == 1 })
        #expect(edge.all(\.failed).map(\.origin) == [3])
    }

    @Test("A slow reader gets every byte in order")
    func largeOutput() throws {
        let edge = try Edge(Self.limits { $0.outputSize = 50_000_000 })
        let peer = try Peer(.tcp, receiveBuffer: 4096)
        try peer.connect(edge.streams)
        #expect(eventually { edge.transport.counters.accepted == 1 })
        let text = (0..<40_000).map(request).joined()
        edge.send(text, .tcp, to: try peer.address, origin: 3)
        edge.send(request(1), .tcp, to: try peer.address, origin: 4)
        #expect(peer.receive(text.utf8.count + request(1).utf8.count) == text + request(1))
        #expect(edge.all(\.failed).isEmpty)
    }

    @Test("20.14: a message without Content-Length is handed up and can be answered, then its connection is closed")
    func noContentLength() throws {
        let edge = try Edge(echoes: true)
        let peer = try Self.connected(edge)
        let head = "OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n"
        peer.send(head + request(2))
        #expect(peer.receive() == head)
        #expect(peer.isClosed)
        #expect(edge.all(\.received).map(\.text) == [head])
        #expect(eventually { edge.all(\.closed).count == 1 })
    }

    @Test("The head of a message over the limit can be answered, then its connection is closed before the body comes")
    func tooLarge() throws {
        let edge = try Edge(echoes: true)
        let peer = try Self.connected(edge)
        let head = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 65536\r\n\r\n"
        peer.send(head)
        #expect(peer.receive() == head)
        #expect(peer.isClosed)
        #expect(edge.all(\.received).map(\.text) == [head])
    }

    @Test("Connections that come and go by the hundred leave nothing behind")
    func manyConnections() throws {
        let edge = try Edge(workers: 2, echoes: true)
        for index in 0..<300 {
            let peer = try Self.connected(edge)
            peer.send(request(index))
            #expect(peer.receive() == request(index))
        }
        #expect(eventually { edge.all(\.closed).count == 300 })
        #expect(edge.transport.counters.connections == 0)
        #expect(Set(edge.all(\.closed).map(\.connection)).count == 300)
    }
}
