import Primitives
import SIPMessage

/// Feeds a stream to the framer at once and in pieces, as the first bytes say: what comes out must be the same.
func fuzzStreamFramer(_ input: ByteSlice) {
    guard input.count > 2 else { return }
    let limits = [(65535, 32768), (400, 200), (4096, 64)][Int(input[0] % 3)]
    let stream = input.from(2)
    let whole = frames(of: stream, limits, pieces: { _ in stream.count })
    let seed = UInt64(input[1])
    let split = frames(of: stream, limits) { index in
        Int(truncatingIfNeeded: (seed &* 0x9e37_79b9 &+ UInt64(index) &* 2_654_435_761) >> 7 % (1 + seed % 40)) + 1
    }
    require(whole == split, "other pieces, other frames:\n\(text(whole))\n\(text(split))")
    // One byte at a time is what finds an end that is looked for too early.
    if stream.count < 2048 {
        let single = frames(of: stream, limits) { _ in 1 }
        require(whole == single, "single bytes, other frames:\n\(text(whole))\n\(text(single))")
    }
}

/// What the framer made of a stream that came in pieces of these sizes.
private func frames(of stream: ByteSlice, _ limits: (Int, Int), pieces: (Int) -> Int) -> [UInt8] {
    var framer = StreamFramer(limit: limits.0, headLimit: limits.1)
    var result: [UInt8] = []
    var offset = 0
    var piece = 0
    func append(_ kind: String, _ bytes: ByteSlice = .empty) {
        result += kind.utf8
        result += bytes.bytes
        result.append(ASCII.lineFeed)
    }
    while offset < stream.count {
        let end = min(stream.count, offset + max(1, pieces(piece)))
        framer.append(stream[offset..<end])
        offset = end
        piece += 1
        reading: while true {
            switch framer.next() {
            case .incomplete: break reading
            case .message(let message):
                require(!message.isEmpty && message.count <= limits.0, "a frame of \(message.count) bytes")
                append("message ", message)
            case .ping: append("ping")
            case .unframed(let head, let failure): append("unframed \(failure) ", head)
            case .failure(let failure):
                append("failure \(failure)")
                return result
            }
        }
    }
    return result
}

private func text(_ bytes: [UInt8]) -> String { bytes.withSlice { $0.string } }
