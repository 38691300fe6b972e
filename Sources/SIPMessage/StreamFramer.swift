import Primitives

/// Cuts a byte stream into messages (RFC 3261 sections 7.5 and 18.3): a head up to the empty line, then as many bytes as
/// its Content-Length says.
///
/// Bytes go in with `append`, then `next` is called until it is `incomplete`. The work is linear in the bytes, however
/// small the pieces are that they come in, and memory grows with what arrived, never with what was announced.
public struct StreamFramer: ~Copyable {
    /// What comes next in a stream.
    public enum Frame {
        /// Nothing until more bytes arrive.
        case incomplete
        /// A whole message.
        case message(ByteSlice)
        /// A double CRLF between messages, which asks for a CRLF in answer (RFC 5626 section 4.4.1).
        case ping
        /// A head whose body is too long, or has an end that cannot be told. It can be answered 513 or 400; the stream ends
        /// with it.
        case unframed(ByteSlice, Failure)
        /// The stream cannot be read any further.
        case failure(Failure)
    }

    /// Why a stream cannot be read any further.
    public enum Failure: Error, Sendable {
        /// There is no Content-Length, which a stream needs (RFC 3261 section 20.14).
        case noContentLength
        /// A Content-Length is no decimal number.
        case malformedContentLength
        /// Two Content-Lengths differ.
        case ambiguousContentLength
        /// The head has no end within the limit.
        case headTooLarge
        /// Head and body together are over the limit.
        case messageTooLarge
    }

    private let limit: Int
    private let headLimit: Int
    private var buffer = ByteWriter(capacity: 64)
    /// Where the current frame starts; everything before was consumed.
    private var start = 0
    /// Up to where the end of the head was searched already.
    private var searched = 0
    /// The length of the current message once its head is complete, else 0.
    private var length = 0
    private var sawLineEnd = false
    /// True when a keepalive was sent, so that the next single empty line is the answer to it and not half a ping.
    public var awaitsPong = false
    private var sawPong = false
    private var failure: Failure?

    /// A framer at the start of a stream. `limit` is the most that a message may have in bytes, `headLimit` its head.
    public init(limit: Int = 65535, headLimit: Int = 32768) {
        self.limit = limit
        self.headLimit = min(headLimit, limit)
    }

    /// True when a message has begun that is not complete.
    public var isPartial: Bool { buffer.count > start }

    /// True when the answer to a keepalive (RFC 5626 section 4.4.1) was passed since the last call.
    public mutating func takePong() -> Bool {
        defer { sawPong = false }
        return sawPong
    }

    /// The bytes of a message that is not complete.
    public var bufferedCount: Int { buffer.count - start }

    /// Takes the next bytes of the stream. Slices given by `next` are no longer valid then.
    public mutating func append(_ bytes: ByteSlice) {
        if failure != nil { return }
        let rest = buffer.count - start
        // Moving the rest to the front only when it is the smaller part keeps the work linear.
        if start > 0, rest <= start {
            if rest > 0 {
                var fresh = ByteWriter(capacity: rest + bytes.count)
                fresh.append(buffer.slice(from: start))
                buffer = fresh
            } else {
                buffer.removeAll()
            }
            searched = max(0, searched - start)
            start = 0
        }
        buffer.append(bytes)
    }

    /// The next frame. Its bytes are valid until the next call of `next` or `append`.
    public mutating func next() -> Frame {
        if let failure { return .failure(failure) }
        if length == 0 {
            while start < buffer.count, length == 0 {
                let rest = buffer.slice(from: start)
                if rest.first == ASCII.carriageReturn, searched <= start {
                    if rest.count == 1 { return .incomplete }
                    if rest[1] == ASCII.lineFeed {
                        start += 2
                        // Two at once are a ping of the peer's own, whose answer to ours is still to come.
                        let isPing = rest.count >= 4 && rest[2..<4] == "\r\n"
                        if awaitsPong, !sawLineEnd, !isPing {
                            awaitsPong = false
                            sawPong = true
                            continue
                        }
                        sawLineEnd.toggle()
                        if !sawLineEnd { return .ping }
                        continue
                    }
                }
                sawLineEnd = false
                guard let headLength = headLength() else {
                    return rest.count > headLimit ? fail(.headTooLarge) : .incomplete
                }
                if headLength > headLimit { return fail(.headTooLarge) }
                let head = buffer.slice(start..<start + headLength)
                switch Self.contentLength(of: head, limit: limit) {
                case .success(let body):
                    if headLength + body > limit {
                        failure = .messageTooLarge
                        return .unframed(head, .messageTooLarge)
                    }
                    length = headLength + body
                case .failure(let reason):
                    failure = reason
                    return .unframed(head, reason)
                }
            }
        }
        if length == 0 || buffer.count - start < length {
            if start == buffer.count, start > Self.keptCapacity { forget() }
            return .incomplete
        }
        let message = buffer.slice(start..<start + length)
        start += length
        searched = start
        length = 0
        return .message(message)
    }

    /// How much memory a stream keeps between messages.
    private static let keptCapacity = 4096

    /// Gives back the memory of large messages: many thousand streams are idle at any time.
    private mutating func forget() {
        buffer = ByteWriter(capacity: 64)
        start = 0
        searched = 0
    }

    private mutating func fail(_ reason: Failure) -> Frame {
        failure = reason
        return .failure(reason)
    }

    /// The length of the head with its empty line, or nil when the empty line is not there yet.
    private mutating func headLength() -> Int? {
        let all = buffer.slice
        var index = max(searched, start)
        while let lineEnd = all.firstIndex(of: ASCII.lineFeed, from: index) {
            if lineEnd - start >= 3, all[lineEnd - 3..<lineEnd + 1] == "\r\n\r\n" {
                searched = lineEnd + 1
                return lineEnd + 1 - start
            }
            index = lineEnd + 1
        }
        // The comparison looks back three bytes, so nothing needs to be searched twice.
        searched = all.count
        return nil
    }

    /// The Content-Length of a head, which ends in an empty line.
    static func contentLength(of head: ByteSlice, limit: Int) -> Result<Int, Failure> {
        var found: Int?
        var lineStart = (head.firstIndex(of: ASCII.lineFeed) ?? head.count) + 1
        while lineStart < head.count {
            var lineEnd = (head.firstIndex(of: ASCII.lineFeed, from: lineStart) ?? head.count - 1) + 1
            // 7.3.1: a line that starts with white space continues the one before.
            while lineEnd < head.count, head[lineEnd] == ASCII.space || head[lineEnd] == ASCII.tab {
                lineEnd = (head.firstIndex(of: ASCII.lineFeed, from: lineEnd) ?? head.count - 1) + 1
            }
            defer { lineStart = lineEnd }
            let initial = ASCII.lowercase(head[lineStart])
            guard initial == UInt8(ascii: "c") || initial == UInt8(ascii: "l") else { continue }
            let line = head[lineStart..<lineEnd]
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = line[0..<colon].trimmed()
            guard name.equalsIgnoringCase("l") || name.equalsIgnoringCase("content-length") else { continue }
            let value = line.from(colon + 1).trimmed()
            if value.isEmpty || !value.allSatisfy(ASCII.isDigit) { return .failure(.malformedContentLength) }
            guard let number = value.decimal(limit: UInt64(limit)) else { return .failure(.messageTooLarge) }
            if let found, found != Int(number) { return .failure(.ambiguousContentLength) }
            found = Int(number)
        }
        guard let found else { return .failure(.noContentLength) }
        return .success(found)
    }
}
