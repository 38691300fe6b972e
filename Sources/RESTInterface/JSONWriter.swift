/// Writes representations as JSON (RFC 8259), indented by two spaces.
struct JSONWriter {
    /// What was written, in UTF-8.
    private(set) var bytes: [UInt8] = []

    /// What was written.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Writes a resource.
    mutating func write(_ representation: Representation, indent: Int = 0) {
        write(representation.members, indent: indent)
    }

    private mutating func write(_ members: [Representation.Member], indent: Int) {
        if members.isEmpty {
            append("{}")
            return
        }
        append("{")
        for (index, member) in members.enumerated() {
            append(index == 0 ? "\n" : ",\n")
            writeIndent(indent + 1)
            write(member.name)
            append(": ")
            write(member.value, indent: indent + 1)
        }
        append("\n")
        writeIndent(indent)
        append("}")
    }

    private mutating func write(_ value: Representation.Value, indent: Int) {
        switch value {
        case .text(let value): write(value)
        case .number(let number): append(String(number))
        case .flag(let flag): append(flag ? "true" : "false")
        case .null: append("null")
        case .object(let members): write(members, indent: indent)
        case .list(let resources): write(resources, indent: indent)
        case .texts(let texts):
            append("[")
            for (index, value) in texts.enumerated() {
                if index > 0 { append(", ") }
                write(value)
            }
            append("]")
        }
    }

    /// Writes a resource of an array that stands at the beginning of a line.
    mutating func writeNext(_ resource: Representation, isFirst: Bool) {
        append(isFirst ? "\n" : ",\n")
        writeIndent(1)
        write(resource, indent: 1)
    }

    /// Writes an array of resources.
    mutating func write(_ resources: [Representation], indent: Int = 0) {
        if resources.isEmpty {
            append("[]")
            return
        }
        append("[")
        for (index, resource) in resources.enumerated() {
            append(index == 0 ? "\n" : ",\n")
            writeIndent(indent + 1)
            write(resource, indent: indent + 1)
        }
        append("\n")
        writeIndent(indent)
        append("]")
    }

    /// Writes a text with what must be escaped.
    mutating func write(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { appendEscaped($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends UTF-8 in pieces without anything to escape, and escapes between them.
    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        var index = 0
        while index < text.count {
            guard let (escape, length) = JSONWriter.escape(at: index, of: text) else {
                index += 1
                continue
            }
            bytes.append(contentsOf: text[start..<index])
            append(escape)
            index += length
            start = index
        }
        bytes.append(contentsOf: text[start...])
    }

    /// What is written for the character that begins at `index`, and how many bytes it has; nil for one that stands for
    /// itself. DEL, C1 controls and the line separators are allowed in JSON, but harm terminals and scripts.
    @inline(__always)
    private static func escape(at index: Int, of text: UnsafeBufferPointer<UInt8>) -> (String, Int)? {
        switch text[index] {
        case UInt8(ascii: "\""): return ("\\\"", 1)
        case UInt8(ascii: "\\"): return ("\\\\", 1)
        case 0x0a: return ("\\n", 1)
        case 0x0d: return ("\\r", 1)
        case 0x09: return ("\\t", 1)
        case 0..<0x20, 0x7f: return (numeric(UInt32(text[index])), 1)
        case 0xc2 where index + 1 < text.count && text[index + 1] < 0xa0: return (numeric(UInt32(text[index + 1])), 2)
        case 0xe2 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] | 1 == 0xa9:
            return (numeric(0x2000 | UInt32(text[index + 2] & 0x3f)), 3)
        default: return nil
        }
    }

    private static func numeric(_ scalar: UInt32) -> String {
        let digits = String(scalar, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func writeIndent(_ indent: Int) {
        for _ in 0..<indent { append("  ") }
    }
}
