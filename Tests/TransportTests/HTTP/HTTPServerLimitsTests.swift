import Glibc
import HTTPMessage
import Primitives
import Testing

@testable import Transport

@Suite(.serialized) struct HTTPServerLimitsTests {
    @Test("9110 15.5.9: a head that is too slow is answered 408, a connection without one is closed")
    func slowHeadIsAnswered() throws {
        let site = try HTTPSite { $0.headTime = 200 }
        let silent = try site.connected()
        let slow = try site.connected()
        let start = System.now().instant
        slow.send("GET / HTTP/1.1\r\nHost: h\r\nA: ")
        // A byte now and then does not help.
        while System.now().instant.milliseconds(since: start) < 400 {
            slow.send("x")
            usleep(20_000)
        }
        #expect(slow.receive(until: "\n\r\n").hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(silent.isClosed)
        #expect(site.server.counters.timeouts == 1)
    }

    @Test("A body that is too slow is answered 408, whether it pauses or trickles", arguments: [true, false])
    func slowBodyIsAnswered(pauses: Bool) throws {
        let site = try HTTPSite { settings in
            settings.headTime = pauses ? 200 : 5000
            settings.bodyTime = pauses ? 5000 : 200
        }
        let peer = try site.connected()
        peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")
        for _ in 0..<(pauses ? 1 : 15) {
            peer.send("x")
            usleep(20_000)
        }
        #expect(peer.receive(until: "\n\r\n").hasPrefix("HTTP/1.1 408 "))
        #expect(site.server.counters.timeouts == 1)
    }

    @Test("9112 9.5: a connection without a further request is closed after the idle time, a busy one is not")
    func idleConnectionIsClosed() throws {
        let site = try HTTPSite { $0.idleTime = 200 }
        let idle = try site.connected()
        let busy = try site.connected()
        idle.send(get("/echo"))
        _ = idle.response()
        for _ in 0..<5 {
            busy.send(get("/echo"))
            #expect(busy.response().contains(" 200 "))
            usleep(80_000)
        }
        #expect(idle.isClosed)
        #expect(site.server.counters.open == 1)
        #expect(site.server.counters.timeouts == 0)
    }

    @Test("A handler may take longer than all limits of time")
    func handlerIsNotLimited() throws {
        let site = try HTTPSite { settings in
            settings.idleTime = 50
            settings.headTime = 50
            settings.sendTime = 50
        }
        let peer = try site.connected()
        peer.send(get("/wait"))
        usleep(300_000)
        site.stage.isOpen.store(true, ordering: .relaxed)
        #expect(peer.receive(until: "waited").hasSuffix("waited"))
    }

    @Test("A connection beyond the limit is answered 503, and one is taken again when another has ended")
    func connectionsAreLimited() throws {
        let site = try HTTPSite { $0.connections = 2 }
        var peers = try (0..<2).map { _ in try site.connected() }
        for peer in peers {
            peer.send(get("/echo"))
            #expect(peer.response().contains(" 200 "))
        }
        let text = try site.answer(to: get("/echo"))
        #expect(text.hasPrefix("HTTP/1.1 503 ") && text.contains("Retry-After: 1\r\n"))
        #expect(site.server.counters.refused == 1)
        peers.removeLast()
        #expect(eventually { site.server.counters.open == 1 })
        #expect(try site.answer(to: get("/echo", "Connection: close")).contains(" 200 "))
    }

    @Test("A source may have only so many connections when that is set")
    func connectionsPerSourceAreLimited() throws {
        let site = try HTTPSite { $0.connectionsPerSource = 1 }
        do {
            let first = try site.connected()
            first.send(get("/echo"))
            #expect(first.response().contains(" 200 "))
            #expect(try site.answer(to: get("/echo")).hasPrefix("HTTP/1.1 503 "))
        }
        #expect(eventually { site.server.counters.open == 0 })
        #expect(try site.answer(to: get("/echo", "Connection: close")).contains(" 200 "))
    }

    @Test("A flood of refused connections is bounded, and does not stop those that are open")
    func refusalsAreBounded() throws {
        let site = try HTTPSite { $0.connections = 1 }
        let peer = try site.connected()
        peer.send(get("/echo"))
        #expect(peer.response().contains(" 200 "))
        let flood = try (0..<150).map { _ in try site.connected() }
        #expect(eventually { site.server.counters.refused == 150 })
        peer.send(get("/echo"))
        #expect(peer.response().contains(" 200 "))
        #expect(flood.count == 150)
    }

    @Test("When all handlers are busy and the queue is full, a request is answered 503 and its connection stays")
    func saturationIsAnswered() throws {
        let site = try HTTPSite { settings in
            settings.handlerThreads = 2
            settings.queueLimit = 3
        }
        let waiting = try (0..<5).map { _ in try site.connected() }
        for peer in waiting {
            peer.send(get("/wait"))
            usleep(20_000)
        }
        #expect(eventually { site.stage.begun.load(ordering: .relaxed) == 2 })
        let peer = try site.connected()
        for _ in 0..<2 {
            peer.send(get("/echo"))
            let text = peer.receive(until: "waiting.\n")
            #expect(text.hasPrefix("HTTP/1.1 503 ") && text.contains("Retry-After: 1\r\n"))
        }
        #expect(site.server.counters.saturated == 2)
        site.stage.isOpen.store(true, ordering: .relaxed)
        for peer in waiting { #expect(peer.receive(until: "waited").hasSuffix("waited")) }
        peer.send(get("/echo"))
        #expect(peer.response().contains(" 200 "))
    }
}
