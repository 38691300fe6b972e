import Primitives
import SIPAuthentication
import Testing

struct HexadecimalDigestTests {
    private func digest(of text: String) -> HashDigest {
        var function = MD5()
        text.withSlice { function.update($0) }
        return function.finalize()
    }

    @Test("Every byte value is written as its two digits")
    func digits() {
        var seen: Set<UInt8> = []
        for number in 0..<200 {
            let digest = digest(of: "\(number)")
            var writer = ByteWriter(capacity: 64)
            writer.append(digest.hexadecimal)
            #expect(writer.count == 32)
            for index in 0..<16 {
                #expect(writer.slice[2 * index..<2 * index + 2].hexadecimal() == UInt64(digest[index]))
                seen.insert(digest[index])
            }
        }
        #expect(seen.count == 256)
    }

    @Test("Digits of either case match, a difference in any place or length does not")
    func matching() {
        let text = digest(of: "abc").hexadecimal
        #expect(text.matches("900150983cd24fb0d6963f7d28e17f72"))
        #expect(text.matches("900150983CD24FB0D6963F7D28E17F72"))
        #expect(!text.matches("900150983cd24fb0d6963f7d28e17f7"))
        #expect(!text.matches("900150983cd24fb0d6963f7d28e17f722"))
        #expect(!text.matches(""))
        for index in 0..<32 {
            var bytes = Array("900150983cd24fb0d6963f7d28e17f72".utf8)
            bytes[index] = bytes[index] == UInt8(ascii: "7") ? UInt8(ascii: "8") : UInt8(ascii: "7")
            #expect(bytes.withSlice { !text.matches($0) })
        }
    }

    @Test("Digests are equal when all their bytes are")
    func equality() {
        #expect(digest(of: "a") == digest(of: "a"))
        #expect(digest(of: "a") != digest(of: "b"))
        var long = SHA256()
        #expect(long.finalize() != digest(of: "a"))
    }
}
