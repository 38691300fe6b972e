import Primitives

/// Whom `To` of a new call names: `client:LOGIN`, a number, or a SIP URI, each perhaps with `?X-Name=value&...` behind it.
struct CallTarget: Equatable {
    /// What it is; nil for a name that may be a client's or a number.
    var kind: OutgoingCallRequest.Kind?
    /// The login, the number, or the URI with `sip:`.
    var name: String
    /// Headers that go to the called party.
    var headers: [OutgoingCallRequest.Header] = []

    /// The most bytes of the whole.
    static let limit = 1024
    /// The most headers.
    static let headerLimit = 20

    /// Reads a text whose `fault` is nil.
    init(_ text: String) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let target = parts.first ?? ""
        if target.contains("@") {
            kind = .sip
            name = CallTarget.hasScheme(target) ? target : "sip:" + target
        } else if target.hasPrefix("client:") {
            kind = .client
            name = String(target.dropFirst(7))
        } else {
            name = target
        }
        headers = parts.count > 1 ? CallTarget.headers(parts[1]) ?? [] : []
    }

    /// Why a text names nobody that can be called, as the rest of a sentence; nil when it can.
    static func fault(of text: String) -> String? {
        if text.utf8.count > limit { return "it has more than \(limit) characters." }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1, headers(parts[1]) == nil {
            return "behind ? up to \(headerLimit) headers are expected, X-Name=value with & between them."
        }
        let target = parts.first ?? ""
        return target.contains("@") ? uriFault(target) : ClientRules.fault(ofLogin: Parameter.user(target))
    }

    private static func hasScheme(_ text: String) -> Bool { text.lowercased().hasPrefix("sip:") }

    /// A SIP URI with a user (RFC 3261 19.1): its finer points are the SIP server's.
    private static func uriFault(_ text: String) -> String? {
        let uri = text.utf8.dropFirst(hasScheme(text) ? 4 : 0)
        if text.lowercased().hasPrefix("sips:") { return "sips is not supported; write sip:." }
        guard uri.allSatisfy({ (0x21...0x7e).contains($0) && !"<>\"".utf8.contains($0) }) else {
            return "a SIP URI has no spaces, brackets, quotes or letters beyond ASCII."
        }
        let parts = uri.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty,
            let host = parts[1].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).first
        else { return "a SIP URI with a user and one @ is expected." }
        return URLRules.authorityFault(host)
    }

    /// The headers of `X-A=1&B=2`: a name that lacks `X-` gets it, as in Restcomm. Nil when they cannot be read.
    private static func headers(_ text: String) -> [OutgoingCallRequest.Header]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: "&", omittingEmptySubsequences: true)
        guard parts.count <= headerLimit else { return nil }
        var headers: [OutgoingCallRequest.Header] = []
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let name = decoded(pair[0]), let value = decoded(pair[1]), !name.isEmpty,
                name.utf8.count <= 126, value.utf8.count <= 512, name.utf8.allSatisfy(ASCII.isToken),
                !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else { return nil }
            headers.append(.init(name.lowercased().hasPrefix("x-") ? name : "X-" + name, value))
        }
        return headers
    }

    /// A text without its escapes; nil when they are wrong, or give no UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(ASCII.hexadecimalValue),
                let low = rest.popFirst().flatMap(ASCII.hexadecimalValue)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
