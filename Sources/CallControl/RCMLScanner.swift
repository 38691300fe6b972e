/// One pass over a document before it is parsed: what the parser must not see, and what it cannot tell.
///
/// It refuses declarations (DOCTYPE, entities) and what nests too deeply, finds where each element begins, and repairs an
/// `&` that stands for itself, as is common in URLs written by hand.
struct RCMLScanner {
    /// The document for the parser.
    private(set) var output: [UInt8] = []
    /// Where each start tag begins, in their order.
    private(set) var places: [RCMLPlace] = []
    /// Where an `&` became `&amp;`.
    private(set) var repairs: [RCMLPlace] = []

    private let bytes: [UInt8]
    private let limits: RCMLLimits
    private var index = 0
    private var place = RCMLPlace(line: 1, column: 1)
    private var depth = 0

    init(_ bytes: [UInt8], limits: RCMLLimits) throws(RCMLFault) {
        self.bytes = bytes
        self.limits = limits
        output.reserveCapacity(bytes.count + 64)
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "<"): try markup()
            case UInt8(ascii: "&"): ampersand()
            default: copy()
            }
        }
    }

    /// The place in the document of one in `output`.
    func original(_ found: RCMLPlace) -> RCMLPlace {
        var column = found.column
        for repair in repairs where repair.line == found.line && repair.column < column {
            // `&amp;` is four characters longer.
            column = max(repair.column, column - 4)
        }
        return RCMLPlace(line: found.line, column: column)
    }

    private mutating func copy() {
        let byte = bytes[index]
        output.append(byte)
        index += 1
        if byte == UInt8(ascii: "\n") {
            place = RCMLPlace(line: place.line + 1, column: 1)
        } else if byte & 0xC0 != 0x80 {
            place.column += 1
        }
    }

    private func follows(_ text: StaticString) -> Bool {
        guard bytes.count - index >= text.utf8CodeUnitCount else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] { return false }
        return true
    }

    /// Copies up to and with `end`, or all that is left.
    private mutating func copy(through end: StaticString) {
        while index < bytes.count {
            if follows(end) {
                for _ in 0..<end.utf8CodeUnitCount { copy() }
                return
            }
            copy()
        }
    }

    private mutating func markup() throws(RCMLFault) {
        if follows("<!--") {
            for _ in 0..<4 { copy() }
            copy(through: "-->")
        } else if follows("<![CDATA[") {
            copy(through: "]]>")
        } else if follows("<!") {
            throw RCMLFault(
                message: "The document has a declaration (DOCTYPE, ENTITY or the like), which RCML does not need and "
                    + "which is refused. Take it out; if this is a web page, the URL is that of a page and not of RCML.",
                place: place)
        } else if follows("<?") {
            copy(through: "?>")
        } else if follows("</") {
            depth -= 1
            copy(through: ">")
        } else {
            try startTag()
        }
    }

    private mutating func startTag() throws(RCMLFault) {
        let start = place
        places.append(place)
        depth += 1
        if depth > limits.depth {
            throw RCMLFault(
                message: "Elements are nested more than \(limits.depth) deep, which is the limit.", place: place)
        }
        if places.count > limits.elements {
            throw RCMLFault(
                message: "The document has more than \(limits.elements) elements, which is the limit.", place: place)
        }
        var quote: UInt8?
        var valueStart = 0
        var last: UInt8 = 0
        while index < bytes.count {
            let byte = bytes[index]
            if let current = quote {
                if index - valueStart > limits.value {
                    throw RCMLFault(
                        message: "An attribute has more than \(limits.value) bytes, which is the limit.", place: start)
                }
                if byte == UInt8(ascii: "&") {
                    ampersand()
                    continue
                }
                if byte == current { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
                valueStart = index
            } else if byte == UInt8(ascii: ">") {
                copy()
                if last == UInt8(ascii: "/") { depth -= 1 }
                return
            }
            last = byte
            copy()
        }
    }

    /// A reference that XML knows without a DTD is copied, any other `&` is text.
    private mutating func ampersand() {
        let name = bytes[(index + 1)...].prefix(12).prefix { $0 != UInt8(ascii: ";") }
        let isEnded = index + 1 + name.count < bytes.count && name.count < 12
        if isEnded, RCMLScanner.isReference(String(decoding: name, as: UTF8.self)) {
            copy()
            return
        }
        repairs.append(place)
        copy()
        output.append(contentsOf: "amp;".utf8)
    }

    private static func isReference(_ name: String) -> Bool {
        if ["amp", "lt", "gt", "quot", "apos"].contains(name) { return true }
        guard name.hasPrefix("#") else { return false }
        if name.hasPrefix("#x") {
            return name.count > 2 && name.dropFirst(2).allSatisfy { $0.isASCII && $0.isHexDigit }
        }
        return name.count > 1 && name.dropFirst().allSatisfy { $0.isASCII && $0.isWholeNumber }
    }
}
