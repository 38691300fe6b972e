import Primitives
import SIPMessage
import Testing

@Suite("Comments")
struct CommentTests {
    @Test(
        "A comment ends at the parenthesis that closes it, comments within it and escapes passed over (25.1)",
        arguments: [
            ("()", 1), ("(a) b", 2), ("(a (b) c)d)", 8), ("(\\))", 3), ("(\\()", 3), ("(\\\\)", 3), ("(\")\")", 2),
            ("(a\r\n b)", 6), ("(é)", 3), ("(a,;<b)", 6),
        ])
    func ends(text: String, end: Int) {
        #expect(text.withSlice { $0.endOfComment(from: 0) } == end)
    }

    @Test(
        "One that does not open, that is not closed or that has control characters has no end",
        arguments: ["", "a", " ()", ")", "(", "((a)", "(a\\)", "(\\", "(a\u{0})", "(a\u{7f})", "(\\\r\n )", "(\\\n)"])
    func none(text: String) {
        #expect(text.withSlice { $0.endOfComment(from: 0) } == nil)
    }

    @Test("A start outside of the text has no comment")
    func outside() {
        let text: ByteSlice = "a(b)"
        #expect(text.endOfComment(from: 1) == 3)
        for start in [-1, 4, 5, Int.max] { #expect(text.endOfComment(from: start) == nil) }
    }

    @Test("64 KB of parentheses are no trouble")
    func deep() {
        let deep = String(repeating: "(", count: 32768) + String(repeating: ")", count: 32768)
        #expect(deep.withSlice { $0.endOfComment(from: 0) } == 65535)
        #expect(String(repeating: "(", count: 65536).withSlice { $0.endOfComment(from: 0) } == nil)
    }
}
