import Primitives

@testable import DNSMessage

/// A response as a server writes it, byte by byte.
struct Packet {
    var bytes: [UInt8]

    /// The answer to a query, with these flags below QR and counts of records.
    init(to query: DNSQuery, code: UInt8 = 0, truncated: Bool = false, answers: UInt16 = 0, authorities: UInt16 = 0) {
        bytes = [
            UInt8(query.identifier >> 8), UInt8(query.identifier & 0xff), truncated ? 0x83 : 0x81, 0x80 | code, 0, 1,
        ]
        bytes += [UInt8(answers >> 8), UInt8(answers & 0xff), UInt8(authorities >> 8), UInt8(authorities & 0xff), 0, 0]
        bytes += query.question
    }

    /// Adds a record; `owner` is in wire form, the pointer to the question's name unless said otherwise.
    mutating func add(
        _ type: UInt16, owner: [UInt8] = [0xc0, 12], kind: UInt16 = 1, time: UInt32 = 300, _ data: [UInt8]
    ) {
        bytes += owner
        bytes += [UInt8(type >> 8), UInt8(type & 0xff), UInt8(kind >> 8), UInt8(kind & 0xff)]
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: time >> (24 - 8 * $0)) }
        bytes += [UInt8(data.count >> 8), UInt8(data.count & 0xff)]
        bytes += data
    }

    var response: DNSResponse? { bytes.withSlice { DNSResponse($0) } }

    static let soa: [UInt8] = [0, 0] + [UInt8](repeating: 0, count: 16) + [0, 0, 0, 60]
}

extension DNSName {
    /// A name that a test knows to be good.
    init(_ text: String) { self = text.withSlice { DNSName(host: $0) } ?? .root }

    /// With the root's label.
    var wire: [UInt8] { labels + [0] }
}

extension DNSQuery {
    init(_ name: String, _ type: RecordType = .a, identifier: UInt16 = 0x1234) {
        self.init(Question(DNSName(name), type), identifier: identifier, letters: 0, isExtended: true)
    }
}
