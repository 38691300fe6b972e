import Primitives
import Testing

@testable import RESTInterface

@Suite struct ClientRulesTests {
    /// Userinfo of RFC 2396 (3.2.2): unreserved, and these without the colon.
    private static let allowed = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'();&=+$,".utf8)

    @Test func `Each character of RFC 2396 userinfo is taken, each other ASCII character is refused and named`() throws
    {
        for byte in UInt8(0)..<128 where byte != UInt8(ascii: "%") {
            let scalar = Unicode.Scalar(byte)
            let fault = ClientRules.fault(ofLogin: "a\(scalar)b")
            if ClientRulesTests.allowed.contains(byte) {
                #expect(fault == nil, "\(byte)")
                continue
            }
            let text = try #require(fault)
            let name = byte < 0x20 || byte == 0x7f ? "U+" + String(byte, radix: 16, uppercase: true) : String(scalar)
            #expect(text.contains("'\(name)'"), "\(byte): \(text)")
            #expect(text.contains("invalid"))
        }
    }

    @Test(arguments: ["é", "日", "\u{1f600}", "e\u{301}", "\u{a0}", "\u{200b}", "１"])
    func `A character beyond ASCII is refused and named`(character: String) {
        #expect(ClientRules.fault(ofLogin: "a" + character)?.contains("'\(character)'") == true)
    }

    @Test func `A line end is refused and named by its numbers`() {
        #expect(ClientRules.fault(ofLogin: "a\r\nb")?.contains("U+D") == true)
        #expect(ClientRules.fault(ofLogin: "a\u{85}")?.contains("U+85") == true)
    }

    @Test func `A login has 1 to 64 characters`() {
        #expect(ClientRules.fault(ofLogin: "") == "a login has 1 to 64 characters, this one has 0.")
        #expect(ClientRules.fault(ofLogin: "a") == nil)
        #expect(ClientRules.fault(ofLogin: String(repeating: "a", count: 64)) == nil)
        #expect(
            ClientRules.fault(ofLogin: String(repeating: "a", count: 65))
                == "a login has 1 to 64 characters, this one has 65.")
    }

    @Test func `A short login of many bytes is refused for its character, not for its length`() {
        #expect(ClientRules.fault(ofLogin: String(repeating: "é", count: 40))?.contains("'é'") == true)
    }

    @Test(arguments: ["a%40b", "%25", "%3A", "%2F", "%20", "%C3%A9", "%FF", "a%40%40"])
    func `What is not allowed may be escaped`(login: String) { #expect(ClientRules.fault(ofLogin: login) == nil) }

    @Test(arguments: [
        ("%", "two hexadecimal digits"), ("a%4", "two hexadecimal digits"), ("%zz", "two hexadecimal digits"),
        ("%4g", "two hexadecimal digits"), ("%+4", "two hexadecimal digits"), ("%%40", "two hexadecimal digits"),
        ("%61", "write 'a' for '%61'"), ("%2B", "write '+' for '%2B'"), ("%2b", "write '+' for '%2b'"),
        ("%7E", "write '~' for '%7E'"), ("%c3%A9", "write '%C3' for '%c3'"), ("%00", "'%00'"), ("%0A", "'%0A'"),
        ("%1f", "'%1f'"), ("%7F", "'%7F'"), ("ok%40%61", "write 'a' for '%61'"),
    ])
    func `An escape that is broken, or another way to write a login, is refused`(login: String, part: String) {
        #expect(ClientRules.fault(ofLogin: login)?.contains(part) == true, "\(login)")
    }
}
