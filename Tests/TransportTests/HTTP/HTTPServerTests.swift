import Glibc
import HTTPMessage
import Primitives
import Testing

@testable import Transport

@Suite(.serialized) struct HTTPServerTests {
    static func upload(_ body: String, _ lines: String...) -> String {
        "POST /echo HTTP/1.1\r\nHost: h\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n" + body
    }

    @Test("9112 9.3: a connection stays for further requests, and counts once")
    func connectionStays() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        for index in 0..<3 {
            peer.send(Self.upload("body\(index)", "Content-Length: 5"))
            let expected = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody\(index)"
            #expect(peer.response(endingWith: "body\(index)") == expected)
        }
        let counters = site.server.counters
        #expect(counters.accepted == 1 && counters.open == 1 && counters.requests == 3)
        #expect(counters.clientFailures == 0)
    }

    @Test("9112 9.3.2: a hundred pipelined requests are answered in their order")
    func pipelinedRequestsAreAnsweredInOrder() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        peer.send((0..<100).map { get("/\($0)/") }.joined())
        let text = peer.receive(until: "/99/")
        let bodies = text.split(separator: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
        #expect(bodies.map(String.init) == (0..<100).map { "/\($0)/" })
        #expect(site.server.counters.clientFailures == 100)
    }

    @Test("9112 9.6: Connection: close and HTTP/1.0 end the connection after the response")
    func connectionEnds() throws {
        let site = try HTTPSite()
        let closed = try site.answer(to: get("/echo", "Connection: close"))
        #expect(closed.contains("Connection: close\r\n") && closed.contains(" 200 "))
        #expect(try site.answer(to: "GET /echo HTTP/1.0\r\n\r\n").contains("Connection: close\r\n"))
        #expect(eventually { site.server.counters.open == 0 })
    }

    @Test("9112 7.1: a chunked upload that comes in pieces is put together")
    func chunkedUploadIsPutTogether() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        for part in Self.upload("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n", "Transfer-Encoding: chunked").utf8 {
            peer.send([part])
        }
        #expect(peer.response(endingWith: "world") == "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world")
    }

    @Test("9110 9.3.2: HEAD is answered by the head alone")
    func headHasNoBody() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        peer.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\nHEAD /large HTTP/1.1\r\nHost: h\r\n\r\n")
        let expected =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
        #expect(peer.response(endingWith: "Length: 3\r\n\r\n") == expected)
    }

    @Test("9110 10.1.1: who expects 100 is told to go on, another expectation is 417")
    func expectationIsAnswered() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        peer.send(Self.upload("", "Content-Length: 5", "Expect: 100-continue"))
        #expect(peer.receive() == "HTTP/1.1 100 Continue\r\n\r\n")
        peer.send("hello")
        #expect(peer.response(endingWith: "hello").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(try site.answer(to: Self.upload("", "Content-Length: 5", "Expect: x")).hasPrefix("HTTP/1.1 417 "))
    }

    @Test("A refusal has the body of the given format, ends the connection, and reaches a peer that still sends")
    func refusalReachesItsPeer() throws {
        let site = try HTTPSite { $0.limits.bodySize = 1000 }
        let peer = try site.connected()
        peer.send(Self.upload(String(repeating: "x", count: 200_000), "Content-Length: 200000"))
        let text = peer.receiveAll()
        #expect(text.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
        #expect(text.contains("Content-Type: text/plain; charset=utf-8\r\n"))
        #expect(text.contains("Connection: close\r\n") && text.hasSuffix("The body is too large.\n"))
        #expect(try site.answer(to: "\u{16}\u{3}\u{1}").hasPrefix("HTTP/1.1 400 "))
        #expect(try site.answer(to: "GET / HTTP/3.0\r\n\r\n").hasPrefix("HTTP/1.1 505 "))
        #expect(site.server.counters.clientFailures == 2)
        #expect(site.server.counters.serverFailures == 1)
    }

    @Test("9112 9.6: after a refusal the connection is taken in for a while, so that no reset destroys the answer")
    func refusedConnectionLingers() throws {
        let site = try HTTPSite { $0.farewellTime = 300 }
        let peer = try site.connected()
        peer.send(Self.upload("", "Content-Length: 99999999"))
        #expect(peer.receiveAll().hasPrefix("HTTP/1.1 413 "))
        for _ in 0..<3 {
            #expect(peer.send("x") == 1)
            usleep(20_000)
        }
        #expect(eventually { site.server.counters.open == 0 })
    }

    @Test("9112 9.5: a client that shuts its side after requests gets all answers, then the end")
    func halfCloseIsAnswered() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        peer.send(get("/wait") + get("/large?count=300000") + get("/echo/last"))
        shutdown(peer.number, Int32(SHUT_WR))
        usleep(50_000)
        site.stage.isOpen.store(true, ordering: .relaxed)
        let text = peer.receiveAll()
        #expect(occurrences(of: "HTTP/1.1 200 OK", in: text) == 3)
        #expect(text.utf8.count > 300_000)
        #expect(eventually { site.server.counters.open == 0 })
    }

    @Test("A client that resets while its request is answered leaves nothing behind")
    func resetIsHandled() throws {
        let site = try HTTPSite()
        var peer: Peer? = try site.connected()
        peer?.send(get("/wait"))
        #expect(eventually { site.stage.begun.load(ordering: .relaxed) == 1 })
        if let peer {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(peer.number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
        peer = nil
        #expect(eventually { site.server.counters.open == 0 })
        site.stage.isOpen.store(true, ordering: .relaxed)
        #expect(try site.answer(to: get("/echo", "Connection: close")).contains(" 200 "))
    }

    @Test("The source is what a trusted proxy says, and the peer otherwise", arguments: [true, false])
    func sourceIsForwarded(trusted: Bool) throws {
        let site = try HTTPSite { settings in
            if trusted { settings.trustedProxies = TrustedProxies([IPNetwork(Edge.loopback)]) }
        }
        let text = try site.answer(to: get("/source", "X-Forwarded-For: 192.0.2.7", "Connection: close"))
        #expect(text.hasSuffix(trusted ? "192.0.2.7" : "127.0.0.1"))
    }

    @Test("IPv6 is served, and an address that is taken is an error that names it")
    func addressesAreBound() throws {
        let site = try HTTPSite(IPAddress(high: 0, low: 1))
        #expect(try site.answer(to: get("/source", "Connection: close")).hasSuffix("::1"))
        let settings = HTTPServerSettings(addresses: site.server.addresses)
        let stage = site.stage
        #expect(throws: TransportError.self) {
            try HTTPServer(settings: settings, makeHandler: { StagedHandler(stage) })
        }
    }

    @Test("A handler that cannot be made fails the start, and no thread stays")
    func handlerFailureFailsStart() throws {
        struct Failure: Error {}
        let settings = HTTPServerSettings(addresses: [SocketAddress(address: Edge.loopback, port: 0)])
        let server = try HTTPServer(settings: settings, makeHandler: { throw Failure() })
        #expect(throws: Failure.self) { try server.start() }
    }

    @Test("Stop ends idle connections at once, finishes running responses, and cuts off the rest")
    func stopFinishesResponses() throws {
        let site = try HTTPSite { $0.stopTime = 2000 }
        let idle = try site.connected()
        let running = try site.connected()
        running.send(get("/wait"))
        #expect(eventually { site.stage.begun.load(ordering: .relaxed) == 1 })
        let stage = site.stage
        let release = Peer.later(100_000) { stage.isOpen.store(true, ordering: .relaxed) }
        let start = System.now().instant
        site.server.stop()
        pthread_join(release, nil)
        #expect(System.now().instant.milliseconds(since: start) < 1500)
        #expect(idle.isClosed)
        #expect(running.receiveAll().hasSuffix("waited"))
        site.server.stop()
    }
}

extension Peer {
    /// Calls `body` on a thread of its own after so many microseconds.
    static func later(_ microseconds: UInt32, _ body: @escaping @Sendable () -> Void) -> pthread_t {
        final class Box { let run: () -> Void; init(_ run: @escaping () -> Void) { self.run = run } }
        let box = Unmanaged.passRetained(
            Box {
                usleep(microseconds)
                body()
            })
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        return thread
    }
}
