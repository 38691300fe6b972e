import Primitives

/// What is stored of a client's password for one realm: the HA1 values (RFC 7616 section 3.4.2) of all algorithms.
///
/// 80 bytes, without reference: 16 for MD5, 32 for SHA-256, 32 for SHA-512/256. An HA1 of zeros stands for "none" and
/// matches nothing, so that a digest imported from elsewhere may have some algorithms only.
public struct PasswordDigest: Sendable {
    /// Length of the stored form in bytes.
    public static let byteCount = 80

    /// The digest that no password matches. Verify against it when there is no such client: the answer then takes as
    /// long as for a wrong password, and is always no.
    public static let none = PasswordDigest()

    private var storage = InlineArray<80, UInt8>(repeating: 0)

    private init() {}

    /// The digest of a password. The realm is the one of the challenge, before escaping.
    public init(login: ByteSlice, realm: ByteSlice, password: ByteSlice) {
        set(Self.hash(MD5(), login, realm, password), for: .md5)
        set(Self.hash(SHA256(), login, realm, password), for: .sha256)
        set(Self.hash(SHA512_256(), login, realm, password), for: .sha512_256)
    }

    /// The digest whose stored form this is; nil when it is not `byteCount` long.
    public init?(stored: ByteSlice) {
        guard stored.count == Self.byteCount else { return nil }
        for index in 0..<stored.count { storage[index] = stored[index] }
    }

    /// The digest that knows MD5 only, from HA1 as 32 hexadecimal digits; nil for other text.
    public init?(md5 hexadecimal: ByteSlice) {
        guard hexadecimal.count == 32 else { return nil }
        for index in 0..<16 {
            guard let byte = hexadecimal[2 * index..<2 * index + 2].hexadecimal() else { return nil }
            storage[index] = UInt8(truncatingIfNeeded: byte)
        }
    }

    /// Calls `body` with the stored form, valid for the call.
    public func withSlice<Result>(_ body: (ByteSlice) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: storage) { try body(ByteSlice($0)) }
    }

    /// HA1 for one algorithm.
    public subscript(algorithm: DigestAlgorithm) -> HashDigest {
        var digest = HashDigest(count: algorithm.byteCount)
        let start = Self.offset(of: algorithm)
        for index in 0..<digest.count { digest.store(storage[start + index], at: index) }
        return digest
    }

    private mutating func set(_ digest: HashDigest, for algorithm: DigestAlgorithm) {
        let start = Self.offset(of: algorithm)
        for index in 0..<digest.count { storage[start + index] = digest[index] }
    }

    private static func offset(of algorithm: DigestAlgorithm) -> Int {
        switch algorithm {
        case .md5: 0
        case .sha256: 16
        case .sha512_256: 48
        }
    }

    private static func hash(
        _ function: consuming some HashFunction, _ login: ByteSlice, _ realm: ByteSlice, _ password: ByteSlice
    ) -> HashDigest {
        function.update(login)
        function.update(byte: UInt8(ascii: ":"))
        function.update(realm)
        function.update(byte: UInt8(ascii: ":"))
        function.update(password)
        return function.finalize()
    }
}

extension PasswordDigest: Equatable {
    /// Equality of all HA1 values.
    public static func == (left: PasswordDigest, right: PasswordDigest) -> Bool {
        left.withSlice { first in right.withSlice { first == $0 } }
    }
}
