import Primitives
import SIPMessage
import Testing

@Suite("HeaderValues")
struct HeaderValuesTests {
    @Test("Values over several lines and over commas come in order, other headers between them left out")
    func order() {
        let parsed = Parsed(
            options(adding: "Route: <sip:a>, <sip:b;x=1,2>\nSubject: s\nroute:<sip:c>\n ,\n <sip:d>\n"))
        #expect(parsed.values(.route).map(\.string) == ["<sip:a>", "<sip:b;x=1,2>", "<sip:c>", "<sip:d>"])
    }

    @Test("A header that is absent has no value, and one without text has one empty value")
    func none() {
        #expect(Parsed(options()).values(.route).isEmpty)
        #expect(Parsed(options(adding: "Supported:\n")).values(.supported) == [""])
    }

    @Test(
        "Commas in quoted strings and in angle brackets do not separate",
        arguments: [
            ("\"a,b\" <sip:a>,c", ["\"a,b\" <sip:a>", "c"]), ("\"a\\\",b\" <sip:a>,c", ["\"a\\\",b\" <sip:a>", "c"]),
            ("<sip:a\",b\">,c", ["<sip:a\",b\">", "c"]), ("a,,b,", ["a", "", "b", ""]),
            ("\"a,b", ["\"a,b"]), ("<a,b", ["<a,b"]), ("\"a\\", ["\"a\\"]), (",", ["", ""]),
        ])
    func separators(line: String, values: [String]) {
        #expect(Parsed(options(adding: "Contact: \(line)\n")).values(.contact).map(\.string) == values)
    }

    @Test("64 KB of commas are walked in one pass", .timeLimit(.minutes(1)))
    func hostileCommas() {
        let parsed = Parsed(options(adding: "Contact: " + String(repeating: ",", count: 65536) + "\n"))
        #expect(parsed.values(.contact).count == 65537)
    }
}
