import Foundation
import Testing

@testable import Configuration

@Suite struct JSON5ReaderTests {
    private func plain(_ node: JSONNode) -> String {
        switch node.value {
        case .object(let members): "{" + members.map { "\($0.key):\(plain($0.node))" }.joined(separator: ",") + "}"
        case .array(let nodes): "[" + nodes.map(plain).joined(separator: ",") + "]"
        case .text(let text): "\"\(text)\""
        case .number(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .null: "null"
        }
    }

    private func read(_ text: String) -> String {
        do { return plain(try JSON5Reader.read(Array(text.utf8))) } catch {
            let place = TextPosition(of: error.offset, in: Array(text.utf8))
            return "\(place.line):\(place.column): \(error.message)"
        }
    }

    @Test(
        arguments: [
            ("{}", "{}"), ("[]", "[]"), ("[1,]", "[1.0]"), ("{a:1,}", "{a:1.0}"),
            ("{a:1,'b c':2,\"d\":3,$e_9:4}", "{a:1.0,b c:2.0,d:3.0,$e_9:4.0}"), ("{é:1}", "{é:1.0}"),
            ("// c\n/* d\n * */ [ true , false , null ] // e", "[true,false,null]"),
            ("'it\\'s \"x\"'", "\"it's \"x\"\""), ("\"\\x41\\u00e9\\ud83d\\ude00\\n\\\n\\q\"", "\"Aé😀\nq\""),
            ("[0x1F, +1, -2, .5, 5., 1e3, 1E-2, 0]", "[31.0,1.0,-2.0,0.5,5.0,1000.0,0.01,0.0]"),
            ("[Infinity, -Infinity]", "[inf,-inf]"), ("\u{feff}\u{a0}1\u{2028}", "1.0"), ("'日本'", "\"日本\""),
        ])
    func `JSON5 texts are read as the specification says`(text: String, value: String) {
        #expect(read(text) == value)
    }

    @Test(
        arguments: [
            ("", "1:1: expected a value, found the end of the file"),
            ("{", "1:2: expected a key or '}', found the end of the file"),
            ("{a:1", "1:5: expected ',' or '}' (of line 1), found the end of the file"),
            ("{\n a: 1\n b: 2 }", "3:2: expected ',' or '}' (of line 1), found 'b'"),
            ("[1 2]", "1:4: expected ',' or ']' (of line 1), found '2'"),
            ("[,]", "1:2: expected a value, found ','"), ("{a}", "1:3: expected ':' after the key \"a\", found '}'"),
            ("{a:1,\n a:2}", "2:2: the key \"a\" occurs twice"),
            ("{a: debug}", "1:5: expected a value, found 'debug'; a text needs quotes: \"debug\""),
            ("{a: \"x\n\"}", "1:5: this text has no closing \""), ("'x", "1:1: this text has no closing '"),
            ("'x\\", "1:1: this text has no closing '"),
            ("/* x", "1:1: this comment has no end"), ("1 2", "1:3: expected the end of the file, found '2'"),
            ("010", "1:1: '010' is not a number"), ("1x", "1:1: '1x' is not a number"),
            ("+", "1:1: '+' is not a number"),
            (".", "1:1: '.' is not a number"), ("0x", "1:1: '0x' is not a number"),
            ("1-2", "1:2: expected the end of the file, found '-'"),
            ("'\\xg1'", "1:4: expected 2 hexadecimal digits"), ("'\\u12'", "1:4: expected 4 hexadecimal digits"),
            ("'\\ud800'", "1:8: half of a surrogate pair is missing"),
            ("{é: é}", "1:5: expected a value, found 'é'; a text needs quotes: \"é\""),
            (String(repeating: "[", count: 40), "1:33: too many { and [ within each other"),
        ])
    func `What is no JSON5 is refused with the place`(text: String, message: String) {
        #expect(read(text) == message)
    }

    @Test func `Bytes that are no UTF-8 are refused`() {
        #expect(throws: JSON5SyntaxError.self) { try JSON5Reader.read([0x7b, 0xff, 0x7d]) }
    }

    @Test func `Foundation's decoder accepts and refuses the same texts, those with a key twice aside`() {
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = true
        let texts = [
            "{a:1}", "{a:1,}", "{,}", "{a:}", "{a 1}", "{'a':1}", "{a:0x1f}", "{a:+1}", "{a:.5}", "{a:5.}", "{a:--1}",
            "{a:1}x",
            "{/**/a:1}", "{a:1//\n}", "{a:01}", "{1a:1}", "{a:1e}", "{a:1e5}", "", "{", "{a:1}}", "{\"a\\u0041\":1}",
            "{a\n:\n1}",
        ]
        for text in texts {
            let theirs = (try? decoder.decode([String: Double].self, from: Data(text.utf8))) != nil
            let ours = (try? JSON5Reader.read(Array(text.utf8))) != nil
            #expect(ours == theirs, "\(text)")
        }
    }

    @Test func `No cut and no changed byte of the sample file stops the reader`() throws {
        let sample = Array(try Documentation.text("Config/rollcall.json5").utf8)
        for index in stride(from: 0, to: sample.count, by: 11) {
            _ = try? JSON5Reader.read(Array(sample[..<index]))
            for byte: UInt8 in [0, 0x22, 0x27, 0x5c, 0x7b, 0x5d, 0x2f, 0xc3, 0x2d] {
                var changed = sample
                changed[index] = byte
                _ = try? JSON5Reader.read(changed)
            }
        }
    }
}
