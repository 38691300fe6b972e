import Primitives

/// A query as it is sent.
public struct DNSQuery: Sendable {
    /// The identifier.
    public let identifier: UInt16
    /// The message.
    public let bytes: [UInt8]
    private let questionEnd: Int

    /// The largest UDP answer that we ask for (EDNS0, RFC 6891): what passes everywhere without fragments.
    public static let payloadSize: UInt16 = 1232

    /// A query for recursion.
    ///
    /// - Parameters:
    ///   - letters: Bits that choose upper or lower case for each letter of the name, so that an answer must know them
    ///     too (draft-vixie-dnsext-dns0x20); 0 for none.
    ///   - isExtended: True to say by EDNS0 how large an answer may be.
    public init(_ question: Question, identifier: UInt16, letters: UInt64, isExtended: Bool) {
        self.identifier = identifier
        var bytes: [UInt8] = []
        bytes.reserveCapacity(question.name.labels.count + 28)
        bytes.append(short: identifier)
        // RD.
        bytes.append(short: 0x0100)
        bytes.append(short: 1)
        bytes.append(short: 0)
        bytes.append(short: 0)
        bytes.append(short: isExtended ? 1 : 0)
        var bits = letters
        for byte in question.name.labels {
            // A length is at most 63, so that no letter is meant where a length stands.
            guard ASCII.isLetter(byte) else {
                bytes.append(byte)
                continue
            }
            bytes.append(bits & 1 == 0 ? byte : byte & 0xdf)
            bits = bits >> 1 | bits << 63
        }
        bytes.append(0)
        bytes.append(short: question.type.rawValue)
        bytes.append(short: 1)
        questionEnd = bytes.count
        if isExtended {
            // The root, OPT, the size, and no flags nor options.
            bytes.append(0)
            bytes.append(short: 41)
            bytes.append(short: DNSQuery.payloadSize)
            bytes += [0, 0, 0, 0, 0, 0]
        }
        self.bytes = bytes
    }

    /// The section of the question.
    public var question: ArraySlice<UInt8> { bytes[12..<questionEnd] }
}

extension [UInt8] {
    /// Appends a number in network order.
    fileprivate mutating func append(short number: UInt16) {
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }
}
