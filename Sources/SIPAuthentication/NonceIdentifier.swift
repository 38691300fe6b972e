import Primitives

/// Which nonce it is: its time of issue and a number that tells apart those of one millisecond.
public struct NonceIdentifier: Hashable, Sendable {
    /// The time of issue in milliseconds since 1970, below 2^48.
    public let milliseconds: UInt64
    /// The number that the issuer chose.
    public let counter: UInt32

    /// The identifier of the nonce issued at `time`, which is cut to what 48 bits can hold.
    public init(time: UnixTime, counter: UInt32) {
        milliseconds = UInt64(max(0, time.milliseconds)) & 0xffff_ffff_ffff
        self.counter = counter
    }

    /// The time of issue.
    public var time: UnixTime { UnixTime(milliseconds: Int64(milliseconds)) }
}

extension NonceIdentifier: Comparable {
    /// Order of issue; the counter decides within a millisecond.
    public static func < (left: NonceIdentifier, right: NonceIdentifier) -> Bool {
        (left.milliseconds, left.counter) < (right.milliseconds, right.counter)
    }
}
