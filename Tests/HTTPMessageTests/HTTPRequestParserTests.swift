import HTTPMessage
import Primitives
import Testing

@Suite struct HTTPRequestParserTests {
    static let stream =
        "\r\nGET /a%20b/?x=1 HTTP/1.1\r\nHost: h:80\r\nAccept: */*\r\n\r\n"
        + "POST /c HTTP/1.1\r\nHost:h\r\nContent-Length: 5\r\n\r\nhello"
        + "PUT http://x/d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "5;a=\"b;c\"\r\nhello\r\n00A\r\n, world, 1\r\n0\r\nTrailer: x\r\n\r\n"
        + "OPTIONS * HTTP/1.0\r\nConnection: close, Keep-Alive\r\n\r\n"
        + "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

    static let expected: [Outcome] = [
        .request("GET", path: ["a b", ""], body: "", isVersion10: false, keepsAlive: true),
        .request("POST", path: ["c"], body: "hello", isVersion10: false, keepsAlive: true),
        .request("PUT", path: ["d"], body: "hello, world, 1", isVersion10: false, keepsAlive: true),
        .request("OPTIONS", path: [], body: "", isVersion10: true, keepsAlive: false),
        .request("HEAD", path: [], body: "", isVersion10: true, keepsAlive: true),
    ]

    @Test("9112 2.2: pipelined requests are read wherever the stream is cut")
    func pipelinedRequestsAreReadWhereverCut() {
        let bytes = Array(Self.stream.utf8)
        for position in 0...bytes.count {
            #expect(outcomes([Array(bytes[..<position]), Array(bytes[position...])]) == Self.expected)
        }
        #expect(outcomes(bytes.map { [$0] }) == Self.expected)
    }

