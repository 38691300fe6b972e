/// Where and why a text is not JSON5.
struct JSON5SyntaxError: Error {
    let offset: Int
    let message: String
}

/// Reads JSON5 (https://spec.json5.org) and keeps the place of every key and value.
///
/// Foundation's decoder accepts the same texts, but says neither where a text is wrong nor that a key occurs twice, and
/// both are what somebody who edits a configuration needs to be told.
struct JSON5Reader {
    private let text: [UInt8]
    private var index = 0
    private var depth = 0

    /// Objects and lists within each other; more is refused, so that no text can exhaust the stack.
    static let maximumDepth = 32

    private init(_ text: [UInt8]) { self.text = text }

    /// Reads a whole text that must hold one value; a key that occurs twice in an object is an error too.
    static func read(_ text: [UInt8]) throws(JSON5SyntaxError) -> JSONNode {
        guard String(validating: text, as: UTF8.self) != nil else {
            throw JSON5SyntaxError(offset: 0, message: "the file is not UTF-8 text")
        }
        var reader = JSON5Reader(text)
        try reader.skipSpace()
        let node = try reader.value()
        try reader.skipSpace()
        if reader.index < text.count { throw reader.unexpected("the end of the file") }
        return node
    }

    private func byte(_ ahead: Int = 0) -> UInt8 {
        index + ahead < text.count ? text[index + ahead] : 0
    }

    private func failure(_ message: String, at offset: Int? = nil) -> JSON5SyntaxError {
        JSON5SyntaxError(offset: offset ?? index, message: message)
    }

    private func unexpected(_ expected: String) -> JSON5SyntaxError {
        guard index < text.count else { return failure("expected \(expected), found the end of the file") }
        let rest = String(decoding: text[index..<min(text.count, index + 8)], as: UTF8.self)
        return failure("expected \(expected), found '\(rest.first.map(String.init) ?? "")'")
    }

