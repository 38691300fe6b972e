import Primitives

/// A code that proves who wrote a message (RFC 2104): a hash under a key.
public struct HMAC<Hash: HashFunction> {
    private var inner = Hash()
    private var outer = Hash()

    /// A code of nothing yet; `blockSize` is that of the hash in bytes, 64 of SHA-256.
    public init(key: ByteSlice, blockSize: Int = 64) {
        if key.count > blockSize {
            var hash = Hash()
            hash.update(key)
            let digest = hash.finalize()
            self = digest.withSlice { HMAC(shortKey: $0, blockSize: blockSize) }
        } else {
            self.init(shortKey: key, blockSize: blockSize)
        }
    }

    private init(shortKey key: ByteSlice, blockSize: Int) {
        for index in 0..<blockSize {
            let byte = index < key.count ? key[index] : 0
            inner.update(byte: byte ^ 0x36)
            outer.update(byte: byte ^ 0x5c)
        }
    }

    /// Adds a part of the message.
    public mutating func update(_ slice: ByteSlice) { inner.update(slice) }

    /// The code; nothing may be added afterwards.
    public mutating func finalize() -> HashDigest {
        let digest = inner.finalize()
        digest.withSlice { outer.update($0) }
        return outer.finalize()
    }
}
