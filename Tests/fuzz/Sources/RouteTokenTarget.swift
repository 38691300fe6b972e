import Primitives

@testable import SIPProxy

/// Reads a text as a route token, which must not be one; makes a token of the bytes, which must be read as it was, and
/// no more once anything of it is changed.
func fuzzRouteToken(_ input: ByteSlice) {
    let callID: ByteSlice = "call@example.com"
    require(RouteToken(input, callID: callID, key: key) == nil, "a stranger has made a token: \(input.string)")
    if let bytes = InlineBytes<76>(base64URL: input) {
        var writer = ByteWriter(capacity: 128)
        bytes.writeBase64URL(to: &writer)
        require(writer.slice == input, "another text for the same bytes: \(input.string)")
    }
    var rest = ByteReader(input)
    let token = RouteToken(
        caller: rest.flow(), callee: rest.flow(), callerTag: UInt16(rest.number() % 65536),
        record: RecordNumber(Int64(bitPattern: rest.number())))
    var writer = ByteWriter(capacity: 128)
    token.write(to: &writer, callID: callID, key: key)
    require(writer.slice.allSatisfy { ASCII.isToken($0) }, "a token is no URI user: \(writer.slice.string)")
    guard let copy = RouteToken(writer.slice, callID: callID, key: key) else { fail("a token of ours is not read") }
    require(
        copy.caller == token.caller && copy.callee == token.callee && copy.callerTag == token.callerTag
            && copy.record == token.record, "a token reads differently: \(token) \(copy)")
    require(RouteToken(writer.slice, callID: "other", key: key) == nil, "a token is good in another call")
    var changed = writer.slice.bytes
    let place = Int(rest.number() % UInt64(changed.count))
    changed[place] = changed[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
    changed.withSlice { require(RouteToken($0, callID: callID, key: key) == nil, "a changed token is good") }
}

private let key = HashKey(0x1234_5678, 0x9abc_def0)

/// Takes numbers from an input, zeros at its end.
struct ByteReader {
    private let input: ByteSlice
    private var offset = 0

    init(_ input: ByteSlice) { self.input = input }

    /// True at the end of the input.
    var isAtEnd: Bool { offset >= input.count }

    mutating func byte() -> UInt8 {
        guard offset < input.count else { return 0 }
        defer { offset += 1 }
        return input[offset]
    }

    /// A number below `limit`, of one byte.
    mutating func below(_ limit: Int) -> Int { limit > 0 ? Int(byte()) % limit : 0 }

    mutating func number() -> UInt64 {
        var number: UInt64 = 0
        for _ in 0..<8 { number = number << 8 | UInt64(byte()) }
        return number
    }

    /// The next bytes, as many as there are.
    mutating func bytes(_ count: Int) -> ByteSlice {
        let start = min(offset, input.count)
        let end = min(input.count, start + count)
        offset = end
        return input[start..<end]
    }

    /// A flow as a token can hold it.
    mutating func flow() -> Flow {
        let kind = byte()
        let transport: TransportProtocol = kind & 1 == 0 ? .udp : .tcp
        let address =
            kind & 2 == 0
            ? IPAddress(ipv4: UInt32(truncatingIfNeeded: number())) : IPAddress(high: number(), low: number())
        return Flow(
            transport: transport, listener: UInt16(byte()),
            remote: SocketAddress(address: address, port: UInt16(truncatingIfNeeded: number())),
            connection: transport == .tcp ? number() : 0)
    }
}
