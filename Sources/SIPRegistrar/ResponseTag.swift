import Primitives
import SIPMessage

/// The To tag of a response that no state is kept for: the same for each retransmission of a request (RFC 3261 8.2.7).
public struct ResponseTag: Sendable {
    private var digits = InlineArray<16, UInt8>(repeating: 0)

    /// The tag for the responses to `request`.
    public init(for request: borrowing SIPMessage, key: HashKey) {
        var hash = SipHash(key: key)
        hash.update(request.callID)
        hash.update(byte: 0)
        hash.update(UInt64(request.sequenceNumber))
        hash.update(request.fromTag)
        let value = hash.finalize().first
        let alphabet = ASCII.hexadecimalDigits
        for index in 0..<16 { digits[index] = alphabet[Int(value >> UInt64(60 - 4 * index) & 15)] }
    }

    /// Calls `body` with the tag, valid for the call.
    public func withSlice<Result>(_ body: (ByteSlice) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: digits) { try body(ByteSlice($0)) }
    }
}
