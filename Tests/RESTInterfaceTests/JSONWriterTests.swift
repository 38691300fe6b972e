import Foundation
import Testing

@testable import RESTInterface

@Suite struct JSONWriterTests {
    private func text(_ representation: Representation) -> String {
        var writer = JSONWriter()
        writer.write(representation)
        return writer.text
    }

    @Test func `Members are written in order, indented by two spaces, nulls only where there is one`() {
        var inner = Representation("Inner")
        inner.add("b", "x")
        var resource = Representation("Outer")
        resource.add("z", "1")
        resource.add("missing", nil as String?)
        resource.add("a", number: -5)
        resource.add("none", number: nil)
        resource.add("flag", .flag(false))
        resource.add("nothing", .null)
        resource.add("inner", .object(inner.members))
        resource.add("list", .list([inner, Representation("Inner")]))
        resource.add("texts", .texts(["p", "q"]))
        #expect(
            text(resource) == """
                {
                  "z": "1",
                  "a": -5,
                  "flag": false,
                  "nothing": null,
                  "inner": {
                    "b": "x"
                  },
                  "list": [
                    {
                      "b": "x"
                    },
                    {}
                  ],
                  "texts": ["p", "q"]
                }
                """)
    }

    @Test func `What is empty is written as such`() {
        #expect(text(Representation("A")) == "{}")
        var resource = Representation("A")
        resource.add("object", .object([]))
        resource.add("list", .list([]))
        resource.add("texts", .texts([]))
        resource.add("text", "")
        #expect(text(resource) == "{\n  \"object\": {},\n  \"list\": [],\n  \"texts\": [],\n  \"text\": \"\"\n}")
    }

    @Test func `Every character up to U+2FFF and some beyond come back as they were`() throws {
        let scalars = (UInt32(0)...0x2fff).compactMap(Unicode.Scalar.init) + ["\u{fffe}", "\u{ffff}", "\u{1f600}"]
        var value = ""
        value.unicodeScalars.append(contentsOf: scalars)
        var resource = Representation("A")
        resource.add(value, value)
        let data = Data(text(resource).utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: String])
        #expect(object.first.map { Array($0.value.unicodeScalars) } == scalars)
        #expect(object.first.map { Array($0.key.unicodeScalars) } == scalars)
    }

    @Test func `Control characters, quotes and line separators are escaped`() {
        var writer = JSONWriter()
        writer.write("\"\\\n\r\t\u{0}\u{1f}\u{7f}\u{9f}\u{2028}/é\r\n")
        #expect(writer.text == "\"\\\"\\\\\\n\\r\\t\\u0000\\u001f\\u007f\\u009f\\u2028/é\\r\\n\"")
    }

    @Test func `Numbers of all sizes are whole`() {
        var resource = Representation("A")
        resource.add("least", number: .min)
        resource.add("most", number: .max)
        #expect(text(resource) == "{\n  \"least\": -9223372036854775808,\n  \"most\": 9223372036854775807\n}")
    }
}
