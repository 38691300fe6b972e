import Primitives

/// The beginning of a response, up to the end of its question: enough to tell whether it answers a query.
public struct DNSHeader: Sendable {
    /// The identifier.
    public let identifier: UInt16
    let flags: UInt16
    let answers: UInt16
    let authorities: UInt16
    /// The offset behind the question.
    let end: Int
    /// The section of the question as it came.
    private let question: [UInt8]

    /// Reads the beginning of a response; nil when it is none to a single standard query.
    public init?(_ bytes: ByteSlice) {
        var reader = DNSReader(bytes: bytes, offset: 0)
        guard let identifier = reader.short(), let flags = reader.short(), let questions = reader.short(),
            let answers = reader.short(), let authorities = reader.short(), reader.short() != nil
        else { return nil }
        // QR set, OPCODE 0, one question as we sent it.
        guard flags & 0xf800 == 0x8000, questions == 1 else { return nil }
        guard reader.name() != nil, reader.short() != nil, reader.short() != nil else { return nil }
        self.identifier = identifier
        self.flags = flags
        self.answers = answers
        self.authorities = authorities
        end = reader.offset
        question = bytes[12..<end].bytes
    }

    /// How the question of a response compares with that of a query.
    public enum Match: Sendable {
        /// Byte for byte.
        case exact
        /// But for upper and lower case: the server does not keep them, or somebody guesses.
        case exceptCase
        /// Not at all.
        case none
    }

    /// Compares identifier and question with those of a query as it was sent.
    public func match(_ query: DNSQuery) -> Match {
        guard identifier == query.identifier else { return .none }
        let asked = query.question
        if question.elementsEqual(asked) { return .exact }
        // Nothing but letters of the name can differ by case: the numbers of type and class are below 65.
        return question.lazy.map(ASCII.lowercase).elementsEqual(asked.lazy.map(ASCII.lowercase)) ? .exceptCase : .none
    }
}
