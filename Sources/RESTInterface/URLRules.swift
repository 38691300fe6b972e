import Primitives

/// What the URL of an application may be: an absolute one of http or https (RFC 3986), with a host and without a user.
enum URLRules {
    /// The most bytes of a URL.
    static let limit = 2048

    /// Why a text cannot be a URL of an application, as the rest of a sentence; nil when it can.
    static func fault(of url: String) -> String? {
        if url.utf8.count > limit { return "it has more than \(limit) characters." }
        if let character = url.unicodeScalars.first(where: { !isAllowed($0) }) {
            return "the character \(shown(character)) must be written as %HH."
        }
        let lowercased = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix) else {
            return url.hasPrefix("/")
                ? "a whole address is expected, http://HOST/..., as a path alone does not say which server answers."
                : "an address that begins with http:// or https:// is expected."
        }
        let rest = url.utf8.dropFirst(scheme.utf8.count)
        let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        return authorityFault(rest[..<end]) ?? pathFault(rest[end...])
    }

    /// RFC 3986 2.2, 2.3, and `%`: what may stand in a URL at all.
    private static func isAllowed(_ character: Unicode.Scalar) -> Bool {
        guard character.isASCII else { return false }
        let byte = UInt8(character.value)
        return ASCII.isUnreserved(byte) || ":/?#[]@!$&'()*+,;=%".utf8.contains(byte)
    }

    private static func shown(_ character: Unicode.Scalar) -> String {
        character.isASCII && character.value > 0x20 && character.value != 0x7f
            ? "'\(character)'" : "U+" + String(character.value, radix: 16, uppercase: true)
    }

    /// What is wrong with a host and a port (RFC 3986 3.2), as the rest of a sentence.
    static func authorityFault(_ authority: Substring.UTF8View) -> String? {
        if authority.contains(UInt8(ascii: "@")) {
            return "it has a user or password; the signature of the request tells the application who asks."
        }
        var host = authority
        if authority.first == UInt8(ascii: "[") {
            guard let close = authority.firstIndex(of: UInt8(ascii: "]")) else {
                return "the ] of its host is missing."
            }
            let literal = Array(authority[authority.startIndex..<close].dropFirst())
            let address = literal.withSlice { IPAddress($0) }
            guard let address, !address.isIPv4 else { return "the host in [] must be an IPv6 address." }
            host = authority[authority.index(after: close)...]
            return host.isEmpty ? nil : portFault(host)
        }
        if let colon = authority.firstIndex(of: UInt8(ascii: ":")) {
            if let fault = portFault(authority[colon...]) { return fault }
            host = authority[..<colon]
        }
        return hostFault(host)
    }

    /// A colon and a port.
    private static func portFault(_ text: Substring.UTF8View) -> String? {
        let digits = text.dropFirst()
        guard text.first == UInt8(ascii: ":"), (1...5).contains(digits.count), digits.allSatisfy(ASCII.isDigit),
            let port = Int(String(decoding: digits, as: UTF8.self)), (1...65_535).contains(port)
        else { return "behind the host a : and a port from 1 to 65535 are expected, or nothing." }
        return nil
    }

    /// A name or an IPv4 address: labels with dots between them.
    private static func hostFault(_ host: Substring.UTF8View) -> String? {
        if host.isEmpty { return "it names no host." }
        var labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy {
                    ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
        return isName && host.count <= 253 ? nil : "its host is neither a name nor an address."
    }

    /// RFC 3986 3.3 to 3.5: everything behind the authority.
    private static func pathFault(_ text: Substring.UTF8View) -> String? {
        if text.contains(where: { "[]".utf8.contains($0) }) { return "[ and ] must be written as %5B and %5D." }
        if text.filter({ $0 == UInt8(ascii: "#") }).count > 1 { return "a second # must be written as %23." }
        var rest = text
        while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
            let digits = rest[percent...].dropFirst().prefix(2)
            guard digits.count == 2, digits.allSatisfy({ ASCII.hexadecimalValue($0) != nil }) else {
                return "a % must be followed by two hexadecimal digits."
            }
            rest = rest[percent...].dropFirst(3)
        }
        return nil
    }
}
