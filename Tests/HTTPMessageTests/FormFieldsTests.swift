import HTTPMessage
import Primitives
import Testing

@Suite struct FormFieldsTests {
    static func fields(_ text: String, limit: Int = 200) throws(FormError) -> [[String]] {
        let result = text.withSlice { text -> Result<FormFields, FormError> in
            do throws(FormError) { return .success(try FormFields(parsing: text, limit: limit)) } catch {
                return .failure(error)
            }
        }
        return try result.get().fields.map { [$0.name, $0.value] }
    }

    @Test(
        "URL 5.1: fields are split at & and the first =, and decoded",
        arguments: [
            ("", []), ("a", [["a", ""]]), ("a=", [["a", ""]]), ("=b", [["", "b"]]), ("=", [["", ""]]),
            ("a=b=c", [["a", "b=c"]]), ("a=1&&b=2&", [["a", "1"], ["b", "2"]]), ("a+b=c+d", [["a b", "c d"]]),
            ("a=%2B%26%3d", [["a", "+&="]]), ("a=1&a=2", [["a", "1"], ["a", "2"]]), ("%c3%A9=%E2%82%AC", [["é", "€"]]),
            ("a=\u{e9}", [["a", "é"]]), ("a=%00", [["a", "\0"]]),
        ])
    func fieldsAreDecoded(text: String, expected: [[String]]) throws {
        #expect(try Self.fields(text) == expected)
    }

    @Test(
        "Escapes and text that are invalid are errors",
        arguments: [
            ("a=%", FormError.invalidEscape), ("a=%4", .invalidEscape), ("%g0=1", .invalidEscape),
            ("a=%+1", .invalidEscape), ("a=%ff", .invalidText), ("a=%ed%a0%80", .invalidText), ("%c3", .invalidText),
        ])
    func invalidFieldsAreErrors(text: String, error: FormError) {
        #expect(throws: error) { try Self.fields(text) }
    }

    @Test("The number of fields is bounded")
    func numberIsBounded() throws {
        #expect(try Self.fields("a&b&&c", limit: 3).count == 3)
        #expect(throws: FormError.tooManyFields) { try Self.fields("a&b&c&d", limit: 3) }
    }
}
