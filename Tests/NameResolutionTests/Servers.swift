import DNSMessage
import Primitives
import Testing

@testable import NameResolution

/// A resolver with DNS servers around it, in virtual time.
final class Servers {
    /// A record as a test writes it.
    enum Record {
        case a(String)
        case srv(UInt16, UInt16, UInt16, String)
        case naptr(UInt16, UInt16, String, String, String)
        case cname(String)

        var type: UInt16 {
            switch self {
            case .a(let text): text.contains(":") ? 28 : 1
            case .srv: 33
            case .naptr: 35
            case .cname: 5
            }
        }

        var content: [UInt8] {
            switch self {
            case .a(let text):
                let address = socket(text).address
                let bytes = (address.high, address.low)
                let all = withUnsafeBytes(of: (bytes.0.bigEndian, bytes.1.bigEndian)) { Array($0) }
                return address.isIPv4 ? Array(all[12...]) : all
            case .srv(let priority, let weight, let port, let target):
                return bytes(priority) + bytes(weight) + bytes(port) + name(target)
            case .naptr(let order, let preference, let flags, let services, let replacement):
                var content = bytes(order) + bytes(preference)
                for text in [flags, services, ""] { content += [UInt8(text.utf8.count)] + Array(text.utf8) }
                return content + name(replacement)
            case .cname(let target): return name(target)
            }
        }
    }

    /// A query under way.
    struct Sent {
        let number: UInt64
        let query: DNSQuery
        let server: SocketAddress
        let isStream: Bool
        let name: String
        let type: UInt16

        /// `a.example A`.
        var text: String {
            "\(name) \([1: "A", 28: "AAAA", 33: "SRV", 35: "NAPTR"][type] ?? "?")"
        }
    }

    var resolver: NameResolver
    var now = Instant(milliseconds: 1_000_000)
    var open: [Sent] = []
    var sentCount = 0
    var answers: [UInt64: TargetAnswer] = [:]
    private var number: UInt64 = 0

    static func socket(_ text: String, _ port: UInt16 = 53) -> SocketAddress {
        SocketAddress(address: text.withSlice { IPAddress($0) } ?? IPAddress(ipv4: 0), port: port)
    }

    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }

    static func name(_ text: String) -> [UInt8] {
        text == "." ? [0] : (text.withSlice { DNSName(host: $0) }?.labels ?? []) + [0]
    }

    static let everything = Reachability([
        .init(.udp, isIPv4: true), .init(.tcp, isIPv4: true), .init(.udp, isIPv4: false), .init(.tcp, isIPv4: false),
    ])
    static let udp4 = Reachability([.init(.udp, isIPv4: true)])

    init(
        _ reachability: Reachability = Reachability([.init(.udp, isIPv4: true), .init(.tcp, isIPv4: true)]),
        servers: [String] = ["192.0.2.53"], _ change: (inout NameResolver.Settings) -> Void = { _ in }
    ) {
        var settings = NameResolver.Settings(servers: servers.map { Self.socket($0) }, reachability: reachability)
        change(&settings)
        resolver = NameResolver(settings, key: HashKey(1, 2), now: now)
    }

    /// Begins a resolution; gives its number.
    @discardableResult
    func resolve(
        _ host: String, port: UInt16? = nil, _ transport: TransportProtocol? = nil, isSecure: Bool = false,
        for requester: String = "198.51.100.1"
    ) -> UInt64 {
        number += 1
        let query = TargetQuery(host: Array(host.utf8), port: port, transport: transport, isSecure: isSecure)
        if case .answered(let answer) = resolver.resolve(
            query, for: number, requester: Self.socket(requester).address, now: now)
        {
            answers[number] = answer
        }
        take()
        return number
    }

    /// Carries the effects out.
    func take() {
        let effects = resolver.effects
        resolver.effects = []
        for effect in effects {
            switch effect {
            case .send(let number, let query, let server, let isStream):
                let question = Array(query.question)
                let text = question.dropLast(5).withUnsafeBytes { bytes -> String in
                    var labels: [String] = []
                    var position = 0
                    while position < bytes.count {
                        let end = position + 1 + Int(bytes[position])
                        labels.append(String(decoding: bytes[position + 1..<end], as: UTF8.self).lowercased())
                        position = end
                    }
                    return labels.joined(separator: ".")
                }
                sentCount += 1
                open.append(
                    Sent(
                        number: number, query: query, server: server, isStream: isStream, name: text,
                        type: UInt16(question[question.count - 4]) << 8 | UInt16(question[question.count - 3])))
            case .close(let number): open.removeAll { $0.number == number }
            case .complete(let number, let answer): answers[number] = answer
            }
        }
    }

    /// Hands bytes to a query.
    @discardableResult
    func deliver(_ bytes: [UInt8], to sent: Sent) -> Bool {
        let isAnswer = bytes.withSlice { resolver.received($0, among: [sent.number], now: now) }
        take()
        return isAnswer
    }

    static func response(
        to sent: Sent, code: UInt8 = 0, truncated: Bool = false, _ records: [Record] = [], time: UInt32 = 300,
        negative: UInt8 = 60
    ) -> [UInt8] {
        var bytes: [UInt8] = Self.bytes(sent.query.identifier)
        bytes += [truncated ? 0x83 : 0x81, 0x80 | code, 0, 1, 0, UInt8(records.count)]
        bytes += [0, records.isEmpty ? 1 : 0, 0, 0]
        bytes += sent.query.question
        func append(_ type: UInt16, _ time: UInt32, _ content: [UInt8]) {
            bytes += [0xc0, 12, 0, UInt8(type), 0, 1]
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: time >> (24 - 8 * $0)) }
            bytes += [0, UInt8(content.count)] + content
        }
        for record in records { append(record.type, time, record.content) }
        if records.isEmpty {
            append(6, 3600, [0, 0] + [UInt8](repeating: 0, count: 16) + [0, 0, 0, negative])
        }
        return bytes
    }

    /// Answers all queries that are open from a zone, until none is left; what the zone does not have does not exist.
    func serve(_ zone: [String: [Record]], time: UInt32 = 300) {
        while let sent = open.first {
            deliver(Self.response(to: sent, zone[sent.text] ?? [], time: time), to: sent)
        }
    }

    /// Lets time pass.
    func wait(_ milliseconds: UInt64) {
        let end = now.advanced(byMilliseconds: milliseconds)
        while now < end {
            now = min(end, now.advanced(byMilliseconds: 50))
            resolver.tick(now: now)
            take()
        }
    }

    /// The places of an answer, as `udp 192.0.2.1:5060`; why there is none otherwise; `...` while it waits.
    func result(_ number: UInt64) -> [String] {
        switch answers[number] {
        case nil: return ["..."]
        case .failure(let failure): return [failure.text.string]
        case .candidates(let candidates):
            return candidates.map {
                var writer = ByteWriter(capacity: 64)
                writer.append($0.transport.name)
                writer.append(byte: 0x20)
                writer.append($0.remote.address)
                writer.append(byte: 0x3a)
                writer.append(decimal: UInt64($0.remote.port))
                return writer.slice.string
            }
        }
    }
}
