import Primitives

/// The target of a request line, taken apart (RFC 9112 section 3.2).
struct HTTPTarget {
    /// The path, each segment decoded. `/` has none, `/a/` has `a` and an empty one.
    var path: [String] = []
    /// The path as sent.
    var rawPath = "/"
    /// The fields of the query.
    var query = FormFields()
    /// The host and port of an absolute target, which count instead of Host (RFC 9112 section 3.2.2).
    var authority: String?

    /// Reads a target of the origin, absolute, or asterisk form.
    ///
    /// A slash that is escaped stays inside its segment. Segments `.` and `..`, escaped or not, are refused: an honest client
    /// has removed them (RFC 3986 section 5.2.4), and nothing behind us must ever walk them.
    init(parsing text: ByteSlice, method: HTTPMethod, limits: HTTPLimits) throws(HTTPFailure) {
        guard text.allSatisfy(Self.isAllowed) else {
            throw HTTPFailure(400, "The request target has characters that are not allowed.")
        }
        var rest = text
        if text == "*" {
            guard method == .options else { throw HTTPFailure(400, "The target * is for OPTIONS only.") }
            rawPath = "*"
            return
        }
        if text.first != UInt8(ascii: "/") { rest = try takeAuthority(of: text) }
        let question = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.count
        let rawPath = rest.prefix(question)
        if !rawPath.isEmpty { self.rawPath = rawPath.string }
        try readPath(rawPath)
        do throws(FormError) {
            query = try FormFields(parsing: rest.from(question + 1), limit: limits.queryFields)
        } catch {
            throw HTTPFailure(400, "The query is invalid. \(error.message)")
        }
    }

    /// Visible ASCII but what RFC 3986 allows nowhere and browsers always escape; `#` begins a fragment, which is never sent.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "#"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"): false
        default: byte > 0x20 && byte < 0x7f
        }
    }

    /// Takes the authority of an absolute target; gives what follows it.
    private mutating func takeAuthority(of text: ByteSlice) throws(HTTPFailure) -> ByteSlice {
        let schemes: [ByteSlice] = ["http://", "https://"]
        guard let scheme = schemes.first(where: { text.starts(withIgnoringCase: $0) }) else {
            throw HTTPFailure(400, "The request target must be a path.")
        }
        let rest = text.from(scheme.count)
        let end = rest.firstIndex(of: UInt8(ascii: "/"), or: UInt8(ascii: "?")) ?? rest.count
        let authority = rest.prefix(end)
        guard !authority.isEmpty, Self.isHost(authority) else {
            throw HTTPFailure(400, "The host of the request target is invalid.")
        }
        self.authority = authority.string
        return rest.from(end)
    }

    private mutating func readPath(_ text: ByteSlice) throws(HTTPFailure) {
        var start = 1
        while start < text.count || start == text.count && start > 1 {
            let end = text.firstIndex(of: UInt8(ascii: "/"), from: start) ?? text.count
            let segment: String
            do throws(ByteSlice.DecodingError) {
                segment = try text[start..<end].decodedText(plusIsSpace: false)
            } catch {
                throw HTTPFailure(
                    400, error == .invalidEscape ? "The path has an invalid escape." : "The path is not in UTF-8.")
            }
            if segment == "." || segment == ".." { throw HTTPFailure(400, "The path has a segment of dots.") }
            if segment.utf8.contains(0) { throw HTTPFailure(400, "The path has a null character.") }
            path.append(segment)
            start = end + 1
        }
    }

    /// True for what may be in Host (RFC 9110 section 7.2): `uri-host [":" port]`, by its characters. Empty is allowed.
    static func isHost(_ text: ByteSlice) -> Bool {
        let others: ByteSlice = "$&+,;=%:[]"
        return text.allSatisfy { ASCII.isUnreserved($0) || others.firstIndex(of: $0) != nil }
    }
}
