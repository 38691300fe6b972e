import Primitives
import SIPMessage
import Testing

@Suite("Escapes in URIs")
struct ByteSliceEscapesTests {
    @Test("Each percent sign must have two hexadecimal digits behind it")
    func valid() {
        for text: ByteSlice in ["", "a", "%00", "a%4aB%4A"] { #expect(text.hasValidEscapes) }
        for text: ByteSlice in ["%", "%4", "%4g", "%%41", "a%"] { #expect(!text.hasValidEscapes) }
    }

    @Test("An escape is one byte of three characters; a broken one is itself")
    func unescaped() {
        let text: ByteSlice = "%41%"
        #expect(text.unescapedByte(at: 0).byte == 0x41 && text.unescapedByte(at: 0).length == 3)
        #expect(text.unescapedByte(at: 3).byte == UInt8(ascii: "%") && text.unescapedByte(at: 3).length == 1)
        var writer = ByteWriter(capacity: 16)
        writer.append(unescaped: "sips%3Auser%40example%zz%00")
        #expect(writer.slice == "sips:user@example%zz\0")
    }

    @Test("A prefix is not equal")
    func prefix() {
        let text: ByteSlice = "a%62"
        #expect(text.equalsUnescaped("ab") && !text.equalsUnescaped("abc") && !text.equalsUnescaped("a"))
        #expect(!text.equalsUnescaped("aB"))
    }

    @Test("A user is a login however it is escaped: some peers escape the plus of a number")
    func logins() {
        let user: ByteSlice = "%2B15%355"
        #expect(user.equalsUnescaped("+1555") && !user.equalsUnescaped("+1556"))
    }
}
