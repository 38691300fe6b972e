import Primitives
import Testing

@testable import SIPMessage

/// Hexadecimal text as bytes, blanks ignored.
private func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

@Suite struct STUNMessageTests {
    static let transaction = "b7e7a701 bc34d686 fa87dfae"

    /// RFC 5769 section 2.1.
    static let sampleRequest = bytes(
        """
        0001 0058 2112a442 b7e7a701 bc34d686 fa87dfae
        8022 0010 5354554e 20746573 7420636c 69656e74
        0024 0004 6e0001ff
        8029 0008 932ff9b1 51263b36
        0006 0009 6576746a 3a683676 59202020
        0008 0014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
        8028 0004 e57a3bcf
        """)
    /// RFC 5769 section 2.2, up to its FINGERPRINT.
    static let sampleResponse = bytes(
        """
        0101 003c 2112a442 b7e7a701 bc34d686 fa87dfae
        8022 000b 74657374 20766563 746f7220
        0020 0008 0001a147 e112a643
        0008 0014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
        """)

    func answer(to request: [UInt8], from address: String, port: UInt16) -> [UInt8]? {
        request.withSlice { slice in
            guard let message = STUNMessage(slice), let address = address.withSlice({ IPAddress($0) }) else {
                return nil
            }
            var writer = ByteWriter(capacity: 64)
            message.writeAnswer(to: SocketAddress(address: address, port: port), into: &writer)
            return writer.slice.bytes
        }
    }

    func plainRequest(_ attributes: String = "") -> [UInt8] {
        let attributes = bytes(attributes)
        return bytes("0001") + [0, UInt8(attributes.count)] + bytes("2112a442" + Self.transaction) + attributes
    }

    @Test func `The sample request of RFC 5769 is read, its FINGERPRINT holds`() {
        let message = Self.sampleRequest.withSlice { STUNMessage($0).map { ($0.hasFingerprint, $0.unknownAttribute) } }
        #expect(message?.0 == true)
        #expect(message?.1 == 0)
    }

    @Test func `The FINGERPRINT of the sample response of RFC 5769 comes out`() {
        #expect(Self.sampleResponse.withSlice { STUNMessage.fingerprint(of: $0) } == 0xc07d_4c96)
    }

    @Test func `A bare request is answered with the mapped address of RFC 5769, 12 bytes longer`() {
        let expected = bytes("0101 000c 2112a442" + Self.transaction + "0020 0008 0001a147 e112a643")
        #expect(answer(to: plainRequest(), from: "192.0.2.1", port: 32853) == expected)
    }

    @Test func `An IPv6 address is masked with the transaction too, as in RFC 5769 section 2.3`() {
        let expected = bytes(
            "0101 0018 2112a442" + Self.transaction + "0020 0014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9")
        #expect(answer(to: plainRequest(), from: "2001:db8:1234:5678:11:2233:4455:6677", port: 32853) == expected)
    }

    @Test func `A request with FINGERPRINT gets one that holds`() {
        guard let answer = answer(to: Self.sampleRequest, from: "192.0.2.1", port: 32853) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.count == 40)
        let value = answer.withSlice { STUNMessage.fingerprint(of: $0[0..<32]) }
        #expect(Array(answer.suffix(8)) == bytes("8028 0004") + (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) })
    }

    @Test func `What must be understood and is not is answered 420 with its type`() {
        let answer = answer(to: plainRequest("0003 0004 00000006"), from: "192.0.2.1", port: 1)
        #expect(
            answer == bytes("0111 0010 2112a442" + Self.transaction + "0009 0004 00000414 000a 0002 0003 0000"))
    }

    @Test(arguments: [
        "", "0001", "0001 0000 2112a442 b7e7a701 bc34d686 fa87df",  // short
        "0101 0000 2112a442 b7e7a701 bc34d686 fa87dfae",  // a response
        "0011 0000 2112a442 b7e7a701 bc34d686 fa87dfae",  // an indication
        "0001 0000 2112a443 b7e7a701 bc34d686 fa87dfae",  // no magic cookie
        "0001 0004 2112a442 b7e7a701 bc34d686 fa87dfae",  // a length that lies
        "0001 0004 2112a442 b7e7a701 bc34d686 fa87dfae 8022ffff",  // an attribute beyond the end
        "0001 0008 2112a442 b7e7a701 bc34d686 fa87dfae 80280004 00000000",  // a wrong FINGERPRINT
        "0001 000c 2112a442 b7e7a701 bc34d686 fa87dfae 80280004 00000000 80220000",  // FINGERPRINT not last
    ])
    func `What is no whole Binding Request gets no answer`(text: String) {
        #expect(answer(to: bytes(text), from: "192.0.2.1", port: 1) == nil)
    }

    @Test
    func `Every truncation and every changed byte of the sample is answered or not, and no answer is much longer`() {
        for length in 0...Self.sampleRequest.count {
            let part = Array(Self.sampleRequest.prefix(length))
            if let answer = answer(to: part, from: "::1", port: 9) { #expect(answer.count <= part.count + 32) }
        }
        for index in Self.sampleRequest.indices {
            for value in [UInt8](arrayLiteral: 0, 1, 0x7f, 0x80, 0xff) {
                var changed = Self.sampleRequest
                changed[index] = value
                if let answer = answer(to: changed, from: "::1", port: 9) {
                    #expect(answer.count <= changed.count + 32)
                }
            }
        }
    }

    @Test func `A request longer than a phone's is no request`() {
        let attribute = bytes("8022 01fc") + [UInt8](repeating: 65, count: 508)
        let long =
            bytes("0001 0210 2112a442" + Self.transaction) + attribute + bytes("8022 000c")
            + [UInt8](repeating: 65, count: 12)
        #expect(long.count == 548)
        #expect(answer(to: long, from: "192.0.2.1", port: 1) != nil)
        var longer = long + bytes("80220000")
        longer[3] = 0x14
        #expect(answer(to: longer, from: "192.0.2.1", port: 1) == nil)
    }
}
