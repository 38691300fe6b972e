import Primitives

/// Reads requests from the bytes of a connection, as they come (RFC 9112), and refuses all that two readers could read
/// in two ways.
///
/// Give it bytes by `append`, then call `next` until it has no more. Every byte is looked at once, however it comes.
public struct HTTPRequestParser: ~Copyable {
    /// What the bytes so far amount to.
    public enum Event: Sendable {
        /// More bytes are needed.
        case incomplete
        /// The head is complete, and its sender waits for `100 Continue` before it sends the body. Comes once a request.
        case expectsContinue
        /// A request is complete.
        case request(HTTPRequest, isVersion10: Bool, keepsAlive: Bool)
        /// The connection has no further request that could be told from others: answer, and close it.
        case failure(HTTPFailure, wantsJSON: Bool?)
    }

    private enum Phase {
        /// Before the request line, after so many empty lines.
        case start(blankLines: Int)
        case fields
        /// In a body of which so many bytes are missing.
        case body(missing: Int)
        case chunkLine
        /// In a chunk of which so many bytes are missing.
        case chunk(missing: Int)
        case chunkEnd
        case trailers
        case failed(HTTPFailure, wantsJSON: Bool?)
    }

    private enum Line { case missing, tooLong, invalid, found(ByteSlice) }

    private let limits: HTTPLimits
    private let source: IPAddress
    private var buffer = ByteWriter(capacity: 1024)
    /// The first byte that was not taken yet.
    private var start = 0
    /// Up to here no line ends.
    private var scanned = 0
    private var phase = Phase.start(blankLines: 0)
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    /// Bytes of the header section, or of the trailers.
    private var sectionSize = 0
    private var trailerCount = 0
    private var extensionSize = 0

    /// A parser for a connection whose requests come from `source`.
    public init(limits: HTTPLimits = HTTPLimits(), source: IPAddress) {
        self.limits = limits
        self.source = source
    }

    /// Bytes that were given and not taken yet.
    public var bufferedCount: Int { buffer.count - start }

    /// True when a part of a request is there.
    public var isPartial: Bool {
        if case .start = phase { bufferedCount > 0 } else { true }
    }

    /// True when a head is complete and its body is not.
    public var isInBody: Bool {
        switch phase {
        case .body, .chunkLine, .chunk, .chunkEnd, .trailers: true
        case .start, .fields, .failed: false
        }
    }

    /// `HTTPRequest.wantsJSON` of the request that is being read, as far as it is known.
    public var wantsJSON: Bool? {
        head.flatMap { HTTPRequest.wantsJSON(path: $0.target.rawPath, accept: $0.headers["Accept"]) }
    }

    /// Takes in bytes of the connection.
    public mutating func append(_ bytes: ByteSlice) {
        if case .failed = phase { return }
        compact()
        buffer.append(bytes)
    }

    /// What can be said now. After a failure it is always that failure.
    public mutating func next() -> Event {
        if case .failed(let failure, let wantsJSON) = phase { return .failure(failure, wantsJSON: wantsJSON) }
        do throws(HTTPFailure) {
            while true {
                if let event = try step() { return event }
            }
        } catch {
            let wantsJSON = wantsJSON
            phase = .failed(error, wantsJSON: wantsJSON)
            buffer = ByteWriter(capacity: 0)
            start = 0
            body = []
            return .failure(error, wantsJSON: wantsJSON)
        }
    }

    // MARK: Steps

    /// Goes one line or one stretch of a body on; nil when there may be more to do.
    private mutating func step() throws(HTTPFailure) -> Event? {
        switch phase {
        case .start(let blankLines): try readRequestLine(blankLines)
        case .fields: try readField()
        case .body(let missing): readBody(missing)
        case .chunkLine: try readChunkLine()
        case .chunk(let missing): readChunk(missing)
        case .chunkEnd: try readChunkEnd()
        case .trailers: try readTrailer()
        case .failed: .incomplete
        }
    }

    private mutating func readRequestLine(_ blankLines: Int) throws(HTTPFailure) -> Event? {
        // Not to wait for the end of a line in what is TLS, or no text at all.
        if bufferedCount > 0 {
            let first = buffer.slice(from: start)[0]
            guard ASCII.isToken(first) || first == ASCII.carriageReturn || first == ASCII.lineFeed else {
                throw HTTPFailure(400, "This is no HTTP request.")
            }
        }
        // The method, the version and the spaces besides the target.
        switch takeLine(limit: limits.targetSize + 64) {
        case .missing: return .incomplete
        case .tooLong: throw HTTPFailure(414, "The request line is too long.")
        case .invalid: throw Self.bareLineFeed
        case .found(let line) where line.isEmpty:
            // RFC 9112 section 2.2: left over by old clients after a body.
            if blankLines >= 4 { throw HTTPFailure(400, "There are empty lines where a request is due.") }
            phase = .start(blankLines: blankLines + 1)
            return nil
        case .found(let line):
            head = try HTTPRequestHead(requestLine: line, limits: limits)
            phase = .fields
            sectionSize = 0
            return nil
        }
    }

