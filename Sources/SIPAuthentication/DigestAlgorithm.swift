import Primitives

/// A hash that digest authentication may use (RFC 8760 section 2.1). The `-sess` forms and AKA are not among them.
public enum DigestAlgorithm: UInt8, CaseIterable, Sendable {
    /// MD5, the only one of RFC 3261.
    case md5
    /// SHA-256.
    case sha256
    /// SHA-512/256.
    case sha512_256

    /// The algorithm of this name, compared without case; nil for any other.
    public init?(_ name: ByteSlice) {
        if name.equalsIgnoringCase(Self.md5.name) {
            self = .md5
        } else if name.equalsIgnoringCase(Self.sha256.name) {
            self = .sha256
        } else if name.equalsIgnoringCase(Self.sha512_256.name) {
            self = .sha512_256
        } else {
            return nil
        }
    }

    /// The name as in a challenge.
    public var name: ByteSlice {
        switch self {
        case .md5: "MD5"
        case .sha256: "SHA-256"
        case .sha512_256: "SHA-512-256"
        }
    }

    /// Length of the hash in bytes; a response has twice as many digits.
    public var byteCount: Int { self == .md5 ? 16 : 32 }
}
