import Glibc
import HTTPMessage
import Primitives
import Synchronization

@testable import Transport

/// What the handlers of a test share.
final class HTTPStage: Sendable {
    /// Handlers of `/wait` answer once this is true.
    let isOpen = Atomic(false)
    /// Requests that a handler has begun.
    let begun = Atomic(0)
    /// Parts that were made of all bodies.
    let parts = Atomic(0)
    /// Bodies that are gone.
    let released = Atomic(0)
}

/// A body of so many equal parts; with `fails` an error comes instead of its end.
final class RepeatedParts: HTTPBodyStream {
    struct Failure: Error {}

    private let stage: HTTPStage
    private let part: [UInt8]
    private let fails: Bool
    private var left: Int

    init(_ stage: HTTPStage, part: [UInt8], count: Int, fails: Bool = false) {
        self.stage = stage
        self.part = part
        self.fails = fails
        left = count
    }

    deinit { stage.released.wrappingAdd(1, ordering: .relaxed) }

    func next() throws -> [UInt8]? {
        if left == 0 {
            if fails { throw Failure() }
            return nil
        }
        left -= 1
        stage.parts.wrappingAdd(1, ordering: .relaxed)
        return part
    }
}

/// Answers by the first segment of the path.
final class StagedHandler: HTTPHandler {
    private let stage: HTTPStage

    init(_ stage: HTTPStage) { self.stage = stage }

    func respond(to request: HTTPRequest) -> HTTPResponse {
        stage.begun.wrappingAdd(1, ordering: .relaxed)
        let count = request.query["count"].flatMap { Int($0) } ?? 3
        switch request.path.first {
        case "echo":
            return HTTPResponse(status: 200, body: .bytes(request.body))
        case "source":
            return HTTPResponse(status: 200, body: .bytes(Array(request.source.description.utf8)))
        case "wait":
            while !stage.isOpen.load(ordering: .relaxed) { usleep(1000) }
            return HTTPResponse(status: 200, body: .bytes(Array("waited".utf8)))
        case "large":
            return HTTPResponse(status: 200, body: .bytes([UInt8](repeating: 120, count: count)))
        case "stream":
            return HTTPResponse(
                status: 200, body: .stream(RepeatedParts(stage, part: Array("part".utf8), count: count)))
        case "endless":
            let part = [UInt8](repeating: 120, count: 10_000)
            return HTTPResponse(status: 200, body: .stream(RepeatedParts(stage, part: part, count: 100_000)))
        case "broken":
            return HTTPResponse(
                status: 200, body: .stream(RepeatedParts(stage, part: Array("part".utf8), count: count, fails: true)))
        default:
            return HTTPResponse(status: 404, body: .bytes(Array(request.rawPath.utf8)))
        }
    }
}

/// A running server on loopback.
final class HTTPSite {
    let stage = HTTPStage()
    let server: HTTPServer

    init(
        _ address: IPAddress = Edge.loopback, _ change: (inout HTTPServerSettings) -> Void = { _ in }
    ) throws {
        var settings = HTTPServerSettings(addresses: [SocketAddress(address: address, port: 0)])
        settings.stopTime = 300
        change(&settings)
        let stage = stage
        server = try HTTPServer(settings: settings, makeHandler: { StagedHandler(stage) })
        try server.start()
    }

    deinit {
        stage.isOpen.store(true, ordering: .relaxed)
        server.stop()
    }

    /// A connected client.
    func connected(receiveBuffer: Int32? = nil) throws -> Peer {
        let address = server.addresses[0]
        let peer = try Peer(.tcp, on: address.address, receiveBuffer: receiveBuffer)
        try peer.connect(address)
        return peer
    }

    /// All that a client gets for a text until the server closes.
    func answer(to text: String) throws -> String {
        let peer = try connected()
        peer.send(text)
        return peer.receiveAll()
    }
}

extension Peer {
    /// What comes until `text` is there, the end comes, or the limit of time has passed.
    func receive(until text: String) -> String {
        var received = ""
        while !received.contains(text), let more = receive() { received += more }
        return received
    }

    /// What comes until the end, or until the limit of time has passed.
    func receiveAll() -> String {
        var received = ""
        while let more = receive() { received += more }
        return received
    }

    /// The text of one response whose body ends with `end`, without its Date.
    func response(endingWith end: String = "\r\n\r\n") -> String {
        receive(until: end).split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
    }
}

/// A GET of `path` in HTTP/1.1, with these further lines.
func get(_ path: String, _ lines: String...) -> String {
    "GET \(path) HTTP/1.1\r\nHost: h\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// How often `part` occurs in `text`.
func occurrences(of part: String, in text: String) -> Int {
    text.split(separator: part, omittingEmptySubsequences: false).count - 1
}
