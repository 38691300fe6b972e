import Glibc
import Primitives
import Testing

@testable import Transport

@Suite(.serialized) struct EventLoopDatagramTests {
    @Test("Datagrams of many peers are answered to each of them, through two loops")
    func echo() throws {
        let edge = try Edge(workers: 2, echoes: true)
        let peers = try (0..<32).map { _ in try Peer(.udp) }
        for (index, peer) in peers.enumerated() {
            try peer.connect(edge.datagrams)
            peer.send(request(index))
        }
        for (index, peer) in peers.enumerated() { #expect(peer.receive() == request(index)) }
        #expect(edge.recorders.allSatisfy { recorder in recorder.log.withLock { !$0.received.isEmpty } })
        for (_, flow) in edge.all(\.received) {
            #expect(flow.transport == .udp && flow.listener == 0 && flow.connection == 0)
        }
    }

    @Test("A thousand datagrams of one peer come once each and in their order")
    func batch() throws {
        let edge = try Edge(echoes: true)
        let peer = try Peer(.udp)
        try peer.connect(edge.datagrams)
        for index in 0..<1000 { peer.send(request(index)) }
        for index in 0..<1000 { #expect(peer.receive() == request(index)) }
        #expect(edge.all(\.received).map(\.text) == (0..<1000).map(request))
        let remote = try peer.address
        #expect(edge.all(\.received).allSatisfy { $0.flow.remote == remote })
        #expect(eventually { edge.transport.counters.sent == 1000 })
        #expect(edge.transport.counters.received == 1000)
    }

    @Test("RFC 5626 4.4: keepalives are neither handed up nor answered")
    func keepalives() throws {
        let edge = try Edge(echoes: true)
        let peer = try Peer(.udp)
        try peer.connect(edge.datagrams)
        for keepalive in ["", "\r\n", "\r\n\r\n", "\0", "\0\0\0\0", "jaK", String(repeating: "\r\n", count: 50)] {
            peer.send(keepalive)
        }
        peer.send(request(1))
        #expect(peer.receive() == request(1))
        #expect(edge.all(\.received).count == 1)
        #expect(eventually { edge.transport.counters.ignored == 7 })
    }

    @Test("7.5: line ends before a message are left out")
    func leadingLineEnds() throws {
        let edge = try Edge()
        let peer = try Peer(.udp)
        try peer.connect(edge.datagrams)
        peer.send("\r\n\r\n" + request(1))
        #expect(eventually { edge.all(\.received).map(\.text) == [request(1)] })
    }

    @Test("18.1.1: the largest datagram goes both ways, a larger message fails")
    func largest() throws {
        let edge = try Edge(echoes: true)
        let peer = try Peer(.udp)
        try peer.connect(edge.datagrams)
        let largest = String(repeating: "x", count: 65_507)
        peer.send(largest)
        #expect(peer.receive() == largest)
        edge.send(largest + "x", .udp, to: try peer.address, origin: 7)
        edge.send(request(1), .udp, to: try peer.address, origin: 8)
        #expect(peer.receive() == request(1))
        #expect(eventually { edge.all(\.failed).map(\.origin) == [7] })
    }

    @Test("18.4: a datagram to a port that nobody has comes back as unreachable, and others go on")
    func unreachable() throws {
        let edge = try Edge(echoes: true)
        let closed = try Peer(.udp).address
        let peer = try Peer(.udp)
        try peer.connect(edge.datagrams)
        for index in 0..<100 {
            edge.send(request(index), .udp, to: closed, origin: 1)
            edge.send(request(1000 + index), .udp, to: try peer.address, origin: 2)
        }
        for index in 0..<100 { #expect(peer.receive() == request(1000 + index)) }
        #expect(eventually { !edge.all(\.unreachable).isEmpty })
        for (text, flow) in edge.all(\.unreachable) {
            #expect(text.hasPrefix("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: "))
            #expect(flow.remote == closed && flow.transport == .udp)
        }
        #expect(edge.all(\.failed).isEmpty)
        // Input goes on too.
        peer.send(request(5))
        #expect(peer.receive() == request(5))
    }

    @Test("A message to an address of another family, or by a listener that does not exist, fails")
    func noWay() throws {
        let edge = try Edge()
        edge.send(request(1), .udp, to: SocketAddress(address: IPAddress(high: 0, low: 1), port: 9), origin: 3)
        edge.recorders[0].log.withLock { log in
            let remote = SocketAddress(address: Edge.loopback, port: 9)
            for transport in [TransportProtocol.udp, .tcp] {
                for listener in [UInt16(transport == .udp ? 1 : 0), 2, .max] {
                    let flow = Flow(transport: transport, listener: listener, remote: remote)
                    log.toSend.append((Array(request(1).utf8), flow, 4))
                }
            }
        }
        edge.transport.loops[0].wake()
        #expect(eventually { edge.all(\.failed).map(\.origin).sorted() == [3, 4, 4, 4, 4, 4, 4] })
        #expect(edge.transport.counters.dropped == 7)
    }

    @Test("IPv6 works as IPv4 does", .enabled(if: hasIPv6))
    func ipv6() throws {
        let address = IPAddress(high: 0, low: 1)
        let edge = try Edge(echoes: true, address: address)
        let peer = try Peer(.udp, on: address)
        try peer.connect(edge.datagrams)
        peer.send(request(1))
        #expect(peer.receive() == request(1))
        let remote = try peer.address
        #expect(edge.all(\.received).first?.flow.remote == remote)
        let closed = try Peer(.udp, on: address).address
        edge.send(request(2), .udp, to: closed, origin: 1)
        #expect(eventually { edge.all(\.unreachable).first?.text == request(2) })
        let stream = try Peer(.tcp, on: address)
        try stream.connect(edge.streams)
        stream.send(request(3))
        #expect(stream.receive() == request(3))
    }

    @Test("Another thread sends with a sender of its own, failures come to the loop's delegate")
    func otherThread() throws {
        let edge = try Edge(workers: 2)
        let peer = try Peer(.udp)
        let sender = edge.transport.makeSender(reportingTo: 1)
        var outbox = Outbox()
        let remote = try peer.address
        for index in 0..<200 {
            outbox.send(
                ByteSlice("0123456789ab"), to: Flow(transport: .udp, listener: 0, remote: remote), origin: UInt64(index)
            )
        }
        let unknown = Flow(transport: .tcp, listener: 1, remote: remote, connection: 12345)
        outbox.send("lost", to: unknown, origin: 99)
        sender.send(&outbox)
        #expect(outbox.messages.isEmpty)
        for _ in 0..<200 { #expect(peer.receive() == "0123456789ab") }
        #expect(eventually { edge.recorders[1].log.withLock { $0.failed.map(\.origin) } == [99] })
        #expect(edge.recorders[0].log.withLock { $0.failed.isEmpty })
    }

    @Test("Ticks come every 10 ms while the delegate is busy, else every 100 ms")
    func ticks() throws {
        let edge = try Edge()
        edge.recorders[0].log.withLock { $0.busy = true }
        usleep(200_000)
        edge.recorders[0].log.withLock { $0.ticks = 0 }
        usleep(500_000)
        let busy = edge.recorders[0].log.withLock { log in
            log.busy = false
            return log.ticks
        }
        #expect((20...51).contains(busy))
        usleep(150_000)
        edge.recorders[0].log.withLock { $0.ticks = 0 }
        usleep(500_000)
        #expect((2...6).contains(edge.recorders[0].log.withLock { $0.ticks }))
    }

    static let hasIPv6 = (try? Peer(.udp, on: IPAddress(high: 0, low: 1))) != nil
}
