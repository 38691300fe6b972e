import Primitives
import Testing

@testable import Observability

@Suite struct LogValueTests {
    private func text(_ bytes: [UInt8], quoted: Bool = false, limit: Int = 128) -> String {
        var writer = ByteWriter(capacity: 64)
        bytes.withSlice { writer.append(logValue: $0, alwaysQuoted: quoted, limit: limit) }
        return writer.slice.string
    }

    private func text(_ value: String, limit: Int = 128) -> String { text(Array(value.utf8), limit: limit) }

    @Test(arguments: ["alice", "8b11@host.example.com", "<sip:a@b;lr>", "1/3"])
    func `A plain word stays bare`(word: String) {
        #expect(text(word) == word)
        #expect(text(Array(word.utf8), quoted: true) == "\"\(word)\"")
    }

    @Test(
        arguments: [
            ("", #""""#), ("a b", #""a b""#), ("a=b", #""a=b""#), ("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#),
            ("a\nb\rc\td", #""a\nb\rc\td""#), ("\u{1b}[2J", #""\u001b[2J""#), ("a\0b", #""a\u0000b""#),
            ("\u{7f}", #""\u007f""#), ("Zoë", "\"Zoë\""), ("日本 😀", "\"日本 😀\""),
            ("a\u{9b}2J", #""a\u009b2J""#), ("a\u{202e}b", #""a\u202eb""#), ("a\u{2028}b", #""a\u2028b""#),
            ("\u{feff}x", #""\ufeffx""#),
        ])
    func `A text that could be misread is quoted, and what could do harm in it is escaped`(value: String, line: String)
    {
        #expect(text(value) == line)
    }

    @Test(
        arguments: [
            ([0x61, 0xff, 0x62], "\"a\u{FFFD}b\""), ([0xc3], "\"\u{FFFD}\""), ([0xc0, 0x80], "\"\u{FFFD}\u{FFFD}\""),
            ([0xed, 0xa0, 0x80], "\"\u{FFFD}\u{FFFD}\u{FFFD}\""), ([0xe2, 0x82, 0x61], "\"\u{FFFD}\u{FFFD}a\""),
            ([0xf4, 0x90, 0x80, 0x80], "\"\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\""),
            ([0xe0, 0x9f, 0xbf], "\"\u{FFFD}\u{FFFD}\u{FFFD}\""),
            ([0xf0, 0x8f, 0xbf, 0xbf, 0x20], "\"\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD} \""),
        ] as [([UInt8], String)])
    func `Bytes that are no UTF-8 become U+FFFD`(bytes: [UInt8], line: String) {
        #expect(text(bytes) == line)
    }

    @Test func `A long text is cut at the limit and marked`() {
        #expect(text(String(repeating: "x", count: 128)) == String(repeating: "x", count: 128))
        #expect(text(String(repeating: "x", count: 129)) == "\"" + String(repeating: "x", count: 128) + "...\"")
        #expect(text("aaaé", limit: 5) == "\"aaaé\"")
        #expect(text("aaaé", limit: 4) == "\"aaa...\"")
        #expect(text("aa bb", limit: 4) == "\"aa b...\"")
    }

    @Test func `Any two bytes give one line of valid UTF-8`() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                var writer = ByteWriter(capacity: 64)
                [first, second].withSlice { writer.append(logValue: $0, alwaysQuoted: false, limit: 128) }
                let bytes = writer.slice.bytes
                let isClean =
                    bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f } && String(validating: bytes, as: UTF8.self) != nil
                if !isClean { Issue.record("bytes \(first), \(second) give \(bytes)") }
            }
        }
    }
}
