import Primitives

/// Issues nonces and recognises its own without having kept them (RFC 7616 section 3.3).
///
/// The replay protection forgets at a restart what was used before. So nonces of before the start are stale: phones that
/// kept one are asked again without the appearance of a wrong password, when the secret survives restarts.
public struct NonceAuthority: Sendable {
    /// What a nonce that came back is worth.
    public enum Verdict: Equatable, Sendable {
        /// Ours and young enough.
        case valid(NonceIdentifier)
        /// Ours, but expired, of before the start, or from the future: to be answered by a challenge with `stale=true`.
        case stale(NonceIdentifier)
        /// Not ours, of another realm, or changed on its way.
        case forged

        /// The upper half of the counter, where the issuer puts what it wants to know of the source; nil for one that is not ours.
        public var sourceTag: UInt16? {
            switch self {
            case .valid(let identifier), .stale(let identifier): UInt16(identifier.counter >> 16)
            case .forged: nil
            }
        }
    }

    /// How far in the future a nonce may have been issued, in milliseconds: clocks are set back a little now and then.
    public static let clockTolerance: Int64 = 5_000

    /// How long a nonce is good, in milliseconds.
    public let lifetime: Int64
    private let start: UnixTime
    private let key: HashKey

    /// An authority for one realm since `start`; `secret` must be unpredictable.
    public init(
        secret: HashKey, realm: ByteSlice, lifetime milliseconds: Int64, start: UnixTime = UnixTime(milliseconds: 0)
    ) {
        lifetime = milliseconds
        self.start = start
        var hash = SipHash(key: secret)
        hash.update("nonce:")
        hash.update(realm)
        let value = hash.finalize()
        key = HashKey(value.first, value.second)
    }

    /// A new nonce. `counter` should not repeat within a millisecond; a random number will do.
    public func issue(now: UnixTime, counter: UInt32) -> Nonce {
        sign(NonceIdentifier(time: now, counter: counter))
    }

    /// Appends the text form of a new nonce, `Nonce.textLength` bytes, and tells which it is.
    @discardableResult
    public func issue(now: UnixTime, counter: UInt32, into writer: inout ByteWriter) -> NonceIdentifier {
        let nonce = issue(now: now, counter: counter)
        writer.append(nonce)
        return nonce.identifier
    }

    /// Judges the text of a nonce that a client sent.
    public func check(_ text: ByteSlice, now: UnixTime) -> Verdict {
        guard let nonce = Nonce(text), nonce.hasSignature(of: sign(nonce.identifier)) else { return .forged }
        let age = now.milliseconds &- nonce.identifier.time.milliseconds
        let isStale = age > lifetime || age < -Self.clockTolerance || nonce.identifier.time < start
        return isStale ? .stale(nonce.identifier) : .valid(nonce.identifier)
    }

    private func sign(_ identifier: NonceIdentifier) -> Nonce {
        var hash = SipHash(key: key)
        hash.update(identifier.milliseconds)
        hash.update(UInt64(identifier.counter))
        return Nonce(identifier: identifier, code: hash.finalize())
    }
}
