/// The content of an HTTP answer as UTF-8, when it can be a document.
struct RCMLContent {
    /// UTF-8, without byte order mark and with spaces for the XML declaration.
    let bytes: [UInt8]

    private enum Encoding {
        case utf8
        case latin1
    }

    init(_ bytes: [UInt8], contentType: String?, limits: RCMLLimits) throws(RCMLFault) {
        let (type, charset) = RCMLContent.split(contentType ?? "")
        try RCMLContent.check(type, bytes)
        if bytes.count > limits.bytes {
            throw RCMLFault(
                code: CallNotification.Code.badAnswer, kind: .tooLarge,
                message: "The document has \(bytes.count) bytes, the limit is \(limits.bytes). Make it shorter.")
        }
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        if rest.contains(0) || rest.starts(with: [0xFE, 0xFF]) || rest.starts(with: [0xFF, 0xFE]) {
            throw RCMLFault(
                message: "The document is not in UTF-8: it has zero bytes, as UTF-16 has. Send it in UTF-8.",
                place: RCMLPlace(line: 1, column: 1))
        }
        guard rest.contains(where: { !RCMLContent.isSpace($0) }) else {
            throw RCMLFault(
                message: "The answer is empty, so there is nothing to do. Send at least <Response/>.")
        }
        var text = Array(rest)
        let declared = RCMLContent.blankDeclaration(&text)
        switch try RCMLContent.encoding(charset ?? declared ?? "utf-8") {
        case .utf8: try RCMLContent.requireUTF8(text)
        case .latin1: text = Array(String(String.UnicodeScalarView(text.map { Unicode.Scalar($0) })).utf8)
        }
        self.bytes = text
    }

    /// The media type in lower case, and the value of its charset.
    private static func split(_ contentType: String) -> (type: String, charset: String?) {
        let parts = contentType.split(separator: ";", omittingEmptySubsequences: false).map { trim(String($0)) }
        var charset: String?
        for part in parts.dropFirst().prefix(10) {
            let halves = part.split(separator: "=", maxSplits: 1).map { trim(String($0)) }
            if halves.count == 2, halves[0].lowercased() == "charset", charset == nil {
                charset = halves[1].filter { $0 != "\"" }
            }
        }
        return ((parts.first ?? "").lowercased(), charset)
    }

    private static func check(_ type: String, _ bytes: [UInt8]) throws(RCMLFault) {
        switch type {
        case "text/xml", "application/xml", "text/html",
            _ where type.hasSuffix("+xml"):
            return
        case "":
            // An empty body is a fault of its own; a byte order mark may stand in front.
            guard let first = bytes.first(where: { !isSpace($0) && ![0xEF, 0xBB, 0xBF].contains($0) }),
                first != UInt8(ascii: "<")
            else { return }
            throw contentFault("The answer has no Content-Type and does not look like XML. Send text/xml.")
        case "text/plain":
            throw contentFault(
                "The answer is text/plain, which is to be spoken: this version has no media. "
                    + "If it is RCML, send it as text/xml.")
        case _ where type.hasPrefix("audio/"):
            throw contentFault("The answer is \(shown(type)), which is to be played: this version has no media.")
        default:
            throw contentFault("The answer is \(shown(type)), which cannot be run. Send RCML as text/xml.")
        }
    }

    private static func contentFault(_ message: String) -> RCMLFault {
        RCMLFault(code: CallNotification.Code.contentType, kind: .contentType, message: message)
    }

    private static func encoding(_ name: String) throws(RCMLFault) -> Encoding {
        switch name.lowercased() {
        case "utf-8", "utf8", "us-ascii", "ascii": return .utf8
        case "iso-8859-1", "latin1", "iso8859-1": return .latin1
        default:
            throw RCMLFault(
                message: "The document is in \(shown(name)), which is not read. Send it in UTF-8.",
                place: RCMLPlace(line: 1, column: 1))
        }
    }

    /// Overwrites an XML declaration with spaces: what follows is UTF-8 whatever it says.
    ///
    /// - Returns: The encoding that it names.
    private static func blankDeclaration(_ text: inout [UInt8]) -> String? {
        let start = text.firstIndex(where: { !isSpace($0) }) ?? text.count
        guard text[start...].starts(with: Array("<?xml".utf8)),
            let after = text[start...].dropFirst(5).first, isSpace(after),
            let end = text[start...].firstIndex(of: UInt8(ascii: ">"))
        else { return nil }
        let declaration = String(decoding: text[start...end], as: UTF8.self)
        for index in start...end where !isSpace(text[index]) { text[index] = UInt8(ascii: " ") }
        var words = declaration.split(whereSeparator: { $0.isWhitespace || "=\"'?".contains($0) }).makeIterator()
        while let word = words.next() {
            if word == "encoding" { return words.next().map(String.init) }
        }
        return nil
    }

    private static func requireUTF8(_ text: [UInt8]) throws(RCMLFault) {
        if String(validating: text, as: UTF8.self) != nil { return }
        var place = RCMLPlace(line: 1, column: 1)
        // A replacement that was not in the bytes shows where the first wrong one is.
        var index = 0
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            let width = UTF8.width(scalar)
            let isSame =
                scalar != "\u{FFFD}" || text[index...].starts(with: [0xEF, 0xBF, 0xBD])
            if !isSame { break }
            index += width
            if scalar == "\n" {
                place = RCMLPlace(line: place.line + 1, column: 1)
            } else {
                place.column += 1
            }
            if index >= text.count { break }
        }
        throw RCMLFault(
            message: "The document is not valid UTF-8 here. Save it as UTF-8, or name its encoding.", place: place)
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Without white space at its ends.
    static func trim(_ text: String) -> String {
        var rest = text.unicodeScalars[...]
        while let first = rest.first, first.isASCII, isSpace(UInt8(truncatingIfNeeded: first.value)) {
            rest.removeFirst()
        }
        while let last = rest.last, last.isASCII, isSpace(UInt8(truncatingIfNeeded: last.value)) {
            rest.removeLast()
        }
        return String(rest)
    }

    /// A value of an application as it can be shown to people: short, on one line.
    static func shown(_ text: String) -> String {
        let clean = text.unicodeScalars.prefix(60).map {
            $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : Character($0)
        }
        return "'" + String(clean) + (text.unicodeScalars.count > 60 ? "...'" : "'")
    }
}
