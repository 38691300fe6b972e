import Primitives

/// A parsed view of an Authorization or Proxy-Authorization value (RFC 3261 sections 20.7 and 20.28, RFC 7616 section 3.4).
///
/// The slices are parts of the value. Those of quoted strings are what stands between the quotes, escapes included,
/// which is what both sides hash; `ByteWriter.append(unescaping:)` undoes escapes where a name is looked up.
public struct DigestCredentials: Sendable {
    /// A parameter of the credentials or of a challenge. Each may be quoted or not, as phones differ.
    public enum Field: Int, CaseIterable, Sendable {
        /// `username`.
        case username
        /// `realm`.
        case realm
        /// `nonce`.
        case nonce
        /// `uri`.
        case uri
        /// `response`.
        case response
        /// `algorithm`.
        case algorithm
        /// `cnonce`.
        case clientNonce
        /// `opaque`.
        case opaque
        /// `qop`.
        case qop
        /// `nc`.
        case nonceCount
        /// `stale`, of challenges.
        case stale
    }

    /// The user's name.
    public let username: ByteSlice
    /// The realm that the password belongs to.
    public let realm: ByteSlice
    /// The nonce of the challenge, never empty.
    public let nonce: ByteSlice
    /// The digest URI: the Request-URI as the client wrote it.
    public let uri: ByteSlice
    /// The response, checked to be hexadecimal and of the algorithm's length unless the algorithm is unknown.
    public let response: ByteSlice
    /// The algorithm: MD5 when absent, nil when it names one that cannot be checked.
    public let algorithm: DigestAlgorithm?
    /// What the response protects.
    public let qop: QualityOfProtection
    /// The client nonce, empty when absent.
    public let clientNonce: ByteSlice
    /// The opaque value, empty when absent.
    public let opaque: ByteSlice
    /// The nonce count; nil without `qop`, for then the response does not protect it and it proves nothing.
    public let nonceCount: UInt32?
    /// The quality of protection as written, for hashing.
    let qopText: ByteSlice
    /// The nonce count as written, for hashing.
    let nonceCountText: ByteSlice

    /// Parses a header value; throws for the first fault in it.
    public init(_ value: ByteSlice) throws(DigestCredentialsError) {
        let fields = try DigestParameters(value)
        username = try fields.required(.username)
        realm = try fields.required(.realm)
        nonce = try fields.required(.nonce)
        uri = try fields.required(.uri)
        response = try fields.required(.response)
        if nonce.isEmpty { throw .missing(.nonce) }
        if response.isEmpty { throw .missing(.response) }
        clientNonce = fields[.clientNonce] ?? .empty
        opaque = fields[.opaque] ?? .empty

        if let name = fields[.algorithm] {
            algorithm = DigestAlgorithm(name)
        } else {
            algorithm = .md5
        }
        if let algorithm, response.count != 2 * algorithm.byteCount || !Self.isHexadecimal(response) {
            throw .invalid(.response)
        }

        nonceCountText = fields[.nonceCount] ?? .empty
        var count: UInt32?
        if fields[.nonceCount] != nil {
            guard nonceCountText.count == 8, let number = nonceCountText.hexadecimal() else {
                throw .invalid(.nonceCount)
            }
            count = UInt32(truncatingIfNeeded: number)
        }
        if let text = fields[.qop] {
            // RFC 7616 section 3.4: with qop, both must be there.
            _ = try fields.required(.clientNonce)
            _ = try fields.required(.nonceCount)
            qop = QualityOfProtection(text)
            qopText = text
            nonceCount = count
        } else {
            qop = .none
            qopText = .empty
            nonceCount = nil
        }
    }

    private static func isHexadecimal(_ text: ByteSlice) -> Bool {
        text.allSatisfy { ASCII.hexadecimalValue($0) != nil }
    }
}
