import Primitives
import SIPMessage

/// A parsed view of a WWW-Authenticate or Proxy-Authenticate value (RFC 3261 20.44 and 20.27, RFC 7616 section 3.3).
///
/// The slices are parts of the value; those of quoted strings have their escapes left in, as they are echoed and hashed.
public struct DigestChallengeHeader: Sendable {
    /// The realm that a password is asked for.
    public let realm: ByteSlice
    /// The nonce, never empty.
    public let nonce: ByteSlice
    /// What is to be sent back as it came; nil when absent.
    public let opaque: ByteSlice?
    /// The algorithm: MD5 when absent, nil when it names one that is not known.
    public let algorithm: DigestAlgorithm?
    /// True when the password was right and only the nonce too old.
    public let isStale: Bool
    /// The list of qualities of protection as written; nil when absent, as in RFC 2069.
    public let qop: ByteSlice?

    /// Reads one header line's value, which holds one challenge: these headers are not joined by commas (RFC 3261 7.3.1).
    /// Nil for another scheme, and when the value is malformed or lacks the realm or the nonce.
    public init?(_ value: ByteSlice) {
        guard let fields = try? DigestParameters(value), let realm = fields[.realm], let nonce = fields[.nonce],
            !nonce.isEmpty
        else { return nil }
        self.realm = realm
        self.nonce = nonce
        opaque = fields[.opaque]
        algorithm = fields[.algorithm].map { DigestAlgorithm($0) } ?? .md5
        // RFC 7616 section 3.3: anything but `true` is false.
        isStale = fields[.stale]?.equalsIgnoringCase("true") ?? false
        qop = fields[.qop]
    }

    /// True when an answer with this quality of protection is offered: `none` where there is no `qop`, `auth` and
    /// `authInt` where it lists them.
    public func offers(_ quality: QualityOfProtection) -> Bool {
        guard let qop else { return quality == .none }
        guard let wanted = quality.name else { return false }
        var start = 0
        while start < qop.count {
            let end = qop.firstIndex(of: UInt8(ascii: ","), from: start) ?? qop.count
            if qop[start..<end].trimmed().equalsIgnoringCase(wanted) { return true }
            start = end + 1
        }
        return false
    }

    /// True when credentials can be made for it: the algorithm and one quality of protection are known.
    public var isAnswerable: Bool { algorithm != nil && (offers(.none) || offers(.auth) || offers(.authInt)) }
}

extension SIPMessage {
    /// The topmost challenge of this kind that can be answered, which is the one to answer (RFC 8760 section 2.4); nil when
    /// there is none.
    public func digestChallenge(_ kind: DigestChallenge.Kind) -> DigestChallengeHeader? {
        let name = kind == .server ? HeaderName.wwwAuthenticate : .proxyAuthenticate
        for index in (firstIndex(of: name) ?? fieldCount)..<fieldCount {
            let field = self.field(index)
            guard field.name == name, let challenge = DigestChallengeHeader(value(field)) else { continue }
            if challenge.isAnswerable { return challenge }
        }
        return nil
    }
}
