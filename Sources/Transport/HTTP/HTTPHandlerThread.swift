import HTTPMessage
import Primitives

/// Answers requests with its own handler, and fetches the parts of bodies.
final class HTTPHandlerThread: HTTPThreadBody {
    private let index: Int
    private let handler: any HTTPHandler
    private let jobs: HTTPJobQueue
    private let answers: HTTPAnswerQueue
    private var buffer = ByteWriter(capacity: 4096)

    /// A thread that is not running yet.
    init(index: Int, handler: any HTTPHandler, jobs: HTTPJobQueue, answers: HTTPAnswerQueue) {
        self.index = index
        self.handler = handler
        self.jobs = jobs
        self.answers = answers
    }

    override var threadName: String { "http-\(index)" }

    override func run() {
        while let job = jobs.take() {
            switch job {
            case .request(let request, let writer, let connection):
                answer(request, writer, connection)
            case .parts(let source, let connection):
                buffer.removeAll()
                post(status: nil, fetch(source), connection)
            case .release:
                break
            }
        }
    }

    private func answer(_ request: HTTPRequest, _ writer: HTTPResponseWriter, _ connection: UInt64) {
        let response = handler.respond(to: request)
        buffer.removeAll()
        let framing = writer.appendHead(of: response, now: System.now().unix, to: &buffer)
        let keepsAlive = writer.keepsAlive(after: response)
        var sequel: HTTPAnswer.Sequel = keepsAlive ? .keep : .close
        var rest: [UInt8] = []
        switch response.body {
        case .bytes(let body) where framing != .none:
            // A small body is copied to leave with the head in one packet, a large one is not copied.
            if body.count <= Self.partSize { buffer.append(body) } else { rest = body }
        case .stream(let stream) where framing != .none:
            sequel = fetch(HTTPBodySource(stream, isChunked: framing == .chunked, keepsAlive: keepsAlive))
        case .none, .bytes, .stream:
            break
        }
        post(rest, status: response.status, sequel, connection)
    }

    /// Fetches parts until there is enough to send.
    private func fetch(_ source: HTTPBodySource) -> HTTPAnswer.Sequel {
        do {
            while buffer.count < Self.partSize {
                guard let part = try source.stream.next() else {
                    if source.isChunked { HTTPResponseWriter.appendLastChunk(to: &buffer) }
                    return source.keepsAlive ? .keep : .close
                }
                if source.isChunked {
                    HTTPResponseWriter.appendChunk(part, to: &buffer)
                } else {
                    buffer.append(part)
                }
            }
            return .more(source)
        } catch {
            return .reset
        }
    }

    private func post(
        _ rest: [UInt8] = [], status: Int?, _ sequel: HTTPAnswer.Sequel, _ connection: UInt64
    ) {
        let pieces = rest.isEmpty ? [buffer.slice.bytes] : [buffer.slice.bytes, rest]
        answers.post(HTTPAnswer(connection: connection, pieces: pieces, status: status, sequel: sequel))
        if buffer.count > 4 * Self.partSize { buffer = ByteWriter(capacity: 4096) }
    }

    /// How many bytes are worth a hand-over to the loop.
    private static let partSize = 32_768
}
