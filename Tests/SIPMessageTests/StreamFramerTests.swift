import Primitives
import Testing

@testable import SIPMessage

@Suite struct StreamFramerTests {
    /// What came out of a framer, with copied bytes.
    enum Result: Equatable {
        case message(String)
        case ping
        case unframed(String, StreamFramer.Failure)
        case failure(StreamFramer.Failure)
    }

    /// Feeds the pieces and gathers what comes out, up to the first failure.
    static func frames(_ pieces: [[UInt8]], limit: Int = 65535, headLimit: Int = 32768) -> [Result] {
        var framer = StreamFramer(limit: limit, headLimit: headLimit)
        var results: [Result] = []
        for piece in pieces {
            piece.withSlice { framer.append($0) }
            reading: while true {
                switch framer.next() {
                case .incomplete: break reading
                case .message(let message): results.append(.message(message.string))
                case .ping: results.append(.ping)
                case .unframed(let head, let failure):
                    results.append(.unframed(head.string, failure))
                    return results
                case .failure(let failure):
                    results.append(.failure(failure))
                    return results
                }
            }
        }
        return results
    }

    static func frames(_ text: String, limit: Int = 65535, headLimit: Int = 32768) -> [Result] {
        frames([Array(text.utf8)], limit: limit, headLimit: headLimit)
    }

    static func head(_ lines: String...) -> String {
        "OPTIONS sip:a@b SIP/2.0\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    static let stream = [
        head("Content-Length: 4") + "body", head("l:0"),
        head("Via: x", "CONTENT-LENGTH \t:\r\n 12") + "\r\n\r\nbody\r\n\r\n",
    ]

    @Test(
        "20.14: the body has the length that Content-Length says",
        arguments: [
            ("Content-Length: 4", "body"), ("content-length:4", "body"), ("l: 4", "body"), ("L  :  4  ", "body"),
            ("Content-Length\t: 4", "body"), ("Content-Length:\r\n\t4", "body"), ("Content-Length: 0004", "body"),
            ("Content-Length: 4\r\nl: 4", "body"), ("Content-Length: 0", ""),
            ("Via: l: 9\r\n Content-Length: 9\r\nl:4", "body"),
        ])
    func contentLength(line: String, body: String) {
        let message = Self.head(line) + body
        #expect(Self.frames(message + message) == [.message(message), .message(message)])
    }

    @Test(
        "20.14: a head without a usable Content-Length is given once, to be answered, and ends the stream",
        arguments: [
            ("Via: x", StreamFramer.Failure.noContentLength), ("Content-Length: ", .malformedContentLength),
            ("Content-Length: -1", .malformedContentLength), ("Content-Length: +4", .malformedContentLength),
            ("Content-Length: 4x", .malformedContentLength), ("Content-Length: 0x4", .malformedContentLength),
            ("Content-Length: 1\r\n 0", .malformedContentLength), ("Content-Length: 4, 4", .malformedContentLength),
            ("Content-Length: 4\r\nContent-Length: 5", .ambiguousContentLength),
            ("l: 4\r\nContent-Length: 5", .ambiguousContentLength),
            ("Content-Lengt: 4", .noContentLength), ("X-Content-Length: 4", .noContentLength),
        ])
    func unframed(line: String, failure: StreamFramer.Failure) {
        let head = Self.head(line)
        #expect(Self.frames(head + "body") == [.unframed(head, failure)])
        var framer = StreamFramer()
        (head + Self.head("l: 0")).withSlice { framer.append($0) }
        _ = framer.next()
        guard case .failure(failure) = framer.next() else {
            Issue.record("read on after a failure")
            return
        }
    }

    @Test("18.3: messages are the same wherever the stream is cut in two")
    func everySplit() {
        let text = "\r\n\r\n" + Self.stream.joined(separator: "\r\n") + "\r\n\r\n"
        let bytes = Array(text.utf8)
        let expected: [Result] = [.ping] + Self.stream.map { .message($0) } + [.ping]
        #expect(Self.frames([bytes]) == expected)
        for position in 0...bytes.count {
            #expect(Self.frames([Array(bytes[..<position]), Array(bytes[position...])]) == expected)
        }
    }

