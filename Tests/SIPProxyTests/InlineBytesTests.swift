import Primitives
import Testing

@testable import SIPProxy

@Suite("Inline bytes and base64url (RFC 4648 section 5)")
struct InlineBytesTests {
    private func text(_ bytes: [UInt8]) -> String {
        var inline = InlineBytes<16>()
        for byte in bytes { inline.append(UInt64(byte), length: 1) }
        var writer = ByteWriter(capacity: 64)
        inline.writeBase64URL(to: &writer)
        return writer.slice.string
    }

    @Test("RFC 4648 section 10: its vectors, without padding")
    func vectors() {
        let expected = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"]
        for (length, text) in expected.enumerated() {
            #expect(self.text(Array("foobar".utf8.prefix(length))) == text)
            let back = text.withSlice { InlineBytes<16>(base64URL: $0) }
            #expect(back?.count == length)
        }
        #expect(text([0xfb, 0xff]) == "-_8")
    }

    @Test("Malformed or too long text is refused")
    func malformed() {
        for text in ["Z!", "Zh", "=", "Zg==", "Zm9", String(repeating: "A", count: 23)] {
            #expect(text.withSlice { InlineBytes<16>(base64URL: $0) } == nil, "\(text)")
        }
        #expect(String(repeating: "A", count: 22).withSlice { InlineBytes<16>(base64URL: $0) }?.count == 16)
    }

    @Test("Bytes have one text only: digits left over that make no byte are refused (found by fuzzing)")
    func oneTextOnly() {
        #expect("AAAA".withSlice { InlineBytes<16>(base64URL: $0) }?.count == 3)
        #expect("AAAAA".withSlice { InlineBytes<16>(base64URL: $0) } == nil)
        #expect("A".withSlice { InlineBytes<16>(base64URL: $0) } == nil)
    }

    @Test("A number comes back big-endian; beyond the end there is none")
    func numbers() {
        var bytes = InlineBytes<16>()
        bytes.append(0x0102_0304, length: 4)
        bytes.append(UInt64.max, length: 8)
        #expect(bytes.number(at: 0, length: 2) == 0x0102)
        #expect(bytes.number(at: 4, length: 8) == UInt64.max)
        #expect(bytes.number(at: 5, length: 8) == nil)
        #expect(bytes.number(at: -1, length: 1) == nil)
        bytes.truncate(to: 3)
        #expect(bytes.count == 3)
        #expect(bytes[2] == 3)
    }
}
