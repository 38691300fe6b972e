import CallControl
import Foundation
import Glibc
import Primitives
import Synchronization
import Testing

@testable import Webhooks

@Suite struct WebClientTests {
    /// A client that may ask this machine; names are those of a table.
    static func client(_ change: (inout WebhookSettings) -> Void = { _ in }, names: [String: [IPAddress]] = [:]) throws
        -> WebClient
    {
        var settings = WebhookSettings()
        settings.deadline = 3_000
        change(&settings)
        return try WebClient(settings) { host, completion in completion(names[host]) }
    }

    static func request(
        _ url: String, _ method: WebAddress.Method = .post, _ parameters: [(String, String)] = [("From", "alice")],
        secret: String = "token"
    ) -> WebhookRequest {
        WebhookRequest(
            id: 1, address: WebAddress(url, method),
            parameters: parameters.map { WebhookRequest.Parameter($0.0, $0.1) }, secret: secret)
    }

    static func fetch(_ client: WebClient, _ request: WebhookRequest, isCallback: Bool = false) async -> WebhookReport {
        await withCheckedContinuation { continuation in
            client.fetch(request, isCallback: isCallback) { continuation.resume(returning: $0) }
        }
    }

    static func kind(_ report: WebhookReport) -> WebhookFailure.Kind? {
        if case .failed(let failure) = report.answer { failure.kind } else { nil }
    }

    static func note(_ report: WebhookReport) -> CallNotification? {
        if case .failed(let failure) = report.answer { failure.notification } else { nil }
    }

    static let loopback = IPAddress(ipv4: 0x7f00_0001)

