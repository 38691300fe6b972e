import Primitives

/// A login as the location service finds it: the keyed hash of its bytes, `%HH` escapes decoded.
public struct LoginKey: Hashable, Sendable {
    /// The hash; a message of ours may carry it, as nobody else has the key.
    public let hash: HashValue

    /// The key with this hash.
    public init(hash: HashValue) { self.hash = hash }
}
