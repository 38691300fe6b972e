/// The XML of documents (XML 1.0, fifth edition) without declarations: a DOCTYPE is refused, so that there is no entity to
/// expand and nothing outside to read.
///
/// One departure: an `&` that begins no reference is text, as is common in URLs written by hand; `repairs` has its places.
struct RCMLParser {
    /// An element whose end has not come.
    private struct Open {
        var element: RCMLElement
        var text: [UInt8] = []
    }

    /// Where an `&` was read as `&amp;`.
    private(set) var repairs: [RCMLPlace] = []
    /// Where the next character is.
    private(set) var place = RCMLPlace(line: 1, column: 1)
    let limits: RCMLLimits
    private let bytes: [UInt8]
    private var index = 0
    private var open: [Open] = []
    private var root: RCMLElement?
    private var elements = 0

    /// Of valid UTF-8.
    init(_ bytes: [UInt8], limits: RCMLLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The root element.
    mutating func parse() throws(RCMLFault) -> RCMLElement {
        while let byte = next {
            if byte == UInt8(ascii: "<") { try markup() } else { try text() }
        }
        if let innermost = open.last {
            throw fault(
                "it ends before '\(innermost.element.name)' of line \(innermost.element.place.line) is closed", place)
        }
        guard let root else {
            throw RCMLFault(
                message: "The document is not XML: it has no element. Send <Response> with verbs in it.",
                place: RCMLPlace(line: 1, column: 1))
        }
        return root
    }

    // MARK: Characters

    /// The byte that comes next; nil at the end.
    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    func follows(_ text: StaticString) -> Bool {
        guard bytes.count - index >= text.utf8CodeUnitCount else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    /// Goes on by one byte, which must be one of a character that XML allows (section 2.2).
    mutating func advance() throws(RCMLFault) {
        guard let byte = next else { return }
        let isNonCharacter = byte == 0xEF && (follows("\u{FFFE}") || follows("\u{FFFF}"))
        if byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D || isNonCharacter {
            throw fault("here is a character that XML does not allow", place)
        }
        index += 1
        if byte == 0x0A {
            place = RCMLPlace(line: place.line + 1, column: 1)
        } else if byte & 0xC0 != 0x80 {
            place.column += 1
        }
    }

    mutating func skip(_ count: Int) throws(RCMLFault) { for _ in 0..<count { try advance() } }

    /// True when there was white space.
    @discardableResult
    mutating func skipSpace() throws(RCMLFault) -> Bool {
        let start = index
        while let byte = next, RCMLParser.isSpace(byte) { try advance() }
        return index > start
    }

    /// The bytes up to `end`, behind which it goes on; a fault when that does not come.
    mutating func bytes(to end: StaticString, _ what: String, from opened: RCMLPlace) throws(RCMLFault) -> ArraySlice<
        UInt8
    > {
        let start = index
        while index < bytes.count {
            if follows(end) {
                let found = bytes[start..<index]
                try skip(end.utf8CodeUnitCount)
                return found
            }
            try advance()
        }
        throw fault("\(what) that begins here has no end", opened)
    }

    /// XML's own white space (section 2.3).
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    func fault(_ what: String, _ place: RCMLPlace) -> RCMLFault {
        RCMLFault(message: "The document is not well-formed XML: \(what).", place: place)
    }

    /// What an `&` here stands for. One that begins no reference (section 4.1) is itself.
    mutating func reference() throws(RCMLFault) -> [UInt8] {
        let name = bytes[(index + 1)...].prefix(12).prefix { $0 != UInt8(ascii: ";") }
        let isEnded = name.count < 12 && index + 1 + name.count < bytes.count
        let start = place
        guard isEnded, let scalar = RCMLParser.scalar(String(decoding: name, as: UTF8.self)) else {
            repairs.append(place)
            try advance()
            return [UInt8(ascii: "&")]
        }
        let value = scalar.value
        if value < 0x20 && value != 0x09 && value != 0x0A && value != 0x0D || value == 0xFFFE || value == 0xFFFF {
            throw fault("here is a character that XML does not allow", start)
        }
        try skip(name.count + 2)
        return Array(String(Character(scalar)).utf8)
    }

    private static func scalar(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let isHexadecimal = name.hasPrefix("#x")
            let digits = name.utf8.dropFirst(isHexadecimal ? 2 : 1)
            // No sign, which the conversion would take.
            guard name.hasPrefix("#"), digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
                let value = UInt32(String(decoding: Array(digits), as: UTF8.self), radix: isHexadecimal ? 16 : 10)
            else { return nil }
            return Unicode.Scalar(value)
        }
    }

    // MARK: Content

    private mutating func text() throws(RCMLFault) {
        guard let byte = next else { return }
        if open.isEmpty {
            if !RCMLParser.isSpace(byte) {
                throw root == nil
                    ? fault("it has to begin with a tag", place) : fault("something follows the end of it", place)
            }
            try advance()
        } else if byte == UInt8(ascii: "&") {
            let text = try reference()
            open[open.count - 1].text += text
        } else if follows("]]>") {
            throw fault("']]>' must not be in text; write ]]&gt;", place)
        } else {
            try append()
        }
    }

    /// Takes a byte of text; every end of line is a line feed (section 2.11).
    private mutating func append() throws(RCMLFault) {
        guard let byte = next else { return }
        if byte == 0x0D {
            if !follows("\r\n") { open[open.count - 1].text.append(0x0A) }
        } else {
            open[open.count - 1].text.append(byte)
        }
        try advance()
    }

    private mutating func markup() throws(RCMLFault) {
        let start = place
        if follows("<!--") {
            try skip(4)
            _ = try bytes(to: "--", "a comment", from: start)
            guard next == UInt8(ascii: ">") else { throw fault("a comment has '--' in it", start) }
            try advance()
        } else if follows("<![CDATA["), !open.isEmpty {
            try skip(9)
            while !follows("]]>") {
                if next == nil { throw fault("a CDATA section that begins here has no end", start) }
                try append()
            }
            try skip(3)
        } else if follows("<!") {
            throw RCMLFault(
                message: "The document has a declaration (DOCTYPE, ENTITY or the like), which RCML does not need and "
                    + "which is refused. Take it out; if this is a web page, the URL is that of a page and not of RCML.",
                place: start)
        } else if follows("<?") {
            try skip(2)
            let target = try name()
            if target.lowercased() == "xml" {
                throw fault("the XML declaration has to be at the very beginning", start)
            }
            if let byte = next, !RCMLParser.isSpace(byte), !follows("?>") {
                throw fault("a processing instruction has no space behind its name", start)
            }
            _ = try bytes(to: "?>", "a processing instruction", from: start)
        } else if follows("</") {
            try endTag()
        } else {
            try startTag()
        }
    }

    private mutating func startTag() throws(RCMLFault) {
        let start = place
        elements += 1
        if open.isEmpty, root != nil { throw fault("another element follows the end of the first", start) }
        if open.count >= limits.depth {
            throw RCMLFault(
                message: "Elements are nested more than \(limits.depth) deep, which is the limit.", place: start)
        }
        if elements > limits.elements {
            throw RCMLFault(
                message: "The document has more than \(limits.elements) elements, which is the limit.", place: start)
        }
        try advance()
        let name = try name()
        let attributes = try attributes(of: name, start)
        open.append(Open(element: RCMLElement(name: name, attributes: attributes, place: start)))
        let isEmpty = next == UInt8(ascii: "/")
        if isEmpty { try advance() }
        guard next == UInt8(ascii: ">") else { throw fault("the tag '\(name)' is not closed with '>'", start) }
        try advance()
        if isEmpty { close() }
    }

    private mutating func endTag() throws(RCMLFault) {
        let start = place
        try skip(2)
        let name = try name()
        try skipSpace()
        guard let innermost = open.last else { throw fault("'\(name)' is closed and was never opened", start) }
        guard innermost.element.name == name else {
            throw fault(
                "this tag closes '\(name)', but '\(innermost.element.name)' of line \(innermost.element.place.line) is "
                    + "open; capitals matter", start)
        }
        guard next == UInt8(ascii: ">") else { throw fault("the closing tag of '\(name)' has no '>'", start) }
        try advance()
        close()
    }

    private mutating func close() {
        guard let last = open.popLast() else { return }
        var element = last.element
        element.text = String(decoding: last.text, as: UTF8.self)
        if open.isEmpty { root = element } else { open[open.count - 1].element.children.append(element) }
    }
}
