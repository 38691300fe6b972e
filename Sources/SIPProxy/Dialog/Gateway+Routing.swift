import Primitives
import SIPMessage

/// One way of a number to the outside.
public struct GatewayRoute: Equatable, Sendable {
    /// The index of the gateway.
    public var gateway: Int
    /// The number as that gateway wants it.
    public var number: [UInt8]
    /// How much of the number its rule has matched.
    public var matched: Int
}

extension Gateway {
    /// The longest number that goes out: twice what E.164 and a prefix can be.
    public static let longestNumber = 32

    /// The number that a user part means, escapes decoded: digits, `*` and `#`, with a `+` in front or without; nil for
    /// anything else, which is no number outside.
    public static func number(_ user: ByteSlice) -> [UInt8]? {
        var writer = ByteWriter(capacity: 64)
        guard user.count <= 3 * longestNumber else { return nil }
        writer.append(unescaped: user)
        let number = writer.slice
        let digits = number.first == UInt8(ascii: "+") ? number.from(1) : number
        guard !digits.isEmpty, number.count <= longestNumber,
            digits.allSatisfy({ ASCII.isDigit($0) || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "#") })
        else { return nil }
        return number.bytes
    }

    /// The number as this gateway wants it, by the rule with the longest prefix; nil when no rule matches, or when nothing
    /// would be left of it.
    func route(_ number: [UInt8]) -> (number: [UInt8], matched: Int)? {
        var best: Rule?
        for rule in rules where number.starts(with: rule.prefix) {
            if let found = best, found.prefix.count >= rule.prefix.count { continue }
            best = rule
        }
        guard let rule = best else { return nil }
        let written = rule.prepend + number.dropFirst(max(0, rule.strip))
        return written.isEmpty ? nil : (written, rule.prefix.count)
    }

    /// The Request-URI of a number at this gateway; nil when its own URI is none of SIP.
    public func requestURI(_ number: [UInt8]) -> [UInt8]? {
        uri.withSlice { text in
            guard let parsed = SIPURI(text) else { return nil }
            var writer = ByteWriter(capacity: 128)
            writer.append(parsed.isSecure ? "sips:" : "sip:")
            for byte in number {
                // The only character of a number that a URI's user cannot hold (RFC 3261 25.1).
                if byte == UInt8(ascii: "#") { writer.append("%23") } else { writer.append(byte: byte) }
            }
            writer.append(byte: UInt8(ascii: "@"))
            let start = parsed.host.offset(in: text)
            let end = text.firstIndex(of: UInt8(ascii: "?"), from: start) ?? text.count
            writer.append(text[start..<end])
            return writer.slice.bytes
        }
    }

    /// True when calls and texts from this address are this gateway's.
    func isInbound(_ address: IPAddress) -> Bool { inbound.contains { $0.contains(address) } }
}

extension [Gateway] {
    /// The ways of a number to the outside: the longest match first, then in the order of the gateways.
    public func routes(of number: [UInt8]) -> [GatewayRoute] {
        var routes: [GatewayRoute] = []
        for index in indices {
            guard let found = self[index].route(number) else { continue }
            let route = GatewayRoute(gateway: index, number: found.number, matched: found.matched)
            let place = routes.firstIndex { $0.matched < found.matched } ?? routes.count
            routes.insert(route, at: place)
        }
        return routes
    }

    /// The index of the gateway that a request from this address comes from; nil for none.
    func inbound(from address: IPAddress) -> Int? { firstIndex { $0.isInbound(address) } }
}
