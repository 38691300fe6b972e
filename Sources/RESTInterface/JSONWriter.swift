/// Writes representations as JSON (RFC 8259), indented by two spaces.
struct JSONWriter {
    private(set) var text = ""

    /// Writes a resource.
    mutating func write(_ representation: Representation, indent: Int = 0) {
        write(representation.members, indent: indent)
    }

    private mutating func write(_ members: [Representation.Member], indent: Int) {
        if members.isEmpty {
            text += "{}"
            return
        }
        text += "{"
        for (index, member) in members.enumerated() {
            text += index == 0 ? "\n" : ",\n"
            writeIndent(indent + 1)
            write(member.name)
            text += ": "
            write(member.value, indent: indent + 1)
        }
        text += "\n"
        writeIndent(indent)
        text += "}"
    }

    private mutating func write(_ value: Representation.Value, indent: Int) {
        switch value {
        case .text(let value): write(value)
        case .number(let number): text += String(number)
        case .flag(let flag): text += flag ? "true" : "false"
        case .null: text += "null"
        case .object(let members): write(members, indent: indent)
        case .list(let resources): write(resources, indent: indent)
        case .texts(let texts):
            text += "["
            for (index, value) in texts.enumerated() {
                if index > 0 { text += ", " }
                write(value)
            }
            text += "]"
        }
    }

    /// Writes a resource of an array that stands at the beginning of a line.
    mutating func writeNext(_ resource: Representation, isFirst: Bool) {
        text += isFirst ? "\n" : ",\n"
        writeIndent(1)
        write(resource, indent: 1)
    }

    /// Writes an array of resources.
    mutating func write(_ resources: [Representation], indent: Int = 0) {
        if resources.isEmpty {
            text += "[]"
            return
        }
        text += "["
        for (index, resource) in resources.enumerated() {
            text += index == 0 ? "\n" : ",\n"
            writeIndent(indent + 1)
            write(resource, indent: indent + 1)
        }
        text += "\n"
        writeIndent(indent)
        text += "]"
    }

    /// Writes a text with what must be escaped.
    mutating func write(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            // DEL and the line separators are allowed in JSON, but harm terminals and scripts.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private mutating func writeIndent(_ indent: Int) { text += String(repeating: "  ", count: indent) }
}
