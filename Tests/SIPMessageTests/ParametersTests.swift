import Primitives
import SIPMessage
import Testing

@Suite("Parameters")
struct ParametersTests {
    @Test("A parameter is found without case; the first of a name counts")
    func lookup() {
        let parameters = Parameters(" ; LR;a=1;A=2 ; b = \"x;y=\\\"z\\\"\"\r\n ;c=[::1]:5060")
        #expect(parameters.isWellFormed)
        #expect(parameters["lr"] == "")
        #expect(parameters["a"] == "1")
        #expect(parameters["B"] == "x;y=\\\"z\\\"")
        #expect(parameters["c"] == "[::1]:5060")
        #expect(parameters["y"] == nil)
    }

    @Test("No text is no parameters, and well-formed")
    func none() {
        #expect(Parameters().isWellFormed && Parameters("  ").isWellFormed)
        #expect(Parameters()["a"] == nil)
    }

    @Test("A walk tells a parameter without value from one with an empty quoted one, and where each ends")
    func walk() {
        let parameters = Parameters(";a ;b=\"\";c=1 ")
        var offset = 0
        let first = parameters.next(from: &offset)
        #expect(first?.name == "a" && first?.hasValue == false && first?.value == "" && first?.end == 2)
        let second = parameters.next(from: &offset)
        #expect(second?.name == "b" && second?.hasValue == true && second?.value == "" && second?.end == 8)
        let third = parameters.next(from: &offset)
        #expect(third?.name == "c" && third?.value == "1" && third?.end == 12)
        let none = parameters.next(from: &offset)
        #expect(none == nil)
    }

    @Test(
        "Text that is not parameters is malformed",
        arguments: [
            "a", ";", ";;a", ";a;", ";a=", ";a=;b", ";=1", ";a b", ";a=1 2", ";a=\"x", ";a=\"x\"y", ";a=x\"y\"",
            ";a=1,b",
            ";a<b", ";a>", ";a=b>", ";a=<b>", ";a\u{0}", ";a=\u{0}", ";a=\u{7f}", ";é", ";a?", ";\"a\"", ";a=\"\\\"",
            ";a=\"\\",
        ])
    func malformed(text: String) {
        let isWellFormed = text.withSlice { Parameters($0).isWellFormed }
        #expect(!isWellFormed)
    }

    @Test("Each byte of token and of paramchar may be in a name and in a value (25.1)")
    func grammar() {
        for text in ["-.!%*_+`'~azAZ09", "[]/:&+$-_.!~*'()"] {
            let found = ";\(text)=\(text)".withSlice { Parameters($0)["\u{0}"] == nil && Parameters($0).isWellFormed }
            #expect(found)
        }
        let value = ";a=привет==".withSlice { Parameters($0)["a"]?.string }
        #expect(value == "привет==")
    }

    @Test("64 KB of semicolons or of parameters are walked in one pass", .timeLimit(.minutes(1)))
    func hostile() {
        let semicolons = String(repeating: ";", count: 65536)
        let isWellFormed = semicolons.withSlice { Parameters($0).isWellFormed }
        #expect(!isWellFormed)
        let many = String(repeating: ";a", count: 32768).withSlice {
            Parameters($0)["b"] == nil && Parameters($0).isWellFormed
        }
        #expect(many)
        let spaces = (";a" + String(repeating: " ", count: 65536) + ";b").withSlice { Parameters($0).isWellFormed }
        #expect(spaces)
    }

    @Test("A quoted string ends at the first quote that no backslash stands before")
    func quotedString() {
        let text: ByteSlice = "\"a\\\"b\\\\\"c\""
        #expect(text.endOfQuotedString(from: 0) == 7)
        #expect(text.endOfQuotedString(from: 9) == nil)
        let open: ByteSlice = "\"a\\"
        #expect(open.endOfQuotedString(from: 0) == nil)
    }
}
