/// Writes representations as XML, indented by two spaces, without a declaration, as Restcomm does.
struct XMLWriter {
    private(set) var text = ""

    /// Writes a resource as its element.
    mutating func write(_ representation: Representation, indent: Int) {
        write(representation.element, .object(representation.members), indent: indent)
    }

    /// Writes an element.
    mutating func write(_ element: String, _ value: Representation.Value, indent: Int) {
        text += String(repeating: "  ", count: indent)
        switch value {
        case .text(let value): writeElement(element, XMLWriter.escaped(value))
        case .number(let number): writeElement(element, String(number))
        case .flag(let flag): writeElement(element, flag ? "true" : "false")
        case .null: text += "<\(element)/>\n"
        case .object(let members) where members.isEmpty: text += "<\(element)/>\n"
        case .object(let members):
            text += "<\(element)>\n"
            for member in members { write(member.element, member.value, indent: indent + 1) }
            text += String(repeating: "  ", count: indent) + "</\(element)>\n"
        case .texts(let texts): writeElement(element, XMLWriter.escaped(texts.joined(separator: " ")))
        case .list(let resources) where resources.isEmpty: text += "<\(element)/>\n"
        case .list(let resources):
            text += "<\(element)>\n"
            for resource in resources { write(resource, indent: indent + 1) }
            text += String(repeating: "  ", count: indent) + "</\(element)>\n"
        }
    }

    private mutating func writeElement(_ element: String, _ content: String) {
        text += content.isEmpty ? "<\(element)/>\n" : "<\(element)>\(content)</\(element)>\n"
    }

    /// Writes text as it is.
    mutating func append(_ text: String) { self.text += text }

    /// Text for the inside of an element or attribute. What XML 1.0 (2.2) cannot hold becomes U+FFFD.
    static func escaped(_ string: String) -> String {
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
