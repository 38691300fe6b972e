import Primitives
import SIPAuthentication
import Testing

struct PasswordDigestTests {
    private let digest = PasswordDigest(login: "alice", realm: "example.com", password: "wonderland")

    @Test("RFC 7616 3.4.2: HA1 is the hash of login, realm and password")
    func values() {
        #expect(HashVectors.hexadecimal(digest[.md5]) == "93dfce8dfebfae8af4a726982429d23a")
        #expect(
            HashVectors.hexadecimal(digest[.sha256])
                == "8a76b8adf2eb7492ff78f57bc361a5c93e2f53c6e93f7ee91f68b5382cfea14f")
        #expect(
            HashVectors.hexadecimal(digest[.sha512_256])
                == "9485c7b52baa1fc08914b6e75e4adc1d5a0845968231acfbb4d364fa3e4dd28b")
    }

    @Test("The stored form is 80 bytes and gives the same digest again")
    func stored() {
        #expect(MemoryLayout<PasswordDigest>.size == PasswordDigest.byteCount)
        let bytes = digest.withSlice { $0.bytes }
        #expect(bytes.count == 80)
        #expect(bytes.withSlice { PasswordDigest(stored: $0) } == digest)
        #expect(bytes.withSlice { PasswordDigest(stored: $0.prefix(79)) } == nil)
        #expect(PasswordDigest(stored: "") == nil)
        #expect(PasswordDigest(login: "alice", realm: "example.com", password: "Wonderland") != digest)
    }

    @Test("An HA1 in hexadecimal digits gives a digest for MD5 only")
    func imported() throws {
        let imported = try #require(PasswordDigest(md5: "93DFCE8DFEBFAE8AF4A726982429D23A"))
        #expect(imported[.md5] == digest[.md5])
        #expect(imported[.sha256] == PasswordDigest.none[.sha256])
        #expect(PasswordDigest(md5: "93dfce8dfebfae8af4a726982429d23") == nil)
        #expect(PasswordDigest(md5: "93dfce8dfebfae8af4a726982429d23x") == nil)
    }
}
