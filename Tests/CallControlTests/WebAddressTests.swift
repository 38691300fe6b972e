import CallControl
import Testing

@Suite struct WebAddressTests {
    @Test func anAddressIsAskedByPOSTUnlessItSaysOtherwise() { #expect(WebAddress("http://a/").method == .post) }

    /// What `Redirect` to this leads to; nil when it cannot be used.
    private func resolved(_ reference: String, _ base: String = "http://a/b/c/d?q") -> String? {
        let text = reference.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        guard let document = try? parse("<Response><Redirect>\(text)</Redirect></Response>", url: base),
            case .redirect(let address)? = document.verbs.first
        else { return nil }
        return address.url
    }

    @Test(
        "References are resolved as RFC 3986 section 5.4 has it",
        arguments: [
            ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"),
            ("//g", "http://g/"), ("//g/x", "http://g/x"), ("?y", "http://a/b/c/d?y"), ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d?q"), ("g#s", "http://a/b/c/g"), ("g?y#s", "http://a/b/c/g?y"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"), ("..", "http://a/b/"), ("../", "http://a/b/"), ("../g", "http://a/b/g"),
            ("../..", "http://a/"), ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("/./g", "http://a/g"),
            ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"),
            ("g/./h", "http://a/b/c/g/h"), ("g/../h", "http://a/b/c/h"), ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("?x=1&y", "http://a/b/c/d?x=1&y"), ("HTTPS://Host:8/x", "https://Host:8/x"),
            ("http://[::1]:8/", "http://[::1]:8/"),
            ("a b", "http://a/b/c/a%20b"), ("ä?ü=%20%", "http://a/b/c/%C3%A4?%C3%BC=%20%25"),
            ("g|<", "http://a/b/c/g%7C%3C"),
            ("http:g", nil), ("http://", nil), ("http:///x", nil), ("http://:80/", nil), ("http://u@/", nil),
            ("ftp://a/", nil),
            ("javascript:x", nil), ("file:///etc/passwd", nil), ("a\nb", nil),
        ] as [(String, String?)])
    func references(_ reference: String, _ result: String?) {
        #expect(resolved(reference) == result)
    }

    @Test func aBaseWithoutPathIsOneToo() {
        #expect(resolved("g", "http://a") == "http://a/g")
        #expect(resolved("?x", "http://a") == "http://a/?x")
        #expect(resolved("/g", "https://u:p@a:1") == "https://u:p@a:1/g")
        #expect(resolved("g", "") == nil)
    }

    @Test func aQueryIsNotShown() {
        #expect(WebAddress.withoutCredentials("http://a/b?c=1#d") == "http://a/b")
        #expect(WebAddress.withoutCredentials("http://a/b?\u{301}c") == "http://a/b")
        #expect(WebAddress.withoutCredentials("http://a/b") == "http://a/b")
    }

    @Test(
        arguments: [
            ("http://u:p@a/b", "http://a/b"), ("https://u:p@w@a:1?c=d", "https://a:1"), ("//u:p@a/@b", "//a/@b"),
            ("ftp:u:p@a", "a"), ("u:p@a/b", "a/b"), ("http://a/u@b", "http://a/u@b"), ("", ""),
        ])
    func userAndPasswordAreNotShown(_ url: String, _ shown: String) {
        #expect(WebAddress.withoutCredentials(url) == shown)
    }
}
