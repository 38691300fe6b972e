import SIPAuthentication
import Testing

struct MD5Tests {
    @Test(
        "RFC 1321 A.5: the test suite",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
            (String(repeating: "1234567890", count: 8), "57edf4a22be3c955ac49da2e2107b67a"),
            (HashVectors.twoBlocks, "8215ef0796a20bcaaae116d3876c664a"),
            (String(repeating: "a", count: 1_000_000), "7707d6ae4e027c70eea2a935c2296f21"),
        ])
    func suite(text: String, digest: String) {
        #expect(HashVectors.hash(text, MD5.self) == digest)
    }

    @Test("Input of any length may come in any pieces")
    func pieces() {
        #expect(HashVectors.hashOfPieces(MD5.self) == "5d57f9ca2fa430814982d2ca56b4ae6b")
    }
}
