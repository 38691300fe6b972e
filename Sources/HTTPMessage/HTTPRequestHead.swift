import Primitives

/// The head of a request while its lines come in, with what they say about the message itself.
struct HTTPRequestHead {
    /// Where the body of a request ends (RFC 9112 section 6.3).
    enum Framing { case none, length(Int), chunked }

    /// What Expect says.
    private enum Expectation { case none, continuation, other }

    /// The method.
    let method: HTTPMethod
    /// The target.
    let target: HTTPTarget
    /// True for HTTP/1.0.
    let isVersion10: Bool
    /// The fields so far.
    private(set) var headers = HTTPHeaders()
    private var fieldCount = 0
    private var hasHost = false
    private var contentLength: UInt64?
    /// The values of Transfer-Encoding as one list.
    private var codings: [UInt8]?
    private var closes = false
    private var asksToKeep = false
    private var expectation = Expectation.none

    /// Reads a request line (RFC 9112 section 3): three words with one space between them.
    init(requestLine line: ByteSlice, limits: HTTPLimits) throws(HTTPFailure) {
        guard let first = line.firstIndex(of: ASCII.space), let last = line.lastIndex(of: ASCII.space), first < last
        else {
            throw HTTPFailure(400, "The request line must be a method, a target and a version.")
        }
        let name = line.prefix(first)
        guard !name.isEmpty, name.allSatisfy(ASCII.isToken) else { throw HTTPFailure(400, "The method is invalid.") }
        isVersion10 = try Self.isVersion10(line.from(last + 1))
        let target = line[first + 1..<last]
        if target.count > limits.targetSize { throw HTTPFailure(414, "The request target is too long.") }
        method = HTTPMethod(name.string)
        // No tunnels, and no method that long (RFC 9112 section 3).
        if name == "CONNECT" || name.count > 32 { throw HTTPFailure(501, "The method is not implemented.") }
        self.target = try HTTPTarget(parsing: target, method: method, limits: limits)
    }

    /// RFC 9112 section 2.3: a later minor version than ours is answered as ours.
    private static func isVersion10(_ version: ByteSlice) throws(HTTPFailure) -> Bool {
        guard version.count == 8, version.starts(with: "HTTP/"), ASCII.isDigit(version[5]), ASCII.isDigit(version[7]),
            version[6] == UInt8(ascii: ".")
        else { throw HTTPFailure(400, "The version of the protocol is invalid.") }
        guard version[5] == UInt8(ascii: "1") else { throw HTTPFailure(505, "Only HTTP/1.1 and HTTP/1.0 are spoken.") }
        return version[7] == UInt8(ascii: "0")
    }

    /// Splits a field line (RFC 9112 section 5), or says what is wrong with it.
    static func field(_ line: ByteSlice) throws(HTTPFailure) -> (name: ByteSlice, value: ByteSlice) {
        if line.first == ASCII.space || line.first == ASCII.tab {
            throw HTTPFailure(400, "A header field is folded.")
        }
        // A name with white space before its colon is no token either.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line.prefix(colon).allSatisfy(ASCII.isToken)
        else { throw HTTPFailure(400, "The name of a header field is invalid.") }
        let value = line.from(colon + 1)
        guard value.allSatisfy({ $0 >= ASCII.space && $0 != 0x7f || $0 == ASCII.tab }) else {
            throw HTTPFailure(400, "A header field has a control character.")
        }
        return (line.prefix(colon), value.trimmed())
    }

