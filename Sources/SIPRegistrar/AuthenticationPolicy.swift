import SIPAuthentication

/// How clients prove who they are: the settings of `Authenticator`.
public struct AuthenticationPolicy: Sendable {
    /// The algorithms offered, the preferred one first. A phone on libre 1.0 (baresip) gives up when it is offered any that
    /// it does not know, sipp 3.6 and sipsak 0.9.8 when the first is not MD5: hence MD5 alone.
    public var algorithms: [DigestAlgorithm] = [.md5]
    /// The qualities of protection offered; none for digests in the manner of RFC 2069.
    public var qualities: [QualityOfProtection] = [.auth]
    /// How long a nonce is good, in milliseconds.
    public var nonceLifetime: Int64 = 300_000

    /// The default settings.
    public init() {}
}
