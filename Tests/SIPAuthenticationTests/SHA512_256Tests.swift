import SIPAuthentication
import Testing

struct SHA512_256Tests {
    @Test(
        "FIPS 180-4: the example messages",
        arguments: [
            ("", "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"),
            ("abc", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
            (HashVectors.twoBlocks, "bde8e1f9f19bb9fd3406c90ec6bc47bd36d8ada9f11880dbc8a22a7078b6a461"),
            (HashVectors.twoLongBlocks, "3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a"),
            (
                String(repeating: "a", count: 1_000_000),
                "9a59a052930187a97038cae692f30708aa6491923ef5194394dc68d56c74fb21"
            ),
        ])
    func examples(text: String, digest: String) {
        #expect(HashVectors.hash(text, SHA512_256.self) == digest)
    }

    @Test("Input of any length may come in any pieces")
    func pieces() {
        #expect(
            HashVectors.hashOfPieces(SHA512_256.self)
                == "0a2464241dd977580875b3ad447e94ea683d2c3ae1dd06384a9553e7c4863670")
    }
}
