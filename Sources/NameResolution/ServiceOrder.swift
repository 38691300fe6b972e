import DNSMessage
import Primitives

/// The order in which the records of a service are tried.
enum ServiceOrder {
    /// SRV records by priority, and within one by chance in proportion to weight (RFC 2782, "Usage rules").
    static func sorted(_ records: [ServiceRecord], _ random: inout RandomNumbers) -> [ServiceRecord] {
        var result: [ServiceRecord] = []
        var rest = records
        while let priority = rest.map(\.priority).min() {
            // Those with weight 0 first, so that they have a small chance too.
            var group = rest.filter { $0.priority == priority }.sorted { $0.weight == 0 && $1.weight != 0 }
            rest.removeAll { $0.priority == priority }
            while !group.isEmpty {
                let sum = group.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
                let chosen = random.next() % (sum + 1)
                var running: UInt64 = 0
                let index = group.firstIndex { record in
                    running += UInt64(record.weight)
                    return running >= chosen
                }
                result.append(group.remove(at: index ?? 0))
            }
        }
        return result
    }

    /// The SIP services of NAPTR records that we have a transport for, by order and preference (RFC 3263 section 4.1).
    static func services(_ values: [RecordValue], _ reachability: Reachability) -> [(DNSName, TransportProtocol)] {
        var records: [(record: NamingAuthorityRecord, transport: TransportProtocol)] = []
        for case .namingAuthority(let record) in values {
            let transport: TransportProtocol
            if record.services == Array("sip+d2u".utf8) {
                transport = .udp
            } else if record.services == Array("sip+d2t".utf8) {
                transport = .tcp
            } else {
                // SIPS+D2T and all others: what the client does not support is discarded.
                continue
            }
            guard record.flags == Array("s".utf8), !record.hasExpression, reachability.has(transport) else { continue }
            records.append((record, transport))
        }
        records.sort {
            ($0.record.order, $0.record.preference) < ($1.record.order, $1.record.preference)
        }
        return records.prefix(4).map { ($0.record.replacement, $0.transport) }
    }
}

/// Random numbers from a secret: without it nobody can tell the next one.
struct RandomNumbers: Sendable {
    private let key: HashKey
    private var counter: UInt64

    init(key: HashKey, start: UInt64 = 0) {
        self.key = key
        counter = start
    }

    mutating func next() -> UInt64 {
        counter &+= 1
        var hash = SipHash(key: key)
        hash.update(counter)
        return hash.finalize().first
    }
}
