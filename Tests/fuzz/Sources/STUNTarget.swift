import Primitives

@testable import SIPMessage

/// Reads a datagram as a Binding Request, as it is and with a header and a FINGERPRINT that fit. The answer must be one to
/// this request, little longer, and itself no request: else two servers would answer each other for ever.
func fuzzSTUN(_ input: ByteSlice) {
    answer(input.bytes)
    let content = input.prefix(516).bytes + [UInt8](repeating: 0, count: 12)
    var request: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]
    request += content.prefix(max(12, content.count & ~3))
    setLength(&request, request.count - 20)
    answer(request)
    setLength(&request, request.count - 12)
    let value = request.withSlice { STUNMessage.fingerprint(of: $0) }
    request += [0x80, 0x28, 0, 4] + bytes(value)
    answer(request)
}

private func answer(_ request: [UInt8]) {
    request.withSlice { text in
        guard let message = STUNMessage(text) else { return }
        require(STUNMessage.isLikely(text) && text.first == 0, "a request that does not look like one")
        for source in [
            SocketAddress(address: IPAddress(ipv4: 0xc633_6401), port: 40_000),
            SocketAddress(address: IPAddress(high: 0x2001_0db8_0102_0304, low: 0x0506_0708_090a_0b0c), port: 40_000),
        ] {
            var writer = ByteWriter(capacity: 64)
            message.writeAnswer(to: source, into: &writer)
            check(writer.slice.bytes, request, message, source)
        }
    }
}

private func check(_ answer: [UInt8], _ request: [UInt8], _ message: STUNMessage, _ source: SocketAddress) {
    require(answer.count <= request.count + 24, "an answer of \(answer.count) bytes to \(request.count)")
    require(answer.withSlice { STUNMessage($0) == nil }, "the answer is a request")
    require(answer[4..<20] == request[4..<20], "the answer has another transaction")
    require(Int(answer[2]) << 8 | Int(answer[3]) == answer.count - 20, "the answer has another length")
    let isRefused = message.unknownAttribute != 0
    require(answer[0] == 1 && answer[1] == (isRefused ? 0x11 : 1), "an answer of another type")
    if message.hasFingerprint {
        let value = answer.dropLast(8).withSlice { STUNMessage.fingerprint(of: $0) }
        require(Array(answer.suffix(8)) == [0x80, 0x28, 0, 4] + bytes(value), "the answer has a wrong fingerprint")
    }
    if isRefused { return }
    let length = source.address.isIPv4 ? 4 : 16
    // Behind the header of the attribute: the family, and the port and address, mixed with the cookie and transaction.
    let mixed = zip(answer[28..<28 + length], request[4..<20]).map { $0 ^ $1 }
    require(answer[26] ^ 0x21 == 0x9c && answer[27] ^ 0x12 == 0x40, "another port")
    let address = bytes(UInt32(truncatingIfNeeded: source.address.high >> 32))
    require(
        Array(mixed.prefix(4)) == (length == 4 ? bytes(source.address.ipv4) : address), "another address")
}

private func setLength(_ request: inout [UInt8], _ length: Int) {
    request[2] = UInt8(length >> 8)
    request[3] = UInt8(length & 255)
}

private func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

extension ArraySlice<UInt8> {
    fileprivate func withSlice<Result>(_ body: (ByteSlice) -> Result) -> Result { Array(self).withSlice(body) }
}
