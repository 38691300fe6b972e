import Primitives
import SIPMessage
import Testing

@Suite("WarningValue")
struct WarningValueTests {
    @Test(
        "The value is a code, an agent and a quoted text (20.43)",
        arguments: [
            (
                "307 isi.edu \"Session parameter 'foo' not understood\"", 307, "isi.edu",
                "Session parameter 'foo' not understood"
            ),
            ("301 isi.edu:5060 \"\"", 301, "isi.edu:5060", ""),
            ("399 [2001:db8::1]:5061 \"a\"", 399, "[2001:db8::1]:5061", "a"),
            ("399 rollcall_1 \"a \\\"b\\\" \\\\\"", 399, "rollcall_1", "a \\\"b\\\" \\\\"),
            ("000\r\n x\t  \"a\r\n b\"", 0, "x", "a\r\n b"), ("399 192.0.2.1 \"é, <b>\"", 399, "192.0.2.1", "é, <b>"),
        ] as [(String, UInt16, String, String)])
    func values(text: String, code: UInt16, agent: String, warning: String) {
        text.withSlice {
            let value = WarningValue($0)
            #expect(value?.code == code)
            #expect(value?.agent.string == agent)
            #expect(value?.text.string == warning)
        }
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", "3", "39", "399", "399 ", "399 a", "399 a ", "399 \"b\"", "399 a b", "399 a\"b\"", "39 a \"b\"",
            "3990 a \"b\"", "399a \"b\"", "-99 a \"b\"", "a99 a \"b\"", "399 a \"b", "399 a \"", "399 a \"b\\\"",
            "399 a \"b\" c", "399 a \"b\"\"", "399 a,b \"c\"", "399 a;b \"c\"", "399 a b \"c\"", "399 a\u{0} \"b\"",
            " 399 a \"b\"", "399 a \"\\",
        ])
    func malformed(text: String) {
        let isWarning = text.withSlice { WarningValue($0) != nil }
        #expect(!isWarning)
    }

    @Test("Several values come over several lines and on one, commas in the texts kept")
    func several() {
        let parsed = Parsed(
            options(adding: "Warning: 301 a \"b, c\", 302 d \"\\\", 303 e \\\"\"\nwarning:\n 304 f \"g\"\n"))
        withExtendedLifetime(parsed) {
            let values = parsed.values(.warning).compactMap { WarningValue($0) }
            #expect(values.map(\.code) == [301, 302, 304])
            #expect(values.map(\.text.string) == ["b, c", "\\\", 303 e \\\"", "g"])
        }
    }

    @Test("The first warning is the first that is well-formed")
    func first() {
        let parsed = Parsed(options(adding: "Warning: x, 399 a \"b\", 307 c \"d\"\n"))
        #expect(parsed.firstWarning == "399 b")
        #expect(Parsed(options(adding: "Warning: 399\n")).firstWarning == nil)
        #expect(Parsed(options()).firstWarning == nil)
    }
}