    @Test("A request carries its fields, its query, its raw path and its source")
    func requestCarriesItsParts() throws {
        let request = try #require(
            parsedRequest("GET /a%2Fb?x=1&y=a+b HTTP/1.1\r\nHost: h\r\nX-A:  v w \t\r\nx-a: 2\r\nX-B:\r\n\r\n"))
        #expect(request.path == ["a/b"])
        #expect(request.rawPath == "/a%2Fb")
        #expect(request.query["y"] == "a b")
        #expect(request.headers.values(of: "X-A") == ["v w", "2"])
        #expect(request.headers["x-b"] == "")
        #expect(request.source == IPAddress(ipv4: 0x7f00_0001))
    }

    @Test("9112 3.2.2: the authority of an absolute target replaces Host")
    func authorityReplacesHost() throws {
        let request = try #require(parsedRequest("GET HTTP://real:8080?q=1 HTTP/1.1\r\nHost: fake\r\n\r\n"))
        #expect(request.headers["Host"] == "real:8080")
        #expect(request.rawPath == "/")
        #expect(request.path == [])
        #expect(request.query["q"] == "1")
    }

    @Test(
        "9112 3: a request line that is not exactly three words is refused",
        arguments: [
            ("GET / HTTP/1.1 ", 400), ("GET  / HTTP/1.1", 400), ("GET /  HTTP/1.1", 400), ("GET /a b HTTP/1.1", 400),
            ("GET /", 400), ("GET / HTTP/1.1\tx", 400), ("G\u{1}T / HTTP/1.1", 400), ("G(T / HTTP/1.1", 400),
            ("GET / http/1.1", 400), ("GET / HTTP/1.10", 400), ("GET / HTTP/11", 400), ("GET / HTTP/2.0", 505),
            ("PRI * HTTP/2.0", 505), ("GET / HTTP/0.9", 505), ("CONNECT a:1 HTTP/1.1", 501), ("GET * HTTP/1.1", 400),
            ("GET a/b HTTP/1.1", 400), ("GET ftp://h/ HTTP/1.1", 400), ("GET http:///x HTTP/1.1", 400),
            ("GET http://u@h/ HTTP/1.1", 400), ("GET /a#b HTTP/1.1", 400), ("GET /\u{e9} HTTP/1.1", 400),
            ("GET /%4 HTTP/1.1", 400), ("GET /%zz HTTP/1.1", 400), ("GET /%00 HTTP/1.1", 400),
            ("GET /%ff HTTP/1.1", 400), ("GET /%c0%af HTTP/1.1", 400), ("GET /a/../b HTTP/1.1", 400),
            ("GET /a/%2e%2E HTTP/1.1", 400), ("GET /./a HTTP/1.1", 400), ("GET /a\\b HTTP/1.1", 400),
            ("GET /?a=% HTTP/1.1", 400), ("GET /?a=%fe HTTP/1.1", 400), ("\u{16}\u{3}\u{1}", 400),
        ])
    func requestLineIsRefused(line: String, status: Int) {
        #expect(outcomes(line + "\r\nHost: h\r\n\r\n") == [.failure(status)])
    }

    @Test(
        "9112 5: fields that two readers could read in two ways are refused",
        arguments: [
            "A: b\r\n c: d", " A: b", "A : b", ": b", "A", "A b: c", "A: b\u{0}c", "A: b\rc", "A: b\nC: d",
            "A: b\u{7f}",
            "A: \u{1b}[0m", "Host: i", "Host: h", "A(b): c",
        ])
    func fieldIsRefused(line: String) {
        #expect(outcomes(post(line)) == [.failure(400)])
    }

    @Test("9112 3.2: Host is required once, and must be one")
    func hostIsRequired() {
        #expect(outcomes("GET / HTTP/1.1\r\n\r\n") == [.failure(400)])
        #expect(outcomes("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") == [.failure(400)])
        #expect(outcomes("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == [.failure(400)])
        #expect(outcomes("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").first != .failure(400))
        #expect(outcomes("GET / HTTP/1.0\r\n\r\n").first != .failure(400))
    }

    @Test(
        "9112 6.3, 11.2: shapes by which requests are smuggled are refused",
        arguments: [
            (["Content-Length: 3", "Content-Length: 4"], 400), (["Content-Length: 3", "Content-Length: 3"], 400),
            (["Content-Length: 3, 3"], 400), (["Content-Length: +3"], 400), (["Content-Length: -3"], 400),
            (["Content-Length: 0x3"], 400), (["Content-Length:"], 400), (["Content-Length: 3 3"], 400),
            (["Content-Length: 99999999999999999999999"], 413), (["Content-Length: 1048577"], 413),
            (["Content-Length: 3", "Transfer-Encoding: chunked"], 400),
            (["Transfer-Encoding: chunked", "Content-Length: 3"], 400),
            (["Transfer-Encoding: gzip"], 400), (["Transfer-Encoding: chunked, gzip"], 400),
            (["Transfer-Encoding: gzip, chunked"], 501),
            (["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"], 501),
            (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400),
            (["Transfer-Encoding: chunked, chunked"], 400), (["Transfer-Encoding: xchunked"], 400),
            (["Transfer-Encoding: chunked;q=1"], 400), (["Transfer-Encoding: "], 400),
            (["Transfer-Encoding: identity"], 400), (["Transfer-Encoding : chunked"], 400),
        ] as [([String], Int)])
    func smugglingIsRefused(lines: [String], status: Int) {
        let text = "POST / HTTP/1.1\r\nHost: h\r\n" + lines.joined(separator: "\r\n") + "\r\n\r\n0\r\n\r\n"
        #expect(outcomes(text) == [.failure(status)])
    }

    @Test("9112 6.1: HTTP/1.0 has no Transfer-Encoding")
    func version10HasNoTransferEncoding() {
        #expect(outcomes("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == [.failure(400)])
    }

    @Test(
        "9112 7.1: a chunk that is not exactly one is refused",
        arguments: [
            ("+1\r\na\r\n", 400), ("-1\r\na\r\n", 400), ("0x1\r\na\r\n", 400), (" 1\r\na\r\n", 400),
            ("1 \r\na\r\n", 400),
            ("\r\na\r\n", 400), ("g\r\na\r\n", 400), ("1\na\r\n", 400), ("1\r\nab\r\n", 400), ("1\r\na\n0", 400),
            ("10000000000000000\r\n", 400), ("ffffffffffffffff\r\n", 413), ("7fffffffffffffff\r\n", 413),
            ("100001\r\n", 413), ("1;\u{0}\r\na\r\n", 400), ("1 x\r\na\r\n", 400), ("0\r\nA : b\r\n\r\n", 400),
            ("0\r\n folded\r\n\r\n", 400),
        ])
    func chunkIsRefused(body: String, status: Int) {
        #expect(outcomes(post("Transfer-Encoding: chunked", body: body)) == [.failure(status)])
    }

    @Test("9112 7.1: the extensions and the trailers of a chunked body are bounded")
    func chunkOverheadIsBounded() {
        let line = "Transfer-Encoding: chunked"
        let long = "1;" + String(repeating: "a", count: 1100) + "\r\na\r\n"
        #expect(outcomes(post(line, body: long)) == [.failure(400)])
        let many = String(repeating: "1;" + String(repeating: "a", count: 900) + "\r\na\r\n", count: 20)
        #expect(outcomes(post(line, body: many)) == [.failure(400)])
        let trailer = "0\r\n" + String(repeating: "A: b\r\n", count: 101)
        #expect(outcomes(post(line, body: trailer)) == [.failure(431)])
        let large = "0\r\n" + String(repeating: "A: " + String(repeating: "b", count: 1000) + "\r\n", count: 33)
        #expect(outcomes(post(line, body: large)) == [.failure(431)])
    }

    @Test("Limits: target 414, fields 431, body 413, each also before its end has come")
    func limitsHold() {
        var limits = HTTPLimits()
        limits.targetSize = 100
        limits.headerSize = 200
        limits.headerFields = 4
        limits.bodySize = 10
        let path = "/" + String(repeating: "a", count: 99)
        #expect(outcomes("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n", limits: limits).first != .failure(414))
        #expect(outcomes("GET \(path)a HTTP/1.1\r\nHost: h\r\n\r\n", limits: limits) == [.failure(414)])
        #expect(outcomes("GET \(path)\(path)", limits: limits) == [.failure(414)])
        let large = "A: " + String(repeating: "a", count: 200)
        #expect(outcomes(post(large), limits: limits) == [.failure(431)])
        #expect(outcomes("GET / HTTP/1.1\r\n" + large, limits: limits) == [.failure(431)])
        #expect(outcomes(post("A: 1", "A: 2", "A: 3", "A: 4"), limits: limits) == [.failure(431)])
        #expect(outcomes(post("Content-Length: 11"), limits: limits) == [.failure(413)])
        let chunks = "6\r\nabcdef\r\n5\r\n"
        #expect(outcomes(post("Transfer-Encoding: chunked", body: chunks), limits: limits) == [.failure(413)])
    }

    @Test("9112 2.2: empty lines before a request are tolerated, but not without end")
    func emptyLinesAreBounded() {
        let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        #expect(outcomes("\r\n\r\n" + request).first != .failure(400))
        #expect(outcomes(String(repeating: "\r\n", count: 5) + request) == [.failure(400)])
        #expect(outcomes("\n" + request) == [.failure(400)])
    }

    @Test("9110 10.1.1: 100-continue is reported once, when the body has not begun")
    func continueIsReported() {
        let head = post("Expect: 100-Continue", "Content-Length: 2")
        let done = Outcome.request("POST", path: ["a"], body: "ab", isVersion10: false, keepsAlive: true)
        #expect(outcomes([Array(head.utf8), Array("a".utf8), Array("b".utf8)]) == [.continuation, done])
        #expect(outcomes(head + "ab") == [done])
        #expect(outcomes(post("Expect: 100-continue", "Content-Length: 9999999")) == [.failure(413)])
        #expect(outcomes(post("Expect: 200-ok", "Content-Length: 2")) == [.failure(417)])
        #expect(outcomes(post("Expect: 100-continue", "Expect: x")) == [.failure(417)])
        #expect(!outcomes(post("Expect: 100-continue")).contains(.continuation))
    }

    @Test("A failure carries the format that its sender wants, and stays")
    func failureStays() {
        var parser = HTTPRequestParser(source: IPAddress(ipv4: 1))
        let text: ByteSlice = "GET /a.json HTTP/1.1\r\nHost: h\r\nbad\r\n"
        parser.append(text)
        for _ in 0..<2 {
            guard case .failure(let failure, let wantsJSON) = parser.next() else { return #expect(Bool(false)) }
            #expect(failure.status == 400)
            #expect(wantsJSON == true)
            parser.append("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        }
    }

    @Test("Any mutation of a stream is read the same way in one part and in many, and never traps")
    func mutationsNeverTrap() {
        var random = SeededGenerator(state: 9112)
        let spice: [[UInt8]] = ["\r\n", "\n", "\r", ":", " ", "%", "0", ";", ",", "\0", "ffffffffffffffff", "chunked"]
            .map { Array($0.utf8) }
        for _ in 0..<4000 {
            var bytes = Array(Self.stream.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: position)
                case 2: bytes.insert(contentsOf: spice.randomElement(using: &random) ?? [], at: position)
                default: bytes.removeSubrange(position..<min(bytes.count, position + 9))
                }
            }
            let whole = outcomes([bytes])
            let cut = Int.random(in: 0...bytes.count, using: &random)
            // Only whether the sender of a body waits can depend on how it comes.
            #expect(whole == outcomes([Array(bytes[..<cut]), Array(bytes[cut...])]).filter { $0 != .continuation })
            #expect(whole == outcomes(bytes.map { [$0] }).filter { $0 != .continuation })
        }
    }

    @Test("A large body that comes byte by byte is read in linear time")
    func byteByByteIsLinear() {
        let count = 300_000
        let head = Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(count)\r\n\r\n".utf8)
        var parser = HTTPRequestParser(source: IPAddress(ipv4: 1))
        head.withSlice { parser.append($0) }
        let byte: [UInt8] = [120]
        var size = 0
        for _ in 0..<count {
            byte.withSlice { parser.append($0) }
            if case .request(let request, _, _) = parser.next() { size = request.body.count }
        }
        #expect(size == count)
    }
}
