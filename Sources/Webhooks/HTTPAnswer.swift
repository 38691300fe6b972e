/// An answer of an application: what is kept of it.
struct HTTPAnswer: Sendable {
    /// The status.
    var status = 0
    /// The fields, names in lower case, in their order.
    var fields: [(name: String, value: String)] = []
    /// The body without its transfer coding.
    var body: [UInt8] = []

    /// The first value of a field; `name` in lower case.
    func value(of name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// Reads the answer to one request (RFC 9112) piece by piece. A broken or endless one is an error, never a trap.
struct HTTPAnswerParser {
    /// What is wrong with an answer.
    enum Fault: Error, Equatable {
        /// It is not HTTP/1.1.
        case malformed
        /// The head or the body is longer than allowed.
        case tooLarge
        /// The connection ended before the answer did.
        case incomplete
    }

    private enum Phase { case head, fixed(Int), chunkSize, chunk(Int), chunkEnd, trailer, untilEnd, done }

    /// The most bytes of a head.
    private static let headLimit = 65_536

    /// What was read.
    private(set) var answer = HTTPAnswer()
    /// True when the connection can carry another request.
    private(set) var keepsConnection = false
    /// True when any byte has come.
    private(set) var hasBegun = false
    private let bodyLimit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var phase = Phase.head
    private var headBytes = 0
    /// Where the search for the end of a line goes on.
    private var searched = 0
    /// Bytes of chunk extensions, which count like a head.
    private var extensionBytes = 0

    /// A parser of one answer.
    init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    /// True when the answer is complete.
    var isComplete: Bool { if case .done = phase { true } else { false } }

    /// Takes bytes. What comes behind the answer makes the connection unusable.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        hasBegun = hasBegun || !bytes.isEmpty
        buffer.append(contentsOf: bytes)
        while try step() {}
        if isComplete, start < buffer.count { keepsConnection = false }
        // What is left is less than a line.
        if start > 0 {
            buffer.removeFirst(start)
            searched = max(0, searched - start)
            start = 0
        }
    }

    /// The peer has ended the connection.
    mutating func end() throws(Fault) {
        keepsConnection = false
        switch phase {
        case .done: return
        case .untilEnd: phase = .done
        default: throw .incomplete
        }
    }

    /// Does one step; false when more bytes are needed.
    private mutating func step() throws(Fault) -> Bool {
        switch phase {
        case .done: return false
        case .head, .trailer: return try readHeadLine()
        case .fixed(let missing):
            guard take(missing) else {
                let count = buffer.count - start
                try keep(count)
                phase = .fixed(missing - count)
                return false
            }
            try keep(missing)
            phase = .done
            return true
        case .untilEnd:
            try keep(buffer.count - start)
            return false
        case .chunkSize:
            guard let line = try takeLine(limit: 1024) else { return false }
            let digits = line.prefix { $0 != 0x3b && $0 != 0x20 }
            guard (1...8).contains(digits.count), let size = Int(String(decoding: digits, as: UTF8.self), radix: 16),
                size >= 0
            else { throw .malformed }
            extensionBytes += line.count - digits.count
            if extensionBytes > HTTPAnswerParser.headLimit { throw .tooLarge }
            phase = size == 0 ? .trailer : .chunk(size)
            return true
        case .chunk(let missing):
            guard take(missing) else {
                let count = buffer.count - start
                try keep(count)
                phase = .chunk(missing - count)
                return false
            }
            try keep(missing)
            phase = .chunkEnd
            return true
        case .chunkEnd:
            guard let line = try takeLine(limit: 2) else { return false }
            guard line.isEmpty else { throw .malformed }
            phase = .chunkSize
            return true
        }
    }

    private func take(_ count: Int) -> Bool { buffer.count - start >= count }

    private mutating func keep(_ count: Int) throws(Fault) {
        if answer.body.count + count > bodyLimit { throw .tooLarge }
        answer.body.append(contentsOf: buffer[start..<start + count])
        start += count
    }

    private mutating func takeLine(limit: Int) throws(Fault) -> ArraySlice<UInt8>? {
        guard let end = buffer[max(start, searched)...].firstIndex(of: 0x0a) else {
            searched = buffer.count
            if buffer.count - start > limit { throw .tooLarge }
            return nil
        }
        var line = buffer[start..<end]
        start = end + 1
        if line.last == 0x0d { line.removeLast() }
        return line
    }

    private mutating func readHeadLine() throws(Fault) -> Bool {
        guard let line = try takeLine(limit: HTTPAnswerParser.headLimit) else { return false }
        headBytes += line.count + 2
        if headBytes > HTTPAnswerParser.headLimit { throw .tooLarge }
        if case .trailer = phase {
            if line.isEmpty { phase = .done }
            return true
        }
        if answer.status == 0 {
            try readStatus(line)
        } else if line.isEmpty {
            try endHead()
        } else {
            guard let colon = line.firstIndex(of: 0x3a), colon > line.startIndex, line[line.startIndex] > 0x20 else {
                throw .malformed
            }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = line[line.index(after: colon)...].drop { $0 == 0x20 || $0 == 0x09 }
            var end = value.endIndex
            while end > value.startIndex, value[end - 1] == 0x20 || value[end - 1] == 0x09 { end -= 1 }
            answer.fields.append((name, String(decoding: value[..<end], as: UTF8.self)))
        }
        return true
    }

    private mutating func readStatus(_ line: ArraySlice<UInt8>) throws(Fault) {
        let text = String(decoding: line, as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0", parts[1].utf8.count == 3,
            let status = Int(parts[1]), (100...599).contains(status)
        else { throw .malformed }
        answer.status = status
        keepsConnection = parts[0] == "HTTP/1.1"
    }

    private mutating func endHead() throws(Fault) {
        // 100 and 103 come before the answer; 101 was not asked for.
        if answer.status < 200 {
            if answer.status == 101 { throw .malformed }
            answer = HTTPAnswer()
            return
        }
        let connection = (answer.value(of: "connection") ?? "").lowercased()
        if connection.contains("close") { keepsConnection = false }
        if answer.status == 204 || answer.status == 304 {
            phase = .done
            return
        }
        if let coding = answer.value(of: "transfer-encoding") {
            guard coding.lowercased() == "chunked" else { throw .malformed }
            phase = .chunkSize
            return
        }
        let lengths = Set(answer.fields.lazy.filter { $0.name == "content-length" }.map(\.value))
        guard let text = lengths.first else {
            keepsConnection = false
            phase = .untilEnd
            return
        }
        guard lengths.count == 1, (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }),
            let length = Int(text)
        else { throw .malformed }
        if length > bodyLimit { throw .tooLarge }
        phase = length == 0 ? .done : .fixed(length)
    }
}
