import Primitives

/// What a digest response protects (RFC 7616 section 3.4, the `qop` parameter).
public enum QualityOfProtection: Sendable {
    /// No `qop`: the form of RFC 2069, without client nonce and nonce count.
    case none
    /// The method and the URI.
    case auth
    /// The method, the URI and the body.
    case authInt
    /// Something else, which cannot be checked.
    case unknown

    /// The quality of this name, compared without case; `unknown` for any other.
    public init(_ name: ByteSlice) {
        if name.equalsIgnoringCase("auth") {
            self = .auth
        } else if name.equalsIgnoringCase("auth-int") {
            self = .authInt
        } else {
            self = .unknown
        }
    }

    /// The name as in a challenge; nil for those that cannot be offered.
    public var name: ByteSlice? {
        switch self {
        case .auth: "auth"
        case .authInt: "auth-int"
        case .none, .unknown: nil
        }
    }
}
