extension WebAddress {
    /// Why a URL cannot be used.
    struct Fault: Error {
        let why: String
    }

    /// The parts of a URI reference (RFC 3986 section 3); nil where one is missing.
    private struct Parts {
        var scheme: Substring?
        var authority: Substring?
        var path: Substring
        var query: Substring?

        /// The fragment is left out: it is never sent.
        init(_ text: String) {
            var rest = text.prefix { $0 != "#" }
            if let mark = rest.firstIndex(of: "?") {
                query = rest[rest.index(after: mark)...]
                rest = rest[..<mark]
            }
            let head = rest.prefix { $0 != "/" && $0 != ":" }
            if head.endIndex < rest.endIndex, rest[head.endIndex] == ":", let first = head.first, first.isASCII,
                first.isLetter, head.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
            {
                scheme = head
                rest = rest[rest.index(after: head.endIndex)...]
            }
            if rest.hasPrefix("//") {
                rest = rest.dropFirst(2)
                let end = rest.firstIndex(of: "/") ?? rest.endIndex
                authority = rest[..<end]
                rest = rest[end...]
            }
            path = rest
        }
    }

    /// A URL of a document against the document's own (RFC 3986 section 5.2). Characters that a URL cannot have are
    /// escaped, the fragment is left out.
    static func resolve(_ text: String, against base: String, limit: Int) -> Result<String, Fault> {
        if text.utf8.count > limit { return .failure(Fault(why: "it is longer than \(limit) bytes")) }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return .failure(Fault(why: "it has control characters or is on several lines"))
        }
        let reference = Parts(escaped(text))
        let base = Parts(base)
        let scheme = (reference.scheme ?? base.scheme ?? "").lowercased()
        guard scheme == "http" || scheme == "https" else {
            return .failure(
                Fault(
                    why: scheme.isEmpty
                        ? "it is relative, and the document has no URL of its own"
                        : "its scheme is '\(scheme)'; only http and https are fetched"))
        }
        var authority = base.authority
        var path: String
        var query = reference.query
        if reference.scheme != nil || reference.authority != nil {
            authority = reference.authority
            path = withoutDots(String(reference.path))
        } else if reference.path.isEmpty {
            path = String(base.path)
            query = reference.query ?? base.query
        } else if reference.path.hasPrefix("/") {
            path = withoutDots(String(reference.path))
        } else {
            let folder = base.path.lastIndex(of: "/").map { base.path[...$0] } ?? "/"
            path = withoutDots(String(folder) + String(reference.path))
        }
        guard let authority, let host = hostOf(authority), !host.isEmpty else {
            return .failure(Fault(why: "it names no host"))
        }
        if path.isEmpty { path = "/" }
        return .success(scheme + "://" + authority + path + (query.map { "?" + $0 } ?? ""))
    }

    /// The host and nothing else: not what stands before an `@`, not the port.
    private static func hostOf(_ authority: Substring) -> Substring? {
        let rest = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        if rest.hasPrefix("[") { return rest.firstIndex(of: "]").map { rest[...$0] } }
        return rest.prefix { $0 != ":" }
    }

    /// RFC 3986 section 5.2.4.
    private static func withoutDots(_ path: String) -> String {
        var result: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { result.append("") }
            case "..":
                if result.count > 1 { result.removeLast() }
                if isLast { result.append("") }
            default: result.append(segment)
            }
        }
        let joined = result.joined(separator: "/")
        return joined.hasPrefix("/") ? joined : "/" + joined
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Escapes what RFC 3986 section 2 does not allow anywhere in a URL; an escape stays, a `%` that is none becomes one.
    private static func escaped(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let isPlain: Bool
            switch byte {
            case UInt8(ascii: "%"):
                isPlain =
                    index + 2 < bytes.count && hexadecimal(bytes[index + 1]) != nil
                    && hexadecimal(bytes[index + 2]) != nil
            case 0x21...0x7E: isPlain = !"\"<>\\^`{|}".utf8.contains(byte)
            default: isPlain = false
            }
            if isPlain {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A text with its escapes decoded; nil when that is no UTF-8 or an escape is broken.
    static func percentDecoded(_ text: Substring) -> String? {
        var result: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = bytes.popFirst().flatMap(hexadecimal), let low = bytes.popFirst().flatMap(hexadecimal)
            else { return nil }
            result.append(high << 4 | low)
        }
        return String(validating: result, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
