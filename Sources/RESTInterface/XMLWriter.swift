/// Writes representations as XML, indented by two spaces, without a declaration, as Restcomm does.
struct XMLWriter {
    /// What was written, in UTF-8.
    private(set) var bytes: [UInt8] = []

    /// What was written.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Writes a resource as its element.
    mutating func write(_ representation: Representation, indent: Int) {
        write(representation.element, .object(representation.members), indent: indent)
    }

    /// Writes an element.
    mutating func write(_ element: String, _ value: Representation.Value, indent: Int) {
        writeIndent(indent)
        switch value {
        case .text(let value): writeElement(element, XMLWriter.escaped(value))
        case .number(let number): writeElement(element, String(number))
        case .flag(let flag): writeElement(element, flag ? "true" : "false")
        case .null: append("<\(element)/>\n")
        case .object(let members) where members.isEmpty: append("<\(element)/>\n")
        case .object(let members):
            append("<\(element)>\n")
            for member in members { write(member.element, member.value, indent: indent + 1) }
            writeIndent(indent)
            append("</\(element)>\n")
        case .texts(let texts): writeElement(element, XMLWriter.escaped(texts.joined(separator: " ")))
        case .list(let resources) where resources.isEmpty: append("<\(element)/>\n")
        case .list(let resources):
            append("<\(element)>\n")
            for resource in resources { write(resource, indent: indent + 1) }
            writeIndent(indent)
            append("</\(element)>\n")
        }
    }

    private mutating func writeElement(_ element: String, _ content: String) {
        append(content.isEmpty ? "<\(element)/>\n" : "<\(element)>\(content)</\(element)>\n")
    }

    /// Writes text as it is.
    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func writeIndent(_ indent: Int) {
        for _ in 0..<indent { append("  ") }
    }

    /// Text for the inside of an element or attribute. What XML 1.0 (2.2) cannot hold becomes U+FFFD.
    static func escaped(_ string: String) -> String {
        // Nearly every text has nothing to escape.
        let isPlain = string.utf8.allSatisfy { byte in
            byte >= 0x20 && byte < 0x80 && byte != 0x26 && byte != 0x3c && byte != 0x3e && byte != 0x22
        }
        if isPlain { return string }
        var text = ""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            // Written as it is, a parser would make a line feed of it.
            case "\r": text += "&#13;"
            case "\t", "\n": text.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1f}", "\u{fffe}", "\u{ffff}": text += "\u{fffd}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
