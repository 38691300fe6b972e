import Primitives
import SIPMessage
import Testing

@Suite("ProductList")
struct ProductListTests {
    /// The elements as texts: `name`, `name/version`, `(comment)`.
    private static func elements(_ text: String) -> [String]? {
        text.withSlice { slice in
            guard let list = ProductList(slice) else { return nil }
            var found: [String] = []
            var offset = 0
            while let element = list.next(from: &offset) {
                switch element {
                case .product(let name, nil): found.append(name.string)
                case .product(let name, let version?): found.append("\(name.string)/\(version.string)")
                case .comment(let comment): found.append("(\(comment.string))")
                }
            }
            return found
        }
    }

    @Test(
        "The value is products with or without versions, and comments (20.35, 20.41)",
        arguments: [
            ("Softphone Beta1.5", ["Softphone", "Beta1.5"]), ("HomeServer v2", ["HomeServer", "v2"]),
            ("Grandstream HT801 1.0.17.5", ["Grandstream", "HT801", "1.0.17.5"]),
            ("snom320/8.7.3.25 (mac 0004134 (x))", ["snom320/8.7.3.25", "(mac 0004134 (x))"]),
            ("Asterisk / 13.0~dfsg\r\n (a\\)b)", ["Asterisk/13.0~dfsg", "(a\\)b)"]), ("(only)", ["(only)"]),
            ("FPBX-2.11.0(11.10.0)", ["FPBX-2.11.0", "(11.10.0)"]), ("a\tb", ["a", "b"]), ("()", ["()"]),
            ("Linphone/5.1 (Bob's \"PC\", é) x", ["Linphone/5.1", "(Bob's \"PC\", é)", "x"]),
        ])
    func values(text: String, elements: [String]) {
        #expect(Self.elements(text) == elements)
    }

    @Test(
        "Anything else is malformed",
        arguments: [
            "", " ", "/", "/1", "a/", "a/ ", "a/1/2", "a, b", "a (b", "a b)", "a \"b\"", "a (\\", "a@b", "a [b]", "é",
            "a\u{0}", "a (b\u{0})",
        ])
    func malformed(text: String) {
        #expect(Self.elements(text) == nil)
    }

    @Test("User-Agent and Server are read from the message, and its text stays at hand")
    func accessors() {
        let parsed = Parsed(options(adding: "user-agent: baresip v3.6.0 (x86_64/Linux)\nServer: a,b\n"))
        #expect(parsed.userAgent == "baresip v3.6.0 (x86_64/Linux)")
        #expect(parsed.server == nil)
        #expect(Parsed(options(adding: "SERVER:\n x/1\n")).server == "x/1")
        #expect(Parsed(options()).userAgent == nil)
    }
}
