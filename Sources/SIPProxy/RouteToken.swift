import Primitives

/// What our Record-Route URI carries as its user: the flows of both parties of a dialog, signed.
///
/// A request that brings it back proves a dialog that we have let through, and says where its peer is reached, whatever
/// private address stands in the Request-URI. The signature covers the Call-ID, so that a token is of no use in another
/// dialog; its secret survives restarts, and with it the dialogs. It names the record of the call too, so that a BYE ends
/// that without any memory of the call.
struct RouteToken {
    /// Where the caller is reached.
    var caller: Flow
    /// Where the callee is reached.
    var callee: Flow
    /// A hash of the caller's tag, which tells the direction of a request.
    var callerTag: UInt16
    /// The record of the call; `.none` for another dialog, and in a token of a version that kept no records.
    var record = RecordNumber.none

    /// Everything that our Record-Route users begin with.
    static let prefix: ByteSlice = "rc"
    /// Two flows, the tag, the record, the signature.
    private typealias Bytes = InlineBytes<76>

    /// Where a request with these tags goes, and whether it comes from the caller; nil when neither tag is the caller's.
    func direction(fromTag: ByteSlice, toTag: ByteSlice, source: Flow) -> (next: Flow, isFromCaller: Bool)? {
        let isFromCaller = RouteToken.hash(tag: fromTag) == callerTag
        let isToCaller = RouteToken.hash(tag: toTag) == callerTag
        if isFromCaller, !isToCaller { return (callee, true) }
        if isToCaller, !isFromCaller { return (caller, false) }
        if !isFromCaller { return nil }
        // One time in 65,536 both tags hash alike: the source decides.
        return source.remote == callee.remote ? (caller, false) : (callee, true)
    }

    static func hash(tag: ByteSlice) -> UInt16 { UInt16(truncatingIfNeeded: dialogHash(tag: tag)) }

    /// A hash of a tag that tells the dialogs of one call apart; the same after a restart.
    static func dialogHash(tag: ByteSlice) -> Int64 {
        var hash = SipHash(key: HashKey(0x726f_6c6c, 0x6361_6c6c))
        hash.update(tag)
        return Int64(bitPattern: hash.finalize().first)
    }

    /// Appends the token of a dialog as text of URI-user characters.
    func write(to writer: inout ByteWriter, callID: ByteSlice, key: HashKey) {
        var bytes = Bytes()
        RouteToken.put(caller, &bytes)
        RouteToken.put(callee, &bytes)
        bytes.append(UInt64(callerTag), length: 2)
        if record != .none { bytes.append(UInt64(bitPattern: record.value), length: 8) }
        bytes.append(RouteToken.signature(bytes, callID: callID, key: key), length: 8)
        writer.append(RouteToken.prefix)
        bytes.writeBase64URL(to: &writer)
    }

    /// Reads a token; nil when it is not one of ours or belongs to another call.
    init?(_ user: ByteSlice, callID: ByteSlice, key: HashKey) {
        guard user.starts(with: RouteToken.prefix), var bytes = Bytes(base64URL: user.from(2)),
            bytes.count > 10
        else { return nil }
        let signed = bytes.count - 8
        let signature = bytes.number(at: signed, length: 8)
        bytes.truncate(to: signed)
        guard signature == RouteToken.signature(bytes, callID: callID, key: key) else { return nil }
        var offset = 0
        guard let caller = RouteToken.take(bytes, &offset), let callee = RouteToken.take(bytes, &offset),
            let tag = bytes.number(at: offset, length: 2)
        else { return nil }
        let record = bytes.number(at: offset + 2, length: 8) ?? 0
        self.init(
            caller: caller, callee: callee, callerTag: UInt16(truncatingIfNeeded: tag),
            record: RecordNumber(Int64(bitPattern: record)))
    }

    init(caller: Flow, callee: Flow, callerTag: UInt16, record: RecordNumber = .none) {
        self.record = record
        self.caller = caller
        self.callee = callee
        self.callerTag = callerTag
    }

    private static func signature(_ bytes: Bytes, callID: ByteSlice, key: HashKey) -> UInt64 {
        var hash = SipHash(key: key)
        for index in 0..<bytes.count { hash.update(byte: bytes[index]) }
        hash.update(callID)
        return hash.finalize().first
    }

    /// A flow: one byte of transport and family, the listener, the port, the address, the connection of a stream.
    private static func put(_ flow: Flow, _ bytes: inout Bytes) {
        let isIPv4 = flow.remote.address.isIPv4
        bytes.append(UInt64(flow.transport.rawValue) | (isIPv4 ? 0 : 128), length: 1)
        bytes.append(UInt64(flow.listener), length: 1)
        bytes.append(UInt64(flow.remote.port), length: 2)
        if isIPv4 {
            bytes.append(UInt64(flow.remote.address.ipv4), length: 4)
        } else {
            bytes.append(flow.remote.address.high, length: 8)
            bytes.append(flow.remote.address.low, length: 8)
        }
        if flow.transport.isReliable { bytes.append(flow.connection, length: 8) }
    }

    private static func take(_ bytes: Bytes, _ offset: inout Int) -> Flow? {
        guard let kind = bytes.number(at: offset, length: 1), let listener = bytes.number(at: offset + 1, length: 1),
            let port = bytes.number(at: offset + 2, length: 2),
            let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: kind & 127))
        else { return nil }
        offset += 4
        var address = IPAddress(ipv4: 0)
        if kind & 128 == 0 {
            guard let value = bytes.number(at: offset, length: 4) else { return nil }
            address = IPAddress(ipv4: UInt32(truncatingIfNeeded: value))
            offset += 4
        } else {
            guard let high = bytes.number(at: offset, length: 8), let low = bytes.number(at: offset + 8, length: 8)
            else { return nil }
            address = IPAddress(high: high, low: low)
            offset += 16
        }
        var connection: UInt64 = 0
        if transport.isReliable {
            guard let value = bytes.number(at: offset, length: 8) else { return nil }
            connection = value
            offset += 8
        }
        return Flow(
            transport: transport, listener: UInt16(listener),
            remote: SocketAddress(address: address, port: UInt16(truncatingIfNeeded: port)), connection: connection)
    }
}