    @Test func `A POST brings the parameters as a form in UTF-8, with Accept, User-Agent and a signature`() async throws
    {
        let server = WebServer { WebServer.write($1, fields: "X-Mood: good\r\n") }
        let client = try Self.client { $0.userAgent = "Rollcall/9" }
        let report = await Self.fetch(
            client, Self.request(server.url("/a?b=c"), .post, [("From", "älice +&="), ("To", "")]))
        guard case .document(let document, let headers) = report.answer else {
            Issue.record("\(report.answer)")
            return
        }
        #expect(document.verbs.count == 1 && headers == [WebhookRequest.Parameter("x-mood", "good")])
        #expect(report.status == 200 && report.url == server.url("/a"))
        let seen = try #require(server.requests.first)
        #expect(seen.method == "POST" && seen.target == "/a?b=c")
        #expect(seen.body == "From=%C3%A4lice+%2B%26%3D&To=")
        #expect(seen.field("Content-Type") == "application/x-www-form-urlencoded; charset=utf-8")
        #expect(seen.field("Host") == "127.0.0.1:\(server.port)" && seen.field("User-Agent") == "Rollcall/9")
        let signature = try #require(seen.field("X-Rollcall-Signature"))
        let time = try #require(Int64(signature.dropFirst(2).prefix { $0 != "," }))
        #expect(abs(time - Int64(Foundation.time(nil))) < 100)
        #expect(
            signature
                == WebhookSignature.field(
                    secret: "token", unixSeconds: time, url: server.url("/a?b=c"), body: Array(seen.body.utf8)))
    }

    @Test func `A GET adds the parameters to the query of the URL, and signs the whole URL`() async throws {
        let server = WebServer { WebServer.write($1) }
        let client = try Self.client()
        for path in ["/a?b=c", "/a", "/a?"] {
            #expect(await Self.fetch(client, Self.request(server.url(path) + "#x", .get)).isGood)
        }
        #expect(server.requests.map(\.target) == ["/a?b=c&From=alice", "/a?From=alice", "/a?From=alice"])
        #expect(server.requests.allSatisfy { $0.body.isEmpty && $0.field("Content-Length") == nil })
        // One connection carried all three.
        #expect(server.connectionCount == 1)
        let signature = try #require(server.requests[0].field("X-Rollcall-Signature"))
        let time = try #require(Int64(signature.dropFirst(2).prefix { $0 != "," }))
        #expect(
            signature
                == WebhookSignature.field(
                    secret: "token", unixSeconds: time, url: server.url("/a?b=c&From=alice"), body: []))
    }

    @Test func `Redirects keep method and parameters, a 303 becomes a GET`() async throws {
        let server = WebServer { request, descriptor in
            let status = String(request.target.dropFirst().prefix(3))
            return Int(status) == nil
                ? WebServer.write(descriptor)
                : WebServer.write(descriptor, "\(status) Moved", "", fields: "Location: end\r\n")
        }
        let client = try Self.client()
        for status in [301, 302, 307, 308] {
            let report = await Self.fetch(client, Self.request(server.url("/\(status)")))
            #expect(report.isGood && report.url == server.url("/end"))
            let last = try #require(server.requests.last)
            #expect(last.method == "POST" && last.target == "/end" && last.body == "From=alice")
        }
        #expect(await Self.fetch(client, Self.request(server.url("/302"), .get)).isGood)
        #expect(server.requests.last?.target == "/end?From=alice")
        #expect(await Self.fetch(client, Self.request(server.url("/303"))).isGood)
        let last = try #require(server.requests.last)
        #expect(last.method == "GET" && last.target == "/end?From=alice" && last.body.isEmpty)
    }

    @Test func `Endless redirects end at the limit`() async throws {
        let server = WebServer { WebServer.write($1, "302 Found", "", fields: "Location: /\($0.connection)\r\n") }
        let client = try Self.client { $0.redirects = 3 }
        let report = await Self.fetch(client, Self.request(server.url("/a")))
        #expect(Self.kind(report) == .redirects && Self.note(report)?.code == 11_206)
        #expect(server.requests.count == 4)
    }

    @Test func `A status, a type of content and a broken document are failures with a code, a reason and a remedy`()
        async throws
    {
        let server = WebServer { request, descriptor in
            switch request.target.prefix(while: { $0 != "?" }) {
            case "/404": WebServer.write(descriptor, "404 Not Found", "no")
            case "/500": WebServer.write(descriptor, "500 Broken", "no")
            case "/type": WebServer.write(descriptor, "200 OK", "GIF89a", type: "image/gif")
            default: WebServer.write(descriptor, "200 OK", "<Response><Dial>")
            }
        }
        let client = try Self.client()
        let expected: [(String, WebhookFailure.Kind, Int64)] = [
            ("/404", .status(404), 21_402), ("/500", .status(500), 11_206), ("/type", .contentType, 12_300),
            ("/xml", .document, 12_100),
        ]
        for (path, kind, code) in expected {
            let report = await Self.fetch(client, Self.request(server.url(path) + "?pin=1"))
            #expect(Self.kind(report) == kind, "\(path)")
            let note = try #require(Self.note(report))
            #expect(note.code == code && note.url == server.url(path) && note.message.count > 20, "\(path)")
        }
        // A callback is only looked at for its status.
        #expect(await Self.fetch(client, Self.request(server.url("/xml")), isCallback: true).isGood)
        #expect(!(await Self.fetch(client, Self.request(server.url("/500")), isCallback: true).isGood))
    }

    @Test func `A silent or a dripping application ends with the deadline, all redirects included`() async throws {
        let server = WebServer { request, descriptor in
            if request.target == "/drip" {
                _ = WebServer.send(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
                for _ in 0..<20 {
                    usleep(50_000)
                    if !WebServer.send(descriptor, "x") { return false }
                }
            } else if request.target == "/slow" {
                usleep(250_000)
                return WebServer.write(descriptor, "302 Found", "", fields: "Location: /drip\r\n")
            } else {
                usleep(1_500_000)
            }
            return false
        }
        let client = try Self.client { $0.deadline = 400 }
        for path in ["/silent", "/drip", "/slow"] {
            let report = await Self.fetch(client, Self.request(server.url(path)))
            #expect(Self.kind(report) == .timeout && Self.note(report)?.code == 11_205, "\(path)")
            #expect((380..<1200).contains(report.milliseconds), "\(path): \(report.milliseconds)")
        }
        #expect(client.pending == 0)
    }

    @Test func `A body over the limit is given up, whether it tells its length, comes in chunks, or just goes on`()
        async throws
    {
        let server = WebServer { request, descriptor in
            let piece = String(repeating: "x", count: 10_000)
            switch request.target {
            case "/length": _ = WebServer.send(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
            case "/chunks": _ = WebServer.send(descriptor, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            default: _ = WebServer.send(descriptor, "HTTP/1.1 200 OK\r\n\r\n")
            }
            for _ in 0..<1000 {
                let text = request.target == "/chunks" ? "2710\r\n\(piece)\r\n" : piece
                if !WebServer.send(descriptor, text) { return false }
            }
            return false
        }
        let client = try Self.client { $0.bodySize = 65_536 }
        for path in ["/length", "/chunks", "/end"] {
            let report = await Self.fetch(client, Self.request(server.url(path)))
            #expect(Self.kind(report) == .tooLarge && report.body.isEmpty && report.status == 200, "\(path)")
        }
    }

    @Test func `The limit of the body is that of the document too`() async throws {
        let body = "<Response><!--" + String(repeating: "x", count: 300_000) + "--><Hangup/></Response>"
        let server = WebServer { WebServer.write($1, "200 OK", body) }
        let client = try Self.client { $0.bodySize = 1 << 20 }
        #expect(await Self.fetch(client, Self.request(server.url("/"))).isGood)
    }

    @Test func `Endless chunk extensions are given up`() async throws {
        let server = WebServer { _, descriptor in
            _ = WebServer.send(descriptor, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "1;" + String(repeating: "x", count: 1000) + "\r\ny\r\n"
            for _ in 0..<1000 where !WebServer.send(descriptor, chunk) { return false }
            return false
        }
        let client = try Self.client()
        let report = await Self.fetch(client, Self.request(server.url("/")))
        #expect(Self.kind(report) == .tooLarge && report.milliseconds < 2_500)
    }

    @Test func `A place that does not let connect leaves time for the next`() async throws {
        let server = WebServer { WebServer.write($1) }
        // A listener whose queue is full answers no SYN.
        let full = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(full) }
        var one: Int32 = 1
        setsockopt(full, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = server.port.bigEndian
        place.sin_addr.s_addr = UInt32(0x7f00_0005).bigEndian
        var fillers: [Int32] = []
        defer { for filler in fillers { close(filler) } }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #expect(bind(full, $0, size) == 0)
                listen(full, 0)
                for _ in 0..<8 {
                    let filler = socket(
                        AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                    _ = connect(filler, $0, size)
                    fillers.append(filler)
                }
            }
        }
        let client = try Self.client(names: ["app.example": [IPAddress(ipv4: 0x7f00_0005), Self.loopback]])
        let report = await Self.fetch(client, Self.request("http://app.example:\(server.port)/"))
        #expect(report.isGood && (1_000..<2_900).contains(report.milliseconds))
    }

    @Test func `Chunks, an interim answer and an end without length are read`() async throws {
        let server = WebServer { request, descriptor in
            switch request.target {
            case "/chunks":
                _ = WebServer.send(
                    descriptor,
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                        + "a;x=y\r\n<Response>\r\n")
                usleep(20_000)
                return WebServer.send(descriptor, "9\r\n<Hangup/>\r\nB\r\n</Response>\r\n0\r\nX: y\r\n\r\n")
            default:
                _ = WebServer.send(descriptor, "HTTP/1.0 200 OK\r\n\r\n<Response/>")
                return false
            }
        }
        let client = try Self.client()
        let report = await Self.fetch(client, Self.request(server.url("/chunks")))
        #expect(report.isGood && String(decoding: report.body, as: UTF8.self) == "<Response><Hangup/></Response>")
        #expect(await Self.fetch(client, Self.request(server.url("/end"))).isGood)
        #expect(server.connectionCount == 1)
    }

    @Test func `What is no HTTP, and a connection that ends early, are failures`() async throws {
        let server = WebServer { request, descriptor in
            _ = WebServer.send(
                descriptor,
                request.target == "/ssh" ? "SSH-2.0-OpenSSH\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
            return false
        }
        let client = try Self.client()
        for path in ["/ssh", "/half"] {
            let report = await Self.fetch(client, Self.request(server.url(path)))
            #expect(Self.kind(report) == .connection, "\(path)")
        }
    }

    @Test func `Nobody listens, no such name, and no URL`() async throws {
        let client = try Self.client(names: ["empty.example": []])
        let closed = WebServer { _, _ in false }.port
        #expect(Self.kind(await Self.fetch(client, Self.request("http://127.0.0.1:\(closed)/"))) == .connection)
        #expect(Self.kind(await Self.fetch(client, Self.request("http://nowhere.example/"))) == .name)
        #expect(Self.kind(await Self.fetch(client, Self.request("http://empty.example/"))) == .name)
        for url in ["", "/a", "ftp://a/", "http://", "http://a:b@/", "http://a:99999/", "http://[::1/", "http:/a"] {
            let report = await Self.fetch(client, Self.request(url))
            #expect(Self.kind(report) == .refused && Self.note(report)?.code == 11_100, "\(url)")
        }
    }

    @Test func `Denied addresses are refused: in the URL, behind a name, behind one of several, and behind a redirect`()
        async throws
    {
        let rules = AddressRules(
            allow: [IPNetwork(Self.loopback)],
            deny: ["169.254.0.0/16", "127.0.0.0/8", "::1"].compactMap { $0.withSlice { IPNetwork($0) } })
        let server = WebServer {
            WebServer.write($1, "302 Found", "", fields: "Location: http://169.254.169.254/key\r\n")
        }
        let metadata = IPAddress(ipv4: 0xa9fe_a9fe)
        let client = try Self.client(
            { $0.rules = rules }, names: ["evil.example": [metadata], "both.example": [Self.loopback, metadata]])
        let port = server.port
        for url in [
            "http://169.254.169.254/key", "http://evil.example/", "http://both.example:\(port)/", server.url("/"),
            "http://127.0.0.2:\(port)/", "http://[::1]:\(port)/", "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/", "https://169.254.169.254/", "http://2852039166/",
            "http://0xa9.254.169.254/", "http://0251.254.169.254/", "https://012.0.0.1/", "http://8.8.8.010/",
        ] {
            let report = await Self.fetch(client, Self.request(url))
            #expect(Self.kind(report) == .refused, "\(url)")
        }
        // The one request that came is that of the redirect.
        #expect(server.requests.count == 1)
    }

    @Test
    func `A name is asked at the address that was checked, with the name in Host, and its places one after the other`()
        async throws
    {
        let server = WebServer { WebServer.write($1) }
        let client = try Self.client(
            names: ["app.example": [IPAddress(ipv4: 0x7f00_0003), Self.loopback]])
        #expect(await Self.fetch(client, Self.request("http://App.example:\(server.port)/")).isGood)
        #expect(server.requests.first?.field("Host") == "app.example:\(server.port)")
    }

    @Test func `User and password of the URL become Basic, and are in no report`() async throws {
        let server = WebServer { request, descriptor in
            request.target == "/x"
                ? WebServer.write(descriptor, "404 No", "")
                : WebServer.write(descriptor, "302 Found", "", fields: "Location: /x\r\n")
        }
        let client = try Self.client()
        let report = await Self.fetch(client, Self.request("http://us%65r:s%40cret@127.0.0.1:\(server.port)/a"))
        #expect(
            server.requests.map { $0.field("Authorization") } == ["Basic dXNlcjpzQGNyZXQ=", "Basic dXNlcjpzQGNyZXQ="])
        #expect(!"\(report)".contains("cret"))
    }

    @Test func `A connection that was closed meanwhile is made anew`() async throws {
        let server = WebServer { request, descriptor in
            // It says that the connection goes on, and ends it.
            _ = WebServer.write(descriptor)
            return false
        }
        let client = try Self.client()
        for _ in 0..<20 { #expect(await Self.fetch(client, Self.request(server.url("/"))).isGood) }
    }

    @Test func `A thousand applications that never answer do not keep one that does`() async throws {
        let hanging = WebServer { _, _ in
            usleep(2_500_000)
            return false
        }
        let server = WebServer { WebServer.write($1) }
        let client = try Self.client {
            $0.deadline = 2_000
            $0.concurrent = 1000
        }
        let failures = Mutex(0)
        for index in 0..<1000 {
            client.fetch(Self.request(hanging.url("/\(index)"))) { report in
                if Self.kind(report) == .timeout { failures.withLock { $0 += 1 } }
            }
        }
        for _ in 0..<20 {
            let report = await Self.fetch(client, Self.request(server.url("/")))
            #expect(report.isGood && report.milliseconds < 1_500)
        }
        while client.pending > 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(failures.withLock { $0 } == 1000)
    }

    @Test func `More than may wait fail at once`() async throws {
        let server = WebServer { _, _ in
            usleep(700_000)
            return false
        }
        let client = try Self.client {
            $0.deadline = 500
            $0.concurrent = 4
        }
        let kinds = Mutex<[WebhookFailure.Kind]>([])
        for _ in 0..<10 {
            client.fetch(Self.request(server.url("/"))) { report in
                if let kind = Self.kind(report) { kinds.withLock { $0.append(kind) } }
            }
        }
        while client.pending > 0 { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(50))
        // Two of one application at a time, two wait.
        let all = kinds.withLock { $0 }
        #expect(all.filter { $0 == .connection }.count == 6 && all.filter { $0 == .timeout }.count == 4)
    }

    @Test func `Who asks after the end gets an answer, and so do those under way`() async throws {
        let server = WebServer { _, _ in
            usleep(500_000)
            return false
        }
        let client = try Self.client()
        async let first = Self.fetch(client, Self.request(server.url("/")))
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        client.stop()
        #expect(Self.kind(await first) == .connection)
        #expect(Self.kind(await Self.fetch(client, Self.request(server.url("/")))) == .connection)
    }

    @Test func `https without a certificate that is trusted is a failure of its own`() async throws {
        // It speaks no TLS at all, which is one as well.
        let server = WebServer { _, _ in false }
        let client = try Self.client()
        let report = await Self.fetch(client, Self.request("https://127.0.0.1:\(server.port)/"))
        #expect(Self.kind(report) == .certificate || Self.kind(report) == .connection || Self.kind(report) == .timeout)
    }
}

@Suite struct WebhookQueueTests {
    /// Adds requests to a queue before a server, and keeps the order of their ends.
    private final class Scene: Sendable {
        let server = WebServer { request, descriptor in
            if request.target == "/slow" { usleep(300_000) }
            if request.target == "/1" { usleep(100_000) }
            return WebServer.write(descriptor)
        }
        let queue: WebhookQueue<Int>
        private let ended = Mutex<[String]>([])

        init() throws { queue = WebhookQueue(try WebClientTests.client()) }

        func add(_ path: String, isCallback: Bool = true, of call: Int = 1, _ sequence: UInt32) {
            queue.add(
                WebClientTests.request(server.url(path)), isCallback: isCallback, of: call, sequence: sequence
            ) { _ in self.ended.withLock { $0.append(path) } }
        }

        func end() async throws -> [String] {
            while queue.count > 0 { try await Task.sleep(for: .milliseconds(10)) }
            return ended.withLock { $0 }
        }
    }

    @Test func `Callbacks of a call keep their order behind a document, other calls and documents do not wait`()
        async throws
    {
        let scene = try Scene()
        scene.add("/slow", isCallback: false, 1)
        scene.add("/1", 2)
        scene.add("/2", 3)
        scene.add("/document", isCallback: false, 4)
        scene.add("/3", 5)
        scene.add("/other", of: 2, 1)
        let order = try await scene.end()
        #expect(order.filter { !["/document", "/other"].contains($0) } == ["/slow", "/1", "/2", "/3"])
        #expect(Set(order.prefix(2)) == ["/document", "/other"])
    }

    @Test func `Requests that come the wrong way round go out in the order of their numbers`() async throws {
        let scene = try Scene()
        scene.add("/2", 2)
        scene.add("/4", 4)
        scene.add("/3", 3)
        scene.add("/1", 1)
        #expect(try await scene.end() == ["/1", "/2", "/3", "/4"])
        scene.add("/6", 6)
        scene.add("/5", 5)
        #expect(try await scene.end().suffix(2) == ["/5", "/6"])
    }

    @Test func `What is never handed over is not waited for long`() async throws {
        let scene = try Scene()
        scene.add("/9", 9)
        scene.add("/8", 8)
        #expect(try await scene.end() == ["/8", "/9"])
        // Late, but not lost.
        scene.add("/7", 7)
        scene.add("/10", 10)
        #expect(try await scene.end() == ["/8", "/9", "/7", "/10"])
    }
}
