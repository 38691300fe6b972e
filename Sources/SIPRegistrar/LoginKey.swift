import Primitives

/// A login as the location service finds it: the keyed hash of its bytes, `%HH` escapes decoded.
public struct LoginKey: Hashable, Sendable {
    let hash: HashValue
}
