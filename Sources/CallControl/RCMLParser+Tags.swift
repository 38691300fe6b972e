extension RCMLParser {
    /// A name (section 2.3); all that is not ASCII counts as a letter.
    mutating func name() throws(RCMLFault) -> String {
        let start = place
        var result: [UInt8] = []
        while let byte = next, RCMLParser.isNameByte(byte, isFirst: result.isEmpty) {
            result.append(byte)
            if result.count > 256 { throw fault("a name has more than 256 bytes", start) }
            try advance()
        }
        if result.isEmpty { throw fault("here a name was expected; a '<' in text is written &lt;", start) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: ":"), 0x80...: true
        case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "."): !isFirst
        default: false
        }
    }

    /// The attributes of a start tag (section 3.1) up to its `>` or `/`.
    mutating func attributes(of element: String, _ start: RCMLPlace) throws(RCMLFault) -> [String: String] {
        var result: [String: String] = [:]
        while true {
            let isSeparated = try skipSpace()
            guard let byte = next else { throw fault("the tag '\(element)' is not closed with '>'", start) }
            if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") { return result }
            if !isSeparated { throw fault("a space is missing before an attribute", place) }
            let found = place
            let name = try name()
            try skipSpace()
            guard next == UInt8(ascii: "=") else { throw fault("the attribute '\(name)' has no value", found) }
            try advance()
            try skipSpace()
            let value = try value(of: name, found)
            if result.updateValue(value, forKey: name) != nil {
                throw fault("'\(element)' has the attribute '\(name)' twice", found)
            }
        }
    }

    /// White space in a value is a blank each, a `\r\n` one (sections 2.11 and 3.3.3).
    private mutating func value(of name: String, _ start: RCMLPlace) throws(RCMLFault) -> String {
        guard let quote = next, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw fault("the value of '\(name)' is not in quotes", start)
        }
        try advance()
        var result: [UInt8] = []
        while let byte = next {
            if byte == quote {
                try advance()
                return String(decoding: result, as: UTF8.self)
            }
            if result.count > limits.value {
                throw RCMLFault(
                    message: "The attribute '\(name)' has more than \(limits.value) bytes, which is the limit.",
                    place: start)
            }
            switch byte {
            case UInt8(ascii: "<"): throw fault("the value of '\(name)' has a '<' in it; write &lt;", place)
            case UInt8(ascii: "&"):
                let text = try reference()
                result += text
                continue
            case 0x0D: if !follows("\r\n") { result.append(0x20) }
            case 0x09, 0x0A: result.append(0x20)
            default: result.append(byte)
            }
            try advance()
        }
        throw fault("the closing quote of '\(name)' is missing", start)
    }
}
