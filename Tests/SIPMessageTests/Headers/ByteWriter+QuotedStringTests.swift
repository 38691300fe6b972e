import Primitives
import SIPMessage
import Testing

@Suite("Quoted strings")
struct QuotedStringTests {
    @Test("Escaping and unescaping are inverse")
    func inverse() {
        var writer = ByteWriter(capacity: 64)
        writer.append(escaping: "a\"b\\c")
        #expect(writer.slice == "a\\\"b\\\\c")
        var plain = ByteWriter(capacity: 64)
        plain.append(unescaping: writer.slice)
        #expect(plain.slice == "a\"b\\c")
    }

    @Test(
        "Unescaping takes the backslash of a pair away, and leaves one that escapes nothing",
        arguments: [("", ""), ("\\a\\\"", "a\""), ("\\\\\\\\", "\\\\"), ("a\\", "a\\"), ("\\\\\\", "\\\\")])
    func unescaping(content: String, text: String) {
        var writer = ByteWriter(capacity: 64)
        content.withSlice { writer.append(unescaping: $0) }
        #expect(writer.slice.string == text)
    }
}
