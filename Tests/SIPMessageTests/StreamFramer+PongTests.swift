import Primitives
import Testing

@testable import SIPMessage

/// Empty lines between the messages of a stream: the peer's pings, and its answers to ours (RFC 5626 section 4.4.1).
@Suite struct StreamFramerPongTests {
    /// How many pings and answers a framer finds, with a ping of ours before the first byte.
    func count(_ text: String, awaitsPong: Bool, pieces: Int = 1000) -> (pings: Int, pongs: Int, messages: Int) {
        var framer = StreamFramer()
        framer.awaitsPong = awaitsPong
        var found = (pings: 0, pongs: 0, messages: 0)
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            Array(bytes[start..<min(bytes.count, start + pieces)]).withSlice { framer.append($0) }
            reading: while true {
                switch framer.next() {
                case .ping: found.pings += 1
                case .message: found.messages += 1
                case .incomplete, .unframed, .failure: break reading
                }
            }
            if framer.takePong() { found.pongs += 1 }
        }
        return found
    }

    static let message = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"

    @Test(arguments: [1, 2, 3, 1000])
    func `An empty line after a ping of ours is its answer, and none of half a ping`(pieces: Int) {
        #expect(count("\r\n", awaitsPong: true, pieces: pieces) == (0, 1, 0))
        #expect(count("\r\n\r\n\r\n", awaitsPong: true, pieces: pieces) == (1, 1, 0))
        #expect(count("\r\n" + Self.message + "\r\n\r\n", awaitsPong: true, pieces: pieces) == (1, 1, 1))
    }

    @Test(arguments: [1, 2, 3, 1000])
    func `Without a ping of ours two empty lines are a ping, however far apart`(pieces: Int) {
        #expect(count("\r\n\r\n", awaitsPong: false, pieces: pieces) == (1, 0, 0))
        #expect(count("\r\n", awaitsPong: false, pieces: pieces) == (0, 0, 0))
        #expect(count("\r\n" + Self.message + "\r\n", awaitsPong: false, pieces: pieces) == (0, 0, 1))
    }

    @Test func `A peer that answers no pings of ours is answered its own`() {
        #expect(count("\r\n\r\n", awaitsPong: true) == (1, 0, 0))
        #expect(count("\r\n\r\n" + Self.message + "\r\n", awaitsPong: true, pieces: 4) == (1, 1, 1))
    }

    @Test func `An answer is told once`() {
        var framer = StreamFramer()
        framer.awaitsPong = true
        "\r\n".withSlice { framer.append($0) }
        _ = framer.next()
        let (first, second) = (framer.takePong(), framer.takePong())
        #expect(first && !second)
    }
}