    private mutating func skipSpace() throws(JSON5SyntaxError) {
        while index < text.count {
            switch byte() {
            case 0x09...0x0d, 0x20: index += 1
            case 0xc2 where byte(1) == 0xa0: index += 2
            case 0xe2 where byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9): index += 3
            case 0xef where byte(1) == 0xbb && byte(2) == 0xbf: index += 3
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while index < text.count, byte() != UInt8(ascii: "\n") { index += 1 }
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
                let start = index
                index += 2
                while !(byte() == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) {
                    if index >= text.count { throw failure("this comment has no end", at: start) }
                    index += 1
                }
                index += 2
            default: return
            }
        }
    }

    private mutating func value() throws(JSON5SyntaxError) -> JSONNode {
        let start = index
        switch byte() {
        case UInt8(ascii: "{"): return JSONNode(value: .object(try members()), offset: start)
        case UInt8(ascii: "["): return JSONNode(value: .array(try elements()), offset: start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return JSONNode(value: .text(try quoted()), offset: start)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            return JSONNode(value: .number(try number()), offset: start)
        default: break
        }
        switch word() {
        case "true": return JSONNode(value: .boolean(true), offset: start)
        case "false": return JSONNode(value: .boolean(false), offset: start)
        case "null": return JSONNode(value: .null, offset: start)
        case "Infinity": return JSONNode(value: .number(.infinity), offset: start)
        case "NaN": return JSONNode(value: .number(.nan), offset: start)
        case "":
            throw unexpected("a value")
        case let other:
            throw failure("expected a value, found '\(other)'; a text needs quotes: \"\(other)\"", at: start)
        }
    }

    private mutating func enter() throws(JSON5SyntaxError) {
        depth += 1
        if depth > JSON5Reader.maximumDepth { throw failure("too many { and [ within each other") }
        index += 1
        try skipSpace()
    }

    /// True when another element follows; consumes the comma or `close`.
    private mutating func continues(until close: UInt8, opened: Int) throws(JSON5SyntaxError) -> Bool {
        try skipSpace()
        if byte() == UInt8(ascii: ",") {
            index += 1
            try skipSpace()
            if byte() != close { return true }
        }
        if byte() != close || index >= text.count {
            let place = TextPosition(of: opened, in: text)
            let close = String(UnicodeScalar(close))
            throw unexpected("',' or '\(close)' (of line \(place.line))")
        }
        index += 1
        depth -= 1
        return false
    }

    private mutating func members() throws(JSON5SyntaxError) -> [JSONMember] {
        var members: [JSONMember] = []
        let opened = index
        try enter()
        if byte() == UInt8(ascii: "}") {
            index += 1
            depth -= 1
            return members
        }
        repeat {
            let start = index
            let key: String
            if byte() == UInt8(ascii: "\"") || byte() == UInt8(ascii: "'") {
                key = try quoted()
            } else {
                key = word()
                if key.isEmpty { throw unexpected("a key or '}'") }
            }
            if members.contains(where: { $0.key == key }) {
                throw failure("the key \"\(key)\" occurs twice", at: start)
            }
            try skipSpace()
            guard byte() == UInt8(ascii: ":") else { throw unexpected("':' after the key \"\(key)\"") }
            index += 1
            try skipSpace()
            members.append(JSONMember(key: key, offset: start, node: try value()))
        } while try continues(until: UInt8(ascii: "}"), opened: opened)
        return members
    }

    private mutating func elements() throws(JSON5SyntaxError) -> [JSONNode] {
        var elements: [JSONNode] = []
        let opened = index
        try enter()
        if byte() == UInt8(ascii: "]") {
            index += 1
            depth -= 1
            return elements
        }
        repeat { elements.append(try value()) } while try continues(until: UInt8(ascii: "]"), opened: opened)
        return elements
    }

    /// An identifier; empty when there is none.
    private mutating func word() -> String {
        let start = index
        while index < text.count {
            switch byte() {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                UInt8(ascii: "$"), 0x80...0xff:
                index += 1
                continue
            case UInt8(ascii: "0")...UInt8(ascii: "9") where index > start:
                index += 1
                continue
            default: break
            }
            break
        }
        return String(decoding: text[start..<index], as: UTF8.self)
    }

    private mutating func number() throws(JSON5SyntaxError) -> Double {
        let start = index
        var negative = false
        if byte() == UInt8(ascii: "+") || byte() == UInt8(ascii: "-") {
            negative = byte() == UInt8(ascii: "-")
            index += 1
        }
        let digits = index
        while index < text.count {
            let byte = byte()
            let isExponentSign =
                (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")) && index > digits
                && text[index - 1] | 0x20 == UInt8(ascii: "e") && text[digits..<index].allSatisfy { $0 | 0x20 != 0x78 }
            guard
                isExponentSign || byte == UInt8(ascii: ".") || byte &- UInt8(ascii: "0") < 10
                    || (byte | 0x20) &- UInt8(ascii: "a") < 26
            else { break }
            index += 1
        }
        let token = String(decoding: text[digits..<index], as: UTF8.self)
        guard let magnitude = JSON5Reader.magnitude(token) else {
            throw failure("'\(String(decoding: text[start..<index], as: UTF8.self))' is not a number", at: start)
        }
        return negative ? -magnitude : magnitude
    }

    private static func magnitude(_ token: String) -> Double? {
        if token == "Infinity" { return .infinity }
        if token == "NaN" { return .nan }
        if token.hasPrefix("0x") || token.hasPrefix("0X") {
            return UInt64(token.dropFirst(2), radix: 16).map { Double($0) }
        }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard token.utf8.allSatisfy({ digits.contains($0) || ".eE+-".utf8.contains($0) }) else { return nil }
        // JSON5 has no octal numbers, so that 010 is neither 8 nor 10.
        if token.utf8.count > 1, token.hasPrefix("0"), digits.contains(token.utf8.dropFirst().first ?? 0) { return nil }
        if token.hasSuffix(".") { return token.utf8.count > 1 ? Double(token.dropLast()) : nil }
        return Double(token.hasPrefix(".") ? "0" + token : token)
    }

    private mutating func quoted() throws(JSON5SyntaxError) -> String {
        let quote = byte()
        let start = index
        index += 1
        var bytes: [UInt8] = []
        while true {
            let isCut = index >= text.count || (byte() == UInt8(ascii: "\\") && index + 1 == text.count)
            if isCut || byte() == UInt8(ascii: "\n") || byte() == UInt8(ascii: "\r") {
                throw failure("this text has no closing \(String(UnicodeScalar(quote)))", at: start)
            }
            if byte() == quote { break }
            if byte() == UInt8(ascii: "\\") {
                try escape(into: &bytes)
            } else {
                bytes.append(byte())
                index += 1
            }
        }
        index += 1
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(JSON5SyntaxError) {
        index += 1
        let letter = byte()
        index += 1
        switch letter {
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "v"): bytes.append(11)
        case UInt8(ascii: "0"): bytes.append(0)
        case UInt8(ascii: "x"): bytes.append(contentsOf: String(try scalar(hexadecimal(digits: 2))).utf8)
        case UInt8(ascii: "u"):
            var code = try hexadecimal(digits: 4)
            if 0xd800..<0xdc00 ~= code, byte() == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "u") {
                index += 2
                let low = try hexadecimal(digits: 4)
                guard 0xdc00..<0xe000 ~= low else { throw failure("half of a surrogate pair is missing") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            bytes.append(contentsOf: String(try scalar(code)).utf8)
        case UInt8(ascii: "\n"): break
        case UInt8(ascii: "\r"): if byte() == UInt8(ascii: "\n") { index += 1 }
        default: bytes.append(letter)
        }
    }

    private func scalar(_ code: UInt32) throws(JSON5SyntaxError) -> Character {
        guard let scalar = UnicodeScalar(code) else { throw failure("half of a surrogate pair is missing") }
        return Character(scalar)
    }

    private mutating func hexadecimal(digits: Int) throws(JSON5SyntaxError) -> UInt32 {
        let end = min(text.count, index + digits)
        let token = String(decoding: text[index..<max(index, end)], as: UTF8.self)
        guard token.utf8.count == digits, let value = UInt32(token, radix: 16), !token.hasPrefix("+") else {
            throw failure("expected \(digits) hexadecimal digits")
        }
        index = end
        return value
    }
}
