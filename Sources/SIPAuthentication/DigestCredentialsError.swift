/// Why the value of an Authorization or Proxy-Authorization header is not a set of digest credentials.
public enum DigestCredentialsError: Error, Equatable, Sendable {
    /// The scheme is not Digest.
    case notDigest
    /// The parameters do not follow the grammar (RFC 3261 section 25.1, `credentials`).
    case malformed
    /// A parameter occurs twice.
    case duplicate(DigestCredentials.Field)
    /// A parameter that is needed is absent. An empty nonce or response counts as absent: phones of mobile networks
    /// send their first request so, to name the user (3GPP TS 24.229), and expect a challenge.
    case missing(DigestCredentials.Field)
    /// A parameter has an impossible value: a nonce count that is not eight hexadecimal digits, a response that is not
    /// a hash of the algorithm.
    case invalid(DigestCredentials.Field)
}