    @Test("18.3: messages are the same when every byte comes alone")
    func byteByByte() {
        let text = Self.stream.joined() + "\r\n\r\n" + Self.stream.joined()
        let messages = Self.stream.map { Result.message($0) }
        #expect(Self.frames(text.utf8.map { [$0] }) == messages + [.ping] + messages)
    }

    @Test(
        "RFC 5626 4.4.1: two line ends between messages are a ping, one is nothing",
        arguments: [
            ("\r\n", 0), ("\r\n\r\n", 1), ("\r\n\r\n\r\n", 1), ("\r\n\r\n\r\n\r\n", 2),
        ])
    func pings(text: String, count: Int) {
        let message = Self.head("l: 0")
        let pings = [Result](repeating: .ping, count: count)
        #expect(Self.frames(text + message) == pings + [.message(message)])
        #expect(Self.frames(message + text + message) == [.message(message)] + pings + [.message(message)])
    }

    @Test("A single line end before one message and another after it are no ping")
    func separateLineEnds() {
        let message = Self.head("l: 0")
        #expect(Self.frames("\r\n" + message + "\r\n" + message) == [.message(message), .message(message)])
    }

    @Test("A message of exactly the limit passes, one byte more fails before its body comes")
    func messageLimit() {
        let head = Self.head("Content-Length: 100")
        let body = String(repeating: "x", count: 100)
        #expect(Self.frames(head + body, limit: head.utf8.count + 100) == [.message(head + body)])
        #expect(Self.frames(head, limit: head.utf8.count + 99) == [.unframed(head, .messageTooLarge)])
    }

    @Test(
        "An announced length over the limit fails at once, also one that no integer holds",
        arguments: ["65536", "4294967296", "18446744073709551616", "99999999999999999999999999"])
    func announcedTooLarge(length: String) {
        let head = Self.head("Content-Length: \(length)")
        #expect(Self.frames(head) == [.unframed(head, .messageTooLarge)])
    }

    @Test("A head without an end fails at its limit, in one piece and byte by byte")
    func headLimit() {
        let endless = Array(("OPTIONS sip:a@b SIP/2.0\r\nX: " + String(repeating: "x", count: 1000)).utf8)
        #expect(Self.frames([endless], headLimit: 500) == [.failure(.headTooLarge)])
        #expect(Self.frames(endless.map { [$0] }, headLimit: 500) == [.failure(.headTooLarge)])
        let complete = Self.head("l: 0", "X: " + String(repeating: "x", count: 500))
        #expect(Self.frames(complete, headLimit: 500) == [.failure(.headTooLarge)])
    }

    @Test("A message is partial from its first byte to its last")
    func partial() {
        var framer = StreamFramer()
        var partial = [framer.isPartial]
        for piece in ["OPTIONS", " sip:a SIP/2.0\r\nl: 1\r\n\r\n", "x"] {
            piece.withSlice { framer.append($0) }
            _ = framer.next()
            partial.append(framer.isPartial)
        }
        #expect(partial == [false, true, true, false])
    }

    @Test("Reading is linear in the bytes: a megabyte of small pieces and of small messages takes no time")
    func linear() {
        let large = Self.head("Content-Length: 60000") + String(repeating: "\n", count: 60000)
        let clock = ContinuousClock()
        let byBytes = clock.measure {
            #expect(Self.frames(large.utf8.map { [$0] }) == [.message(large)])
        }
        let small = Self.head("l: 0")
        let count = 20_000
        let pipelined = clock.measure {
            let bytes = Array(String(repeating: small, count: count).utf8)
            #expect(Self.frames([bytes]).count == count)
        }
        // Quadratic reading would take minutes.
        #expect(byBytes < .seconds(5))
        #expect(pipelined < .seconds(5))
    }

    @Test("Arbitrary bytes neither stop the framer nor make it trap")
    func arbitraryBytes() {
        var state: UInt64 = 1
        let alphabet = Array("\r\n\r\n \t:lLcontent-length0123456789-xA".utf8)
        for _ in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<60 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            let whole = Self.frames([bytes], limit: 50, headLimit: 40)
            let pieces = Self.frames(bytes.map { [$0] }, limit: 50, headLimit: 40)
            #expect(whole == pieces)
        }
    }
}
