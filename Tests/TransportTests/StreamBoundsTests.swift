import Glibc
import Primitives
import Testing

@testable import Transport

@Suite("What streams may take: places, time and memory, of strangers most of all", .serialized)
struct StreamBoundsTests {
    private static func limits(_ change: (inout TransportLimits) -> Void) -> TransportLimits {
        var limits = TransportLimits()
        change(&limits)
        return limits
    }

    private static func connected(_ edge: Edge) throws -> Peer {
        let peer = try Peer(.tcp)
        try peer.connect(edge.streams)
        return peer
    }

    private func request(length: Int) -> String {
        "OPTIONS sip:a SIP/2.0\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test("AST-2016-005: a connection on which nothing is proved has a short life, one with proof lives on")
    func unprovenTime() throws {
        let edge = try Edge(Self.limits { $0.unprovenTime = 400 })
        let (stranger, client) = (try Self.connected(edge), try Self.connected(edge))
        client.send(request(length: 0))
        #expect(eventually { edge.all(\.received).count == 1 })
        let proven = try #require(edge.all(\.received).first?.flow.connection)
        edge.recorders[0].log.withLock { $0.toProve = [proven] }
        // Pings prove nothing.
        for _ in 0..<6 {
            stranger.send("\r\n\r\n")
            _ = stranger.receive()
            usleep(100_000)
        }
        #expect(stranger.isClosed)
        #expect(edge.all(\.causes) == [.unproven])
        client.send("\r\n\r\n")
        #expect(client.receive() == "\r\n")
    }

    @Test("Where all places are taken the oldest stranger goes, and a client never")
    func replaced() throws {
        let edge = try Edge(Self.limits { $0.connections = 3 })
        let client = try Self.connected(edge)
        client.send(request(length: 0))
        #expect(eventually { edge.all(\.received).count == 1 })
        let proven = try #require(edge.all(\.received).first?.flow.connection)
        edge.recorders[0].log.withLock { $0.toProve = [proven] }
        edge.transport.loops[0].wake()
        usleep(50_000)
        var strangers: [Peer] = []
        for number in 0..<6 {
            strangers.append(try Self.connected(edge))
            #expect(eventually { edge.transport.counters.accepted == UInt64(number + 2) })
        }
        for old in strangers.prefix(4) { #expect(old.isClosed) }
        #expect(eventually { edge.transport.counters.connections == 3 })
        #expect(edge.all(\.causes) == [.replaced, .replaced, .replaced, .replaced])
        for alive in [client] + strangers.suffix(2) {
            alive.send("\r\n\r\n")
            #expect(alive.receive() == "\r\n")
        }
    }

    @Test("Where all places are taken by clients there is none left")
    func full() throws {
        let edge = try Edge(Self.limits { $0.connections = 2 })
        let clients = try (0..<2).map { _ in try Self.connected(edge) }
        for client in clients { client.send(request(length: 0)) }
        #expect(eventually { edge.all(\.received).count == 2 })
        let proven = edge.all(\.received).map(\.flow.connection)
        edge.recorders[0].log.withLock { $0.toProve = proven }
        edge.transport.loops[0].wake()
        usleep(50_000)
        #expect(try Self.connected(edge).isClosed)
        #expect(eventually { edge.all(\.causes) == [.tableFull] })
    }

    @Test("Incomplete messages of all strangers together have a quarter of the memory, and none of it is kept")
    func inputMemory() throws {
        let edge = try Edge(Self.limits { $0.streamMemory = 400_000 })
        let strangers = try (0..<10).map { _ in try Self.connected(edge) }
        for stranger in strangers { stranger.send(request(length: 60_000) + String(repeating: "x", count: 30_000)) }
        // 3 are 90 kB and a fourth is too much; each that goes makes room for the next.
        #expect(eventually { edge.all(\.causes).contains(.memory) })
        #expect(edge.transport.counters.streamBytes <= 130_000)
        #expect(edge.all(\.causes).allSatisfy { $0 == .memory })
        for stranger in strangers { shutdown(stranger.number, Int32(SHUT_RDWR)) }
        #expect(eventually { edge.transport.counters.connections == 0 })
        #expect(edge.transport.counters.streamBytes == 0)
    }

    @Test("What waits for peers that do not read is counted, bounded over all of them, and given back")
    func outputMemory() throws {
        let edge = try Edge(
            Self.limits {
                $0.streamMemory = 1_000_000
                $0.outputSize = 100_000_000
            })
        let peers = try (0..<2).map { _ in try Peer(.tcp, receiveBuffer: 4096) }
        for peer in peers {
            try peer.connect(edge.streams)
            peer.send(request(length: 0))
        }
        #expect(eventually { edge.all(\.received).count == 2 })
        let flows = edge.all(\.received).map(\.flow)
        edge.recorders[0].log.withLock { $0.toProve = flows.map(\.connection) }
        let message = [UInt8](repeating: 120, count: 60_000)
        for _ in 0..<120 {
            for flow in flows { edge.send(message, .tcp, to: flow.remote, origin: 1, on: flow.connection) }
        }
        #expect(eventually(20) { edge.all(\.causes).contains(.memory) })
        #expect(edge.transport.counters.streamBytes < 1_100_000)
        #expect(!edge.all(\.failed).isEmpty)
        for peer in peers { shutdown(peer.number, Int32(SHUT_RDWR)) }
        #expect(eventually { edge.transport.counters.connections == 0 })
        #expect(edge.transport.counters.streamBytes == 0)
    }

    @Test("A peer that takes nothing for the send time fails what waits for it, also what the kernel has taken already")
    func sendTime() throws {
        let edge = try Edge(Self.limits { $0.sendTime = 400 })
        let peer = try Peer(.tcp, receiveBuffer: 4096)
        try peer.connect(edge.streams)
        peer.send(request(length: 0))
        #expect(eventually { edge.all(\.received).count == 1 })
        let flow = try #require(edge.all(\.received).first?.flow)
        // Few enough that all of it fits into the kernel's buffer: nothing waits here.
        for _ in 0..<3 { edge.send([UInt8](repeating: 120, count: 60_000), .tcp, to: flow.remote, on: flow.connection) }
        #expect(eventually { edge.all(\.closed) == [flow] })
    }
}
