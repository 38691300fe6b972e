/// The number of a call's or a message's record: it grows with time, and its sid can be read back into it.
///
/// So a record needs no index but that of its number, a route token can name it in eight bytes, and records are in the
/// order of their creation by themselves.
@frozen
public struct RecordNumber: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970 in the upper bits, a counter in the lower `counterBits`; greater than 0.
    public let value: Int64

    /// How many bits the counter has.
    private static let counterBits: Int64 = 20
    /// Tells a sid that was invented or mistyped from one of ours; it keeps nothing secret.
    private static let key = HashKey(0x7265_636f_7264, 0x6e75_6d62_6572)

    /// The record with this number.
    public init(_ value: Int64) { self.value = value }

    /// The number of a record made at `time`; `counter` must differ between two of the same millisecond.
    public init(at time: UnixTime, counter: UInt64) {
        let limit = Int64.max >> RecordNumber.counterBits
        let mask = UInt64(1) << UInt64(RecordNumber.counterBits) &- 1
        value = min(max(time.milliseconds, 1), limit) << RecordNumber.counterBits | Int64(counter & mask)
    }

    /// The least number of a record made at `time` or later: the bound of a search.
    public init(notBefore time: UnixTime) { self.init(at: time, counter: 0) }

    /// The number in a sid with this prefix; nil when the sid is not one of ours.
    public init?(sid: String, prefix: String) {
        let digits = sid.utf8.dropFirst(prefix.utf8.count)
        guard sid.hasPrefix(prefix), digits.count == 32,
            digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let value = Int64(String(decoding: digits.prefix(16), as: UTF8.self), radix: 16)
        else { return nil }
        self.value = value
        if self.sid(prefix: prefix) != sid { return nil }
    }

    /// `prefix` (`CA` for a call, `SM` for a message) and 32 hexadecimal digits.
    public func sid(prefix: String) -> String {
        var writer = ByteWriter(capacity: 64)
        writer.append(prefix)
        writer.append(digitsOf: self)
        return writer.slice.string
    }

    /// What stands behind the number in a sid, so that not any number makes one.
    fileprivate var check: UInt64 {
        var hash = SipHash(key: RecordNumber.key)
        hash.update(UInt64(bitPattern: value))
        return hash.finalize().first
    }

    /// When the record was made.
    public var time: UnixTime { UnixTime(milliseconds: value >> RecordNumber.counterBits) }

    /// Order of creation.
    public static func < (left: RecordNumber, right: RecordNumber) -> Bool { left.value < right.value }
}

extension ByteWriter {
    /// Appends the 32 digits of a sid, which follow its prefix.
    public mutating func append(digitsOf number: RecordNumber) {
        append(hexadecimal: UInt64(bitPattern: number.value), digits: 16)
        append(hexadecimal: number.check, digits: 16)
    }
}
