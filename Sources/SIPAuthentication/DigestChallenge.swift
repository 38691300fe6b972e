import Primitives

/// The challenge of one realm: the header lines of a 401 or 407, one an algorithm, in the order of preference (RFC 8760
/// section 2.2). All but the nonce is composed once.
public struct DigestChallenge: Sendable {
    /// Who asks.
    public enum Kind: Sendable {
        /// A registrar or other user agent server: WWW-Authenticate, in a 401 (RFC 3261 section 22.2).
        case server
        /// A proxy: Proxy-Authenticate, in a 407 (RFC 3261 section 22.3).
        case proxy
    }

    private let algorithms: [DigestAlgorithm]
    private let qualities: [QualityOfProtection]
    private let start: [UInt8]
    private let ends: [[UInt8]]

    /// A challenge that offers these algorithms and qualities of protection; without qualities, there is no `qop`.
    public init(realm: ByteSlice, algorithms: [DigestAlgorithm], qualities: [QualityOfProtection]) {
        self.algorithms = algorithms
        self.qualities = qualities.filter { $0.name != nil }
        var writer = ByteWriter(capacity: 128)
        writer.append("Digest realm=\"")
        writer.append(escaping: realm)
        writer.append("\", nonce=\"")
        start = writer.slice.bytes

        var quality = ByteWriter(capacity: 64)
        for name in qualities.compactMap(\.name) {
            quality.append(quality.count == 0 ? ", qop=\"" : ",")
            quality.append(name)
        }
        if quality.count > 0 { quality.append(byte: UInt8(ascii: "\"")) }
        var ends: [[UInt8]] = []
        for algorithm in algorithms {
            writer.removeAll()
            writer.append("\", algorithm=")
            writer.append(algorithm.name)
            writer.append(quality.slice)
            ends.append(writer.slice.bytes)
        }
        self.ends = ends
    }

    /// Appends the header lines, each with its CRLF. `stale` tells the client that its password was right (RFC 7616
    /// section 3.3) and a new nonce is all it needs.
    public func write(_ kind: Kind, nonce: Nonce, stale: Bool, into writer: inout ByteWriter) {
        for end in ends {
            writer.append(kind == .server ? "WWW-Authenticate: " as ByteSlice : "Proxy-Authenticate: ")
            writer.append(start)
            writer.append(nonce)
            writer.append(end)
            if stale { writer.append(", stale=true" as ByteSlice) }
            writer.append("\r\n" as ByteSlice)
        }
    }

    /// True when credentials keep to what was offered: nothing weaker may be slipped in. Credentials without `qop` are
    /// taken from clients that know RFC 2069 only.
    public func admits(_ credentials: DigestCredentials) -> Bool {
        guard let algorithm = credentials.algorithm, algorithms.contains(algorithm) else { return false }
        return credentials.qop == .none || qualities.contains(credentials.qop)
    }
}
