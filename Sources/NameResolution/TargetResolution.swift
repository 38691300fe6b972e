import DNSMessage
import Primitives

/// The selection of RFC 3263 section 4 as a function of what is known: it gives the places to try, or the questions whose
/// answers it needs to go on. Called anew with each answer, it keeps nothing.
struct TargetResolution {
    /// What a step gives.
    enum Step {
        case done(TargetAnswer)
        /// These must be answered first. What is known so far is good enough to go on with after a while, when
        /// `candidates` is not empty: only further addresses are missing.
        case needs([Question], candidates: [Candidate])
    }

    private let query: TargetQuery
    private let reachability: Reachability
    private let usesNAPTR: Bool
    /// The answer to a question, or nil while there is none.
    private let known: (Question) -> LookupResult?
    private var random: RandomNumbers
    private var missing: [Question] = []
    private var hasAddress = false

    /// Records of SRV whose hosts are looked at.
    private static let serviceLimit = 16
    /// RFC 3263 section 4.2.
    private static let defaultPort: UInt16 = 5060

    init(
        _ query: TargetQuery, _ reachability: Reachability, usesNAPTR: Bool, seed: HashKey,
        known: @escaping (Question) -> LookupResult?
    ) {
        self.query = query
        self.reachability = reachability
        self.usesNAPTR = usesNAPTR
        self.known = known
        random = RandomNumbers(key: seed)
    }

    /// The next step, with all that is known.
    mutating func step() -> Step {
        if query.isSecure { return .done(.failure(.needsTLS)) }
        let text = query.host.withSlice { (address: IPAddress($0), name: DNSName(host: $0)) }
        let port = query.port ?? Self.defaultPort
        if let address = text.address {
            // 4.1: a numeric address is UDP unless the transport is given.
            let candidate = Candidate(
                remote: SocketAddress(address: address, port: port), transport: query.transport ?? .udp)
            return .done(reaches(candidate) ? .candidates([candidate]) : .failure(.notReachable))
        }
        // A last label of digits is a mistyped address: no such domain exists, and none is asked for.
        guard let name = text.name, !name.lastLabel.allSatisfy(ASCII.isDigit) else {
            return .done(.failure(.badName))
        }
        // 4.1 and 4.2: with a port there is nothing to select.
        if query.port != nil { return end(at: [(name, port, query.transport ?? .udp)]) }
        var services: [(DNSName, TransportProtocol)] = []
        if query.transport == nil, usesNAPTR {
            switch find(name, .naptr) {
            case .records(let values): services = ServiceOrder.services(values, reachability)
            case .absent, .failed, .alias: break
            case nil:
                // What is needed when there is no NAPTR is asked for at the same time: most domains have none.
                _ = entries(of: standardServices(name))
                _ = addresses(of: name, port, .udp)
                return .needs(missing, candidates: [])
            }
        }
        if services.isEmpty { services = standardServices(name) }
        guard let entries = entries(of: services) else {
            _ = addresses(of: name, port, query.transport ?? .udp)
            return .needs(missing, candidates: [])
        }
        // 4.2: no SRV record, so the name itself.
        if entries.isEmpty { return end(at: [(name, port, query.transport ?? .udp)]) }
        let existing = entries.filter { !$0.record.target.isRoot }
        if existing.isEmpty { return .done(.failure(.noService)) }
        return end(at: existing.prefix(Self.serviceLimit).map { ($0.record.target, $0.record.port, $0.transport) })
    }

    /// The addresses of hosts, in their order.
    private mutating func end(at hosts: [(name: DNSName, port: UInt16, transport: TransportProtocol)]) -> Step {
        var unique: [Candidate] = []
        for host in hosts {
            for candidate in addresses(of: host.name, host.port, host.transport)
            where !unique.contains(candidate) && unique.count < Candidate.limit {
                unique.append(candidate)
            }
        }
        if !missing.isEmpty { return .needs(missing, candidates: unique) }
        if !unique.isEmpty { return .done(.candidates(unique)) }
        if hasAddress || !reachability.has(query.transport ?? .udp) { return .done(.failure(.notReachable)) }
        return .done(.failure(.noAddress))
    }

    /// The names at which SRV records of SIP are, for the transport of the query or for all (4.1).
    private func standardServices(_ name: DNSName) -> [(DNSName, TransportProtocol)] {
        var services: [(DNSName, TransportProtocol)] = []
        for transport in [TransportProtocol.udp, .tcp]
        where query.transport == transport || (query.transport == nil && reachability.has(transport)) {
            // A name that is too long with them has no such records.
            if let service = name.below("_sip", transport == .udp ? "_udp" : "_tcp") {
                services.append((service, transport))
            }
        }
        return services
    }

    /// The SRV records of services, in the order in which they are tried; nil while one is missing.
    private mutating func entries(
        of services: [(DNSName, TransportProtocol)]
    ) -> [(record: ServiceRecord, transport: TransportProtocol)]? {
        var entries: [(record: ServiceRecord, transport: TransportProtocol)] = []
        var isComplete = true
        for (name, transport) in services {
            switch find(name, .srv) {
            case nil: isComplete = false
            case .records(let values):
                var records: [ServiceRecord] = []
                // A port of 0 is nowhere; the target of "." has it by right.
                for case .service(let record) in values where record.port > 0 || record.target.isRoot {
                    records.append(record)
                }
                entries += ServiceOrder.sorted(records, &random).map { ($0, transport) }
            case .absent, .failed, .alias: break
            }
        }
        return isComplete ? entries : nil
    }

    /// The addresses of a host that a listener reaches, as far as they are known.
    private mutating func addresses(
        of name: DNSName, _ port: UInt16, _ transport: TransportProtocol
    ) -> [Candidate] {
        var candidates: [Candidate] = []
        for type in reachability.addressTypes(transport) {
            guard case .records(let values) = find(name, type) else { continue }
            for case .address(let address) in values {
                hasAddress = true
                let candidate = Candidate(
                    remote: SocketAddress(address: address, port: port), transport: transport)
                if reaches(candidate), !address.isUnspecified, !address.isMulticast { candidates.append(candidate) }
            }
        }
        return candidates
    }

    private func reaches(_ candidate: Candidate) -> Bool {
        reachability.ways.contains(
            Reachability.Way(candidate.transport, isIPv4: candidate.remote.address.isIPv4))
    }

    /// The answer to a question with aliases followed; nil while it is missing, which is then noted.
    private mutating func find(_ name: DNSName, _ type: RecordType) -> LookupResult? {
        var question = Question(name, type)
        for _ in 0...DNSResponse.aliasLimit {
            switch known(question) {
            case nil:
                if !missing.contains(question) { missing.append(question) }
                return nil
            case .alias(let next): question.name = next
            case let result?: return result
            }
        }
        return .failed
    }
}

extension IPAddress {
    /// 224.0.0.0/4, the broadcast address, or ff00::/8: nobody who could be called.
    fileprivate var isMulticast: Bool { isIPv4 ? ipv4 >= 0xe000_0000 : high >> 56 == 0xff }
}
