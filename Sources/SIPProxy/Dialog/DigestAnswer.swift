import Primitives
import SIPAuthentication
import SIPMessage

/// The answer to the challenge of a server that this one is a client of: a gateway, or a SIP URI of a document (RFC 3261
/// 22.2 and 22.3, RFC 7616, RFC 8760).
struct DigestAnswer {
    /// The header line with the credentials, CRLF included.
    let line: [UInt8]
    /// True when the challenge says that only the nonce of the last answer was too old.
    let isStale: Bool

    /// The answer to a 401 or 407; nil when it holds no challenge that can be answered.
    ///
    /// - Parameters:
    ///   - method: The method of the request that was challenged, which is to be sent again with `line`.
    ///   - uri: Its Request-URI.
    ///   - body: Its body, which `auth-int` protects.
    ///   - key: A secret: the client nonce is made of it and of the challenge.
    init?(
        to response: borrowing SIPMessage, method: ByteSlice, uri: ByteSlice, body: ByteSlice, user: [UInt8],
        password: [UInt8], key: HashKey
    ) {
        guard !user.isEmpty else { return nil }
        let name: HeaderName
        let answer: ByteSlice
        switch response.status {
        case 401: (name, answer) = (.wwwAuthenticate, "Authorization: ")
        case 407: (name, answer) = (.proxyAuthenticate, "Proxy-Authorization: ")
        default: return nil
        }
        guard let challenge = DigestAnswer.strongest(of: name, in: response), let algorithm = challenge.algorithm else {
            return nil
        }
        let clientNonce = DigestAnswer.clientNonce(of: challenge.nonce, uri, key)
        guard
            let line = DigestAnswer.line(
                answer, challenge, algorithm, clientNonce: clientNonce, method: method, uri: uri, body: body,
                user: user,
                password: password)
        else { return nil }
        self.line = line
        isStale = challenge.isStale
    }

    /// The challenge with the strongest hash; of two that are equal the topmost. RFC 8760 section 2.4 leaves the choice to
    /// the client: an attacker who puts an MD5 challenge on top gets no MD5 answer while there is another.
    private static func strongest(of name: HeaderName, in response: borrowing SIPMessage) -> DigestChallengeHeader? {
        var best: DigestChallengeHeader?
        for index in 0..<response.fieldCount {
            let field = response.field(index)
            guard field.name == name, let challenge = DigestChallengeHeader(response.value(field)),
                challenge.isAnswerable
            else { continue }
            if let found = best, strength(found) >= strength(challenge) { continue }
            best = challenge
        }
        return best
    }

    private static func strength(_ challenge: DigestChallengeHeader) -> Int {
        switch challenge.algorithm {
        case .sha256: 3
        case .sha512_256: 2
        case .md5: 1
        case nil: 0
        }
    }

    /// A nonce that nobody can foretell, and the same for the same challenge.
    private static func clientNonce(of nonce: ByteSlice, _ uri: ByteSlice, _ key: HashKey) -> [UInt8] {
        var hash = SipHash(key: key)
        hash.update("cnonce")
        hash.update(nonce)
        hash.update(byte: 0)
        hash.update(uri)
        let value = hash.finalize()
        var writer = ByteWriter(capacity: 64)
        writer.append(hexadecimal: value.first, digits: 16)
        writer.append(hexadecimal: value.second, digits: 16)
        return writer.slice.bytes
    }

    /// Writes the line: first with zeros for the response, which is then computed of what stands there.
    static func line(
        _ name: ByteSlice, _ challenge: DigestChallengeHeader, _ algorithm: DigestAlgorithm, clientNonce: [UInt8],
        method: ByteSlice, uri: ByteSlice, body: ByteSlice, user: [UInt8], password: [UInt8]
    ) -> [UInt8]? {
        var writer = ByteWriter(capacity: 512)
        writer.append(name)
        let start = writer.count
        writer.append("Digest username=\"")
        let userStart = writer.count
        user.withSlice { writer.append(escaping: $0) }
        let escapedUser = writer.slice(from: userStart).bytes
        writer.append("\", realm=\"")
        writer.append(challenge.realm)
        writer.append("\", nonce=\"")
        writer.append(challenge.nonce)
        writer.append("\", uri=\"")
        writer.append(uri)
        writer.append("\", algorithm=")
        writer.append(algorithm.name)
        if let opaque = challenge.opaque {
            writer.append(", opaque=\"")
            writer.append(opaque)
            writer.append(byte: UInt8(ascii: "\""))
        }
        if !challenge.offers(.none) {
            writer.append(challenge.offers(.auth) ? ", qop=auth, nc=00000001" : ", qop=auth-int, nc=00000001")
            writer.append(", cnonce=\"")
            writer.append(clientNonce)
            writer.append(byte: UInt8(ascii: "\""))
        }
        writer.append(", response=\"")
        let response = writer.count
        for _ in 0..<2 * algorithm.byteCount { writer.append(byte: UInt8(ascii: "0")) }
        writer.append("\"")
        guard let credentials = try? DigestCredentials(writer.slice(from: start)) else { return nil }
        let digest = escapedUser.withSlice { login in
            password.withSlice { PasswordDigest(login: login, realm: challenge.realm, password: $0) }
        }
        guard
            let expected = DigestVerification.expectedResponse(
                to: credentials, password: digest, method: method, body: body)
        else { return nil }
        writer.truncate(to: response)
        writer.append(expected.hexadecimal)
        writer.append("\"\r\n")
        return writer.slice.bytes
    }
}
