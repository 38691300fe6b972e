import SIPAuthentication
import Testing

struct SHA256Tests {
    @Test(
        "FIPS 180-4: the example messages",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (HashVectors.twoBlocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
            (HashVectors.twoLongBlocks, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func examples(text: String, digest: String) {
        #expect(HashVectors.hash(text, SHA256.self) == digest)
    }

    @Test("Input of any length may come in any pieces")
    func pieces() {
        #expect(
            HashVectors.hashOfPieces(SHA256.self) == "def85da8f53f8ad58eda585dce61c0d7bfbb3da6924badae49d32d11288c576f")
    }
}
