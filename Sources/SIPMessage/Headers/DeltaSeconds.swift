import Primitives

/// A number of seconds as Expires, Min-Expires, Retry-After and the parameters named expires give it (RFC 3261 20.19,
/// 20.23 and 25.1, `delta-seconds`).
@frozen
public struct DeltaSeconds: Equatable, Sendable {
    /// The seconds. 20.19 ends at 2^32 - 1; what is larger is that.
    public var seconds: UInt32

    /// Reads the value; nil when there is anything but digits.
    public init?(_ value: ByteSlice) {
        guard !value.isEmpty, value.allSatisfy(ASCII.isDigit) else { return nil }
        seconds = UInt32(value.decimal(limit: UInt64(UInt32.max)) ?? UInt64(UInt32.max))
    }
}

extension SIPMessage {
    /// Expires; nil when absent or malformed, which `firstIndex(of: .expires)` tells apart (20.19).
    public var expires: DeltaSeconds? { value(of: .expires).flatMap { DeltaSeconds($0) } }

    /// Min-Expires of a 423; nil when absent or malformed (20.23).
    public var minExpires: DeltaSeconds? { value(of: .minExpires).flatMap { DeltaSeconds($0) } }
}
