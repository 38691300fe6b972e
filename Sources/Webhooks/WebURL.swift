import CallControl
import Foundation
import Primitives

/// An absolute `http` or `https` URL in its parts (RFC 3986), ready for a request line.
struct WebURL: Equatable, Sendable {
    /// True for `https`.
    var isSecure: Bool
    /// The host, in lower case; an IPv6 address without brackets.
    var host: String
    /// The port, that of the scheme when none is given.
    var port: UInt16
    /// `user:password` before the host, decoded; nil for none.
    var credentials: String?
    /// The path and query, beginning with `/`; what may not stand in a request line is escaped.
    var target: String

    /// The longest URL that is taken, in bytes.
    static let limit = 8192

    /// Reads a URL; nil when it is not an absolute one, or has no host.
    init?(_ text: String) {
        guard text.utf8.count <= WebURL.limit, let colon = text.firstIndex(of: ":") else { return nil }
        switch text[..<colon].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: return nil
        }
        var rest = text[text.index(after: colon)...]
        guard rest.hasPrefix("//") else { return nil }
        rest = rest.dropFirst(2)
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "\\" } ?? rest.endIndex
        var authority = rest[..<end]
        var target = String(rest[end...])
        if authority.isEmpty || target.hasPrefix("\\") { return nil }
        if !target.hasPrefix("/") { target = "/" + target }
        self.target = WebURL.escaped(target)
        if let at = authority.lastIndex(of: "@") {
            guard let decoded = String(authority[..<at]).removingPercentEncoding,
                decoded.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else { return nil }
            credentials = decoded.isEmpty ? nil : decoded
            authority = authority[authority.index(after: at)...]
        }
        port = isSecure ? 443 : 80
        var name = authority
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<close]
            guard String(name).withSlice({ IPAddress($0) }) != nil else { return nil }
            authority = authority[authority.index(after: close)...]
            guard authority.isEmpty || authority.hasPrefix(":") else { return nil }
        } else if let separator = authority.firstIndex(of: ":") {
            name = authority[..<separator]
            authority = authority[separator...]
        } else {
            authority = ""
        }
        let digits = authority.dropFirst()
        if !digits.isEmpty {
            guard digits.utf8.count <= 5, digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let number = UInt16(digits),
                number > 0
            else { return nil }
            port = number
        }
        host = name.lowercased()
        guard (1...253).contains(host.utf8.count), host.utf8.allSatisfy(WebURL.isHostByte) else { return nil }
    }

    /// The address in the host; nil when it is a name. Forms that other programs read as addresses (`127.1`, `0x7f.1`,
    /// `2130706433`) are not names either: `isOddAddress`.
    var address: IPAddress? { hasOctalPart ? nil : host.withSlice { IPAddress($0) } }

    /// True for `012.0.0.1`, which is read as 10.0.0.1 or as 12.0.0.1.
    private var hasOctalPart: Bool {
        !host.contains(":") && host.split(separator: ".").contains { $0.count > 1 && $0.hasPrefix("0") }
    }

    /// True for a host that is no plain address, but that a system's library would read as one.
    var isOddAddress: Bool {
        guard address == nil, let last = host.split(separator: ".").last else { return false }
        return last.hasPrefix("0x") || last.utf8.allSatisfy { $0 &- 0x30 < 10 }
    }

    /// Host and port as in `Host`: without the port of the scheme.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The scheme with host and port: what one application is told from another by.
    var origin: String { (isSecure ? "https://" : "http://") + authority }

    /// The whole URL as it is requested, without credentials.
    var text: String { origin + target }

    /// As it is shown to people: without query and credentials.
    var shown: String { WebAddress.withoutCredentials(text) }

    /// This URL with more in its query.
    func adding(query: String) -> WebURL {
        if query.isEmpty { return self }
        var result = self
        let join = !target.contains("?") ? "?" : target.hasSuffix("?") || target.hasSuffix("&") ? "" : "&"
        result.target += join + query
        return result
    }

    /// The URL that a Location of an answer to this one leads to; nil when it cannot be used.
    func following(_ location: String) -> WebURL? {
        guard let resolved = WebAddress.location(location, against: text), var next = WebURL(resolved) else {
            return nil
        }
        // The credentials are for the place that they were given for.
        if next.credentials == nil, next.origin == origin { next.credentials = credentials }
        return next
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte &- 0x61 < 26 || byte == 0x2d || byte == 0x2e || byte == 0x5f || byte == 0x3a
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte > 0x20, byte < 0x7f, !Array("\"<>\\^`{|}".utf8).contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