    private mutating func readField() throws(HTTPFailure) -> Event? {
        switch takeLine(limit: limits.headerSize - sectionSize) {
        case .missing: return .incomplete
        case .tooLong: throw HTTPFailure(431, "The header fields are too large.")
        case .invalid: throw Self.bareLineFeed
        case .found(let line) where line.isEmpty:
            return try endHead()
        case .found(let line):
            sectionSize += line.count + 2
            try head?.append(line, limits: limits)
            return nil
        }
    }

    private mutating func endHead() throws(HTTPFailure) -> Event? {
        guard let head else { return nil }
        body = []
        switch try head.framing(limits: limits) {
        case .none:
            return end()
        case .length(let length):
            phase = .body(missing: length)
        case .chunked:
            phase = .chunkLine
            sectionSize = 0
            trailerCount = 0
            extensionSize = 0
        }
        // Who sends the body already does not wait.
        return head.expectsContinue && bufferedCount == 0 ? .expectsContinue : nil
    }

    private mutating func readBody(_ missing: Int) -> Event? {
        let count = takeBody(missing)
        phase = .body(missing: missing - count)
        return count == missing ? end() : .incomplete
    }

    private mutating func readChunkLine() throws(HTTPFailure) -> Event? {
        switch takeLine(limit: limits.chunkLineSize) {
        case .missing: return .incomplete
        case .tooLong: throw HTTPFailure(400, "The line of a chunk is too long.")
        case .invalid: throw Self.bareLineFeed
        case .found(let text):
            guard let line = ChunkLine(text) else { throw HTTPFailure(400, "The size of a chunk is invalid.") }
            extensionSize += line.extensionSize
            // Else a small body could take any time to be read.
            if extensionSize > 16 * limits.chunkLineSize {
                throw HTTPFailure(400, "The chunks have too many extensions.")
            }
            if line.size > UInt64(max(0, limits.bodySize - body.count)) {
                throw HTTPFailure(413, "The body is too large.")
            }
            phase = line.size == 0 ? .trailers : .chunk(missing: Int(line.size))
            return nil
        }
    }

    private mutating func readChunk(_ missing: Int) -> Event? {
        let count = takeBody(missing)
        phase = count == missing ? .chunkEnd : .chunk(missing: missing - count)
        return count == missing ? nil : .incomplete
    }

    private mutating func readChunkEnd() throws(HTTPFailure) -> Event? {
        if bufferedCount < 2 { return .incomplete }
        guard buffer.slice(from: start).starts(with: "\r\n") else {
            throw HTTPFailure(400, "A chunk does not end where it should.")
        }
        start += 2
        scanned = start
        phase = .chunkLine
        return nil
    }

    private mutating func readTrailer() throws(HTTPFailure) -> Event? {
        switch takeLine(limit: limits.headerSize - sectionSize) {
        case .missing: return .incomplete
        case .tooLong: throw HTTPFailure(431, "The trailer fields are too large.")
        case .invalid: throw Self.bareLineFeed
        case .found(let line) where line.isEmpty:
            return end()
        case .found(let line):
            // Read as they must be, then dropped: nothing that was decided by the head may change now.
            _ = try HTTPRequestHead.field(line)
            sectionSize += line.count + 2
            trailerCount += 1
            if trailerCount > limits.headerFields { throw HTTPFailure(431, "There are too many trailer fields.") }
            return nil
        }
    }

    private mutating func end() -> Event? {
        phase = .start(blankLines: 0)
        guard let head else { return nil }
        let request = HTTPRequest(
            method: head.method, path: head.target.path, rawPath: head.target.rawPath, query: head.target.query,
            headers: head.headers, body: body, source: source)
        let event = Event.request(request, isVersion10: head.isVersion10, keepsAlive: head.keepsAlive)
        self.head = nil
        body = []
        compact()
        return event
    }

    // MARK: Bytes

    /// Takes a line of at most `limit` bytes without its end; it is valid until the next change of the buffer.
    private mutating func takeLine(limit: Int) -> Line {
        guard let end = buffer.slice.firstIndex(of: ASCII.lineFeed, from: scanned) else {
            scanned = buffer.count
            // One more for the carriage return.
            return bufferedCount > limit + 1 ? .tooLong : .missing
        }
        let line = buffer.slice(start..<end)
        if line.count > limit + 1 { return .tooLong }
        guard line.last == ASCII.carriageReturn else { return .invalid }
        start = end + 1
        scanned = start
        return .found(line.prefix(line.count - 1))
    }

    /// Takes up to `missing` bytes of a body, and gives their number.
    private mutating func takeBody(_ missing: Int) -> Int {
        let part = buffer.slice(from: start).prefix(missing)
        if body.isEmpty { body = part.bytes } else { part.withUnsafeBytes { body.append(contentsOf: $0) } }
        start += part.count
        scanned = start
        return part.count
    }

    /// Lets go of bytes that were taken, when they are the larger part, so that this costs no more than taking them did.
    private mutating func compact() {
        guard start > bufferedCount else { return }
        if bufferedCount == 0, buffer.count <= 65_536 {
            buffer.removeAll()
        } else {
            var rest = ByteWriter(capacity: max(1024, bufferedCount))
            rest.append(buffer.slice(from: start))
            buffer = rest
        }
        scanned -= start
        start = 0
    }

    private static var bareLineFeed: HTTPFailure {
        HTTPFailure(400, "A line must end with carriage return and line feed.")
    }
}
