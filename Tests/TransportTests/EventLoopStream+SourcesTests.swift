import Primitives
import Testing

@testable import Transport

@Suite(.serialized) struct EventLoopStreamSourcesTests {
    @Test("At the limit of one address the oldest connection of its own goes on which nothing is proved")
    func perSourceUnproven() throws {
        let edge = try Edge(EventLoopStreamTests.limits { $0.connectionsPerSource = 2 })
        let first = try EventLoopStreamTests.connected(edge)
        first.send(request(1))
        #expect(eventually { edge.all(\.received).count == 1 })
        edge.recorders[0].log.withLock { $0.toProve = $0.received.map(\.flow.connection) }
        edge.transport.loops[0].wake()
        let second = try EventLoopStreamTests.connected(edge)
        #expect(eventually { edge.transport.counters.accepted == 2 })
        var strangers: [Peer] = []
        for number in 3...20 {
            let next = try EventLoopStreamTests.connected(edge)
            strangers.append(next)
            next.send("\r\n\r\n")
            #expect(next.receive() == "\r\n")
            #expect(eventually { edge.transport.counters.connections == 2 }, "\(number)")
        }
        #expect(second.isClosed)
        #expect(edge.transport.counters.refused == 0)
        #expect(edge.all(\.causes).filter { $0 == .sourceReplaced }.count == 18)
        first.send("\r\n\r\n")
        #expect(first.receive() == "\r\n", "a proved connection stays")
    }

    @Test("A source with clients may have more connections, and one without limit as many as it wants")
    func allowance() throws {
        let edge = try Edge(EventLoopStreamTests.limits { $0.connectionsPerSource = 2 })
        edge.recorders[0].log.withLock { $0.allowance = 1 }
        var peers = try (0..<3).map { _ in try EventLoopStreamTests.connected(edge) }
        #expect(eventually { edge.transport.counters.accepted == 3 })
        #expect(edge.all(\.causes).isEmpty)
        edge.recorders[0].log.withLock { $0.allowance = .max }
        peers += try (0..<10).map { _ in try EventLoopStreamTests.connected(edge) }
        #expect(eventually { edge.transport.counters.accepted == 13 })
        #expect(edge.transport.counters.connections == 13)
        #expect(edge.all(\.causes).isEmpty)
        withExtendedLifetime(peers) {}
    }

    @Test("One address gets no more connections than the limit allows, and gets them again after closing")
    func perSource() throws {
        let edge = try Edge(EventLoopStreamTests.limits { $0.connectionsPerSource = 2 })
        var peers = try (0..<2).map { _ in try EventLoopStreamTests.connected(edge) }
        for peer in peers { peer.send(request(1)) }
        #expect(eventually { edge.all(\.received).count == 2 })
        edge.recorders[0].log.withLock { $0.toProve = $0.received.map(\.flow.connection) }
        edge.transport.loops[0].wake()
        #expect(eventually { edge.recorders[0].log.withLock { $0.proved >= 2 } })
        #expect(try EventLoopStreamTests.connected(edge).isClosed)
        #expect(eventually { edge.transport.counters.refused == 1 })
        peers.removeLast()
        #expect(eventually { edge.transport.counters.connections == 1 })
        let again = try EventLoopStreamTests.connected(edge)
        again.send("\r\n\r\n")
        #expect(again.receive() == "\r\n")
    }
}
