import Primitives

/// A response of a DNS server (RFC 1035 section 4). Whatever the bytes are, reading them ends, in time that is linear in
/// their number (a name has at most 255 bytes and 128 pointers), and gives a response or nil.
public struct DNSResponse: Sendable {
    /// TC: the answer did not fit, and is to be had over TCP. Its records are not read.
    public var isTruncated: Bool
    /// The response code.
    public var code: Code
    /// The records of the answer section that are understood.
    public var answers: [DNSRecord] = []
    /// How long the answer that there is no such record holds, in seconds, of the SOA in the authority section (RFC 2308
    /// section 5); nil without one.
    public var negativeTimeToLive: UInt32?

    /// The response codes that make a difference.
    public enum Code: UInt8, Sendable {
        case noError = 0
        case formatError = 1
        case serverFailure = 2
        case nameError = 3
        case notImplemented = 4
        case refused = 5
        /// Any other.
        case other = 255

        /// The name of RFC 1035 and 2136, as in logs.
        public var name: ByteSlice {
            switch self {
            case .noError: "NOERROR"
            case .formatError: "FORMERR"
            case .serverFailure: "SERVFAIL"
            case .nameError: "NXDOMAIN"
            case .notImplemented: "NOTIMP"
            case .refused: "REFUSED"
            case .other: "an unknown code"
            }
        }
    }

    /// Records that are read of an answer section; the rest is left out.
    public static let recordLimit = 32

    /// Reads a response; nil when it is none, or broken. Bytes behind the authority section are not looked at: nothing of
    /// the additional section is used, for anybody's answer could bring addresses of anybody's names there.
    public init?(_ bytes: ByteSlice) {
        guard let header = DNSHeader(bytes) else { return nil }
        isTruncated = header.flags & 0x0200 != 0
        code = Code(rawValue: UInt8(truncatingIfNeeded: header.flags & 0xf)) ?? .other
        if isTruncated { return }
        var reader = DNSReader(bytes: bytes, offset: header.end)
        for _ in 0..<header.answers {
            guard let record = reader.record() else { return nil }
            guard let record else { continue }
            self.answers.append(record)
            // What is behind is not needed for a positive answer.
            if self.answers.count == DNSResponse.recordLimit { return }
        }
        for _ in 0..<header.authorities {
            guard let record = reader.record() else { return nil }
            if case .startOfAuthority(let minimum)? = record?.value, let time = record?.timeToLive {
                negativeTimeToLive = min(minimum, time)
                return
            }
        }
    }
}
