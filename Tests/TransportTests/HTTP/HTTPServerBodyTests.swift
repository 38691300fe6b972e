import Glibc
import HTTPMessage
import Primitives
import Testing

@testable import Transport

@Suite(.serialized) struct HTTPServerBodyTests {
    @Test("9112 7.1: a stream is sent in chunks, and the connection stays")
    func streamIsChunked() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        peer.send(get("/stream?count=2"))
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(peer.response(endingWith: "\r\n0\r\n\r\n") == head + "4\r\npart\r\n4\r\npart\r\n0\r\n\r\n")
        peer.send(get("/echo"))
        #expect(peer.response().contains(" 200 "))
        #expect(eventually { site.stage.released.load(ordering: .relaxed) == 1 })
    }

    @Test("9112 6.3: to HTTP/1.0 a stream is sent until the connection closes")
    func streamToVersion10Ends() throws {
        let site = try HTTPSite()
        let text = try site.answer(to: "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(text.hasSuffix("Connection: close\r\n\r\npartpartpart"))
    }

    @Test("A long stream comes whole, with a pipelined request after it")
    func longStreamComesWhole() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        peer.send(get("/stream?count=200000") + get("/last"))
        let text = peer.receive(until: "\r\n\r\n/last")
        #expect(occurrences(of: "4\r\npart\r\n", in: text) == 200_000)
        #expect(text.contains("\r\n0\r\n\r\nHTTP/1.1 404 "))
    }

    @Test("A stream that fails breaks the connection off without its last chunk")
    func failedStreamBreaksOff() throws {
        let site = try HTTPSite()
        let peer = try site.connected()
        peer.send(get("/broken?count=20000"))
        #expect(!peer.receiveAll().contains("\r\n0\r\n\r\n"))
        // The peer is still there: it is the server that has ended the connection.
        #expect(eventually { site.server.counters.open == 0 })
        #expect(peer.isClosed)
        #expect(eventually { site.stage.released.load(ordering: .relaxed) == 1 })
    }

    @Test("A peer that does not read holds up its stream, fills no memory, and is cut off")
    func slowReaderIsBounded() throws {
        let site = try HTTPSite { settings in
            settings.sendTime = 400
            settings.handlerThreads = 1
        }
        let peer = try site.connected(receiveBuffer: 4096)
        peer.send(get("/endless"))
        #expect(eventually { site.stage.parts.load(ordering: .relaxed) > 0 })
        usleep(200_000)
        // What the kernel buffers, and a little more, of the gigabyte.
        #expect(site.stage.parts.load(ordering: .relaxed) < 1000)
        // The only handler thread is free meanwhile.
        #expect(try site.answer(to: get("/echo", "Connection: close")).contains(" 200 "))
        #expect(eventually { site.server.counters.open == 0 })
        #expect(site.server.counters.timeouts == 1)
        #expect(eventually { site.stage.released.load(ordering: .relaxed) == 1 })
    }

    @Test("A peer that reads slowly but steadily gets a large body whole")
    func steadyReaderGetsAll() throws {
        let site = try HTTPSite { $0.sendTime = 300 }
        let peer = try site.connected(receiveBuffer: 32_768)
        peer.send(get("/large?count=3000000", "Connection: close"))
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 60_000)
        while true {
            let length = recv(peer.number, &buffer, buffer.count, 0)
            if length <= 0 { break }
            count += length
            usleep(5_000)
        }
        #expect(count > 3_000_000)
        #expect(site.server.counters.timeouts == 0)
    }

    @Test(
        "Pipelined bytes wait in the network while a request is answered, and while its response is not taken",
        arguments: ["/wait", "/large?count=20000000"])
    func pipelineIsBounded(path: String) throws {
        let site = try HTTPSite()
        let peer = try site.connected(receiveBuffer: 65_536)
        peer.send(get(path))
        #expect(eventually { site.stage.begun.load(ordering: .relaxed) == 1 })
        // More than the buffer and the kernel hold is not taken.
        let more = Array(String(repeating: get("/echo"), count: 2000).utf8)
        var sent = 0
        var refusals = 0
        while sent < 64_000_000, refusals < 3 {
            let length = Glibc.send(peer.number, more, more.count, Int32(MSG_DONTWAIT))
            if length <= 0 { usleep(20_000) }
            refusals = length > 0 ? 0 : refusals + 1
            sent += max(0, length)
        }
        #expect(sent < 32_000_000)
        site.stage.isOpen.store(true, ordering: .relaxed)
        #expect(peer.receive(until: "Content-Length: ").contains(" 200 OK"))
    }
}
