import Primitives
import SIPMessage
import Testing

@Suite("OptionTags")
struct OptionTagsTests {
    @Test(
        "Tags come in order over lines and commas, without white space and empty elements (7.3.1)",
        arguments: [
            ("", []), ("Require: path\n", ["path"]),
            ("REQUIRE : 100rel , timer\nRequire:\n path\n", ["100rel", "timer", "path"]),
            ("Require:\n", []), ("Require: ,, \n", []), ("Require: ,a,,b,\nRequire: ,\nrequire: c\n", ["a", "b", "c"]),
            ("Require: a\nSupported: b\nProxy-Require: c\nRequire: d\n", ["a", "d"]),
            ("Require: a\n \n ,\n\tb\n", ["a", "b"]),
        ])
    func order(lines: String, tags: [String]) {
        #expect(Parsed(options(adding: lines)).optionTags(.require) == tags)
    }

    @Test("What is no token is given as it came")
    func malformed() {
        let parsed = Parsed(options(adding: "Require: a b, \"c,d\", e;f\n"))
        #expect(
            parsed.optionTags(.require) == ["a b", "\"c,d\"", "e;f"])
    }

    @Test("Each of the four headers has its own tags, Supported also by its compact form (20.37)")
    func headers() {
        let parsed = Parsed(options(adding: "k: a\nRequire: b\nProxy-Require: c\nUnsupported: d\n"))
        #expect(parsed.optionTags(.supported) == ["a"])
        #expect(parsed.optionTags(.proxyRequire) == ["c"])
        #expect(parsed.optionTags(.unsupported) == ["d"])
        #expect(parsed.supports("a") && !parsed.supports("b"))
        #expect(parsed.requires("b") && !parsed.requires("a"))
        #expect(parsed.hasOptionTag("c", in: .proxyRequire))
    }

    @Test("Tags are compared without case, and whole")
    func comparison() {
        let parsed = Parsed(options(adding: "Supported: Path, GRUU\nSupported: outbound\n"))
        for tag in ["path", "gruu", "OUTBOUND"] as [ByteSlice] { #expect(parsed.supports(tag)) }
        for tag in ["pat", "paths", "", "path, gruu"] as [ByteSlice] { #expect(!parsed.supports(tag)) }
        #expect(!Parsed(options()).supports("path"))
    }

    @Test("64 KB of commas are one walk without a tag", .timeLimit(.minutes(1)))
    func hostile() {
        let parsed = Parsed(options(adding: "Require: " + String(repeating: ",", count: 65536) + "x\n"))
        #expect(parsed.optionTags(.require) == ["x"])
    }
}