    /// Takes in a field line.
    mutating func append(_ line: ByteSlice, limits: HTTPLimits) throws(HTTPFailure) {
        let (name, value) = try Self.field(line)
        fieldCount += 1
        if fieldCount > limits.headerFields { throw HTTPFailure(431, "There are too many header fields.") }
        switch name.count {
        case 4 where name.equalsIgnoringCase("Host"):
            if hasHost { throw HTTPFailure(400, "There are two Host fields.") }
            guard HTTPTarget.isHost(value) else { throw HTTPFailure(400, "The Host field is invalid.") }
            hasHost = true
            // RFC 9112 section 3.2.2: an absolute target replaces it.
            if let authority = target.authority {
                headers.append(name.string, authority)
                return
            }
        case 6 where name.equalsIgnoringCase("Expect"):
            let isKnown = value.equalsIgnoringCase("100-continue")
            expectation = isKnown && expectation != .other ? .continuation : .other
        case 10 where name.equalsIgnoringCase("Connection"):
            readConnection(value)
        case 14 where name.equalsIgnoringCase("Content-Length"):
            // RFC 9110 section 8.6 lets a recipient refuse repeated lengths, also when they agree.
            if contentLength != nil { throw HTTPFailure(400, "There are two Content-Length fields.") }
            guard !value.isEmpty, value.allSatisfy(ASCII.isDigit) else {
                throw HTTPFailure(400, "The Content-Length is no number.")
            }
            // One that does not fit is too large in any case.
            contentLength = value.decimal() ?? UInt64.max
        case 17 where name.equalsIgnoringCase("Transfer-Encoding"):
            codings = (codings.map { $0 + [UInt8(ascii: ",")] } ?? []) + value.bytes
        default:
            break
        }
        headers.append(name.string, value.string)
    }

    private mutating func readConnection(_ value: ByteSlice) {
        Self.forEachElement(of: value) { option in
            if option.equalsIgnoringCase("close") { closes = true }
            if option.equalsIgnoringCase("keep-alive") { asksToKeep = true }
        }
    }

    /// Whether the connection is to stay after the response (RFC 9112 section 9.3).
    var keepsAlive: Bool { !closes && (!isVersion10 || asksToKeep) }

    /// True when the sender waits for our word before it sends the body (RFC 9110 section 10.1.1).
    var expectsContinue: Bool { expectation == .continuation && !isVersion10 }

    /// Checks what only the whole head tells, and gives the end of the body (RFC 9112 sections 3.2, 6.1 and 6.3).
    func framing(limits: HTTPLimits) throws(HTTPFailure) -> Framing {
        if !hasHost, !isVersion10 { throw HTTPFailure(400, "The Host field is missing.") }
        if expectation == .other { throw HTTPFailure(417, "Only 100-continue can be expected.") }
        if let codings {
            // Two ideas of where a request ends are how requests are smuggled past a proxy.
            if contentLength != nil {
                throw HTTPFailure(400, "Content-Length and Transfer-Encoding exclude each other.")
            }
            if isVersion10 { throw HTTPFailure(400, "HTTP/1.0 has no Transfer-Encoding.") }
            try Self.check(codings)
            return .chunked
        }
        guard let contentLength else { return .none }
        guard contentLength <= UInt64(max(0, limits.bodySize)) else { throw HTTPFailure(413, "The body is too large.") }
        return contentLength == 0 ? .none : .length(Int(contentLength))
    }

    private static func check(_ codings: [UInt8]) throws(HTTPFailure) {
        var count = 0
        var chunkedCount = 0
        var endsChunked = false
        codings.withSlice { codings in
            forEachElement(of: codings) { coding in
                endsChunked = coding.equalsIgnoringCase("chunked")
                count += 1
                chunkedCount += endsChunked ? 1 : 0
            }
        }
        guard endsChunked, chunkedCount == 1 else {
            throw HTTPFailure(400, "The Transfer-Encoding must end with chunked.")
        }
        if count > 1 { throw HTTPFailure(501, "The only Transfer-Encoding is chunked.") }
    }

    /// Calls `body` with the elements of a comma-separated list, empty ones left out (RFC 9110 section 5.6.1).
    private static func forEachElement(of list: ByteSlice, _ body: (ByteSlice) -> Void) {
        var start = 0
        while start < list.count {
            let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.count
            let element = list[start..<end].trimmed()
            if !element.isEmpty { body(element) }
            start = end + 1
        }
    }
}
