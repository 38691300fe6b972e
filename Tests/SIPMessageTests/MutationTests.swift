import Primitives
import SIPMessage
import Testing

/// A small seeded generator (SplitMix64): a failure comes again with the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

@Suite("Random mutations")
struct MutationTests {
    #if DEBUG
        static let rounds = 7000
    #else
        static let rounds = 70000
    #endif

    static let seeds: [String] = [
        options(
            adding: "Route: <sip:[::1]:5060;lr>, \"a\\\"b\" <sips:p@q.r?x=%41&y=z>;w\nContent-Length: 3\n", body: "abc"),
        """
        REGISTER sip:example.com SIP/2.0
        v: SIP/2.0/TCP 192.0.2.4:5070;branch=z9hG4bK1;received=10.0.0.1;rport=5 , SIP / 2.0 / UDP [2001:db8::1]:5061
        Max-Forwards: 70
        f: "A. \\"B\\" <c>" <sip:al%69ce@example.com;user=phone>;tag=a73kszlfl
        t: <sip:alice@example.com>
        i: 1j9FpLxk3uxtm8tn@192.0.2.4
        CSeq: 2147483647 REGISTER
        m: <sip:alice@192.0.2.4;transport=tcp>;q=0.7;expires=3600;+sip.instance="<urn:uuid:1>", *
        Authorization: Digest username="alice",realm="a, b",nonce="c",uri="sip:d",response="e"
        Expires: 7200
        l: 0


        """,
        """
        SIP/2.0 180 Ringing
        Via: SIP/2.0/UDP a;branch=z9hG4bK1;rport
        Via: SIP/2.0/UDP b;maddr=224.2.0.1
        From: <tel:+1-201-555-0123;phone-context=x>;tag=1
        To: sip:bob@h;tag=2
        Call-ID: 1
        CSeq: 1 INVITE
        Record-Route: <sip:p1;lr>,<sip:p2;lr>
        Content-Type: application/sdp

        v=0
        """,
    ]

    /// What grammars turn on.
    static let spice: [[UInt8]] = [
        "\r\n", "\r\n ", "\r", "\n", "\0", "\"", "\\", "<", ">", ",", ";", "=", ":", "@", "?", "%", "%0", "%41", "[",
        "]",
        "[::1]", "SIP/2.0", " ", "\t", "99999999999999999999", "-1", ";rport", ";tag=", ";branch=z9hG4bK", "Via: ",
        "l: 5\r\n",
        "é", "\u{7f}",
    ].map { Array($0.utf8) }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.insert(contentsOf: spice.randomElement(using: &random) ?? [], at: place)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...30, using: &random)))
            case 3: bytes.removeSubrange(place...)
            case 4:
                let end = min(bytes.count, place + Int.random(in: 1...200, using: &random))
                bytes.insert(contentsOf: Array(bytes[place..<end]), at: Int.random(in: 0..<bytes.count, using: &random))
            default:
                let other = spice.randomElement(using: &random) ?? []
                bytes.replaceSubrange(place..<min(bytes.count, place + other.count), with: other)
            }
        }
    }

    @Test(
        "No mutation of a valid message traps, and every slice of the result lies in the message",
        arguments: seeds.indices)
    func mutations(seed: Int) {
        let original = wire(Self.seeds[seed])
        var random = SeededGenerator(state: UInt64(seed) + 1)
        var message = SIPMessage()
        var writer = ByteWriter(capacity: 4096)
        var valid = 0
        for round in 0..<Self.rounds {
            var bytes = original
            Self.mutate(&bytes, &random)
            bytes.withSlice { slice in
                let fault = message.parse(slice, isStream: round % 4 == 0)
                if fault == nil { valid += 1 }
                let isInside = Self.readEverything(of: message, in: slice, &writer)
                if !isInside { Issue.record("outside, round \(round): \(slice.string)") }
                if message.isAnswerable { Self.checkResponse(message, &writer) }
                if fault == nil {
                    let isEqual = Self.rewriteIsEqual(message, &writer)
                    if !isEqual { Issue.record("another message, round \(round): \(slice.string)") }
                }
            }
        }
        // Both kinds must come up, or the rest says little.
        #expect(valid > Self.rounds / 50 && valid < Self.rounds)
    }

    /// Reads all that can be read of a message; false when a slice lies elsewhere than in its bytes.
    private static func readEverything(
        of message: borrowing SIPMessage, in outer: ByteSlice, _ writer: inout ByteWriter
    ) -> Bool {
        var isInside = true
        func check(_ slice: ByteSlice) {
            if slice.isEmpty { return }
            slice.withUnsafeBytes { inner in
                outer.withUnsafeBytes { whole in
                    guard let start = inner.baseAddress, let first = whole.baseAddress else { return }
                    if start < first || start + inner.count > first + whole.count { isInside = false }
                }
            }
        }
        check(message.bytes)
        check(message.body)
        check(message.methodText)
        check(message.requestURI)
        check(message.reasonPhrase)
        check(message.topVia.text)
        check(message.topVia.branch)
        check(message.topVia.host)
        check(message.topVia.received)
        check(message.from.uri)
        check(message.fromTag)
        check(message.toTag)
        check(message.callID)
        let uris = [message.requestURI, message.from.uri, message.to.uri]
        for text in uris { readURI(text, check) }
        for index in 0..<message.fieldCount {
            let field = message.field(index)
            check(message.line(field))
            check(message.name(field))
            check(message.value(field))
            var values = message.values(of: field.name)
            var previous: ByteSlice?
            while let value = values.next(in: message) {
                check(value)
                if let via = Via(firstOf: value) {
                    check(via.text)
                    _ = Host(via.host)
                }
                if let address = NameAddress(value) {
                    check(address.displayName)
                    readURI(address.uri, check)
                    if let previous, let left = SIPURI(previous), let right = SIPURI(address.uri) {
                        if left.isEquivalent(to: right) != right.isEquivalent(to: left) { isInside = false }
                    }
                    previous = address.uri
                }
                _ = CSeq(value)
            }
        }
        return isInside
    }

    private static func readURI(_ text: ByteSlice, _ check: (ByteSlice) -> Void) {
        if let uri = SIPURI(text) {
            check(uri.user)
            check(uri.host)
            check(uri.headers)
            if let transport = uri.transport { check(transport) }
            if !uri.isEquivalent(to: uri) { Issue.record("not equal to itself: \(text.string)") }
        }
        if let uri = TelURI(text) { check(uri.number) }
    }

    /// An answer has no lone CR or LF, whatever the request was.
    private static func checkResponse(_ message: borrowing SIPMessage, _ writer: inout ByteWriter) {
        writer.removeAll()
        writer.beginResponse(to: message, status: 400, source: ResponseWritingTests.source, toTag: "t")
        writer.endResponse()
        let response = writer.slice
        var index = 0
        while let lineBreak = response.firstIndex(of: 13, or: 10, from: index) {
            guard lineBreak + 1 < response.count, response[lineBreak] == 13, response[lineBreak + 1] == 10 else {
                Issue.record("lone line break in \(response.string)")
                return
            }
            index = lineBreak + 2
        }
    }

    /// The start line and all lines written one by one, then parsed, are the same message.
    private static func rewriteIsEqual(_ message: borrowing SIPMessage, _ writer: inout ByteWriter) -> Bool {
        writer.removeAll()
        if message.isRequest {
            writer.append(message.methodText)
            writer.append(" ")
            writer.append(message.requestURI)
            writer.append(" SIP/2.0\r\n")
        } else {
            writer.append("SIP/2.0 ")
            writer.append(decimal: UInt64(message.status))
            writer.append(" ")
            writer.append(message.reasonPhrase)
            writer.append("\r\n")
        }
        for index in 0..<message.fieldCount { writer.append(message.line(message.field(index))) }
        writer.append("\r\n")
        writer.append(message.body)
        var copy = SIPMessage()
        let fault = copy.parse(writer.slice)
        guard fault == nil, copy.fieldCount == message.fieldCount, copy.body == message.body,
            copy.requestURI == message.requestURI, copy.method == message.method, copy.callID == message.callID,
            copy.fromTag == message.fromTag, copy.toTag == message.toTag, copy.topVia.text == message.topVia.text,
            copy.sequenceNumber == message.sequenceNumber, copy.maxForwards == message.maxForwards,
            copy.reasonPhrase == message.reasonPhrase
        else { return false }
        for index in 0..<message.fieldCount {
            let (left, right) = (message.field(index), copy.field(index))
            if left.name != right.name || message.value(left) != copy.value(right) { return false }
            if message.name(left) != copy.name(right) { return false }
        }
        return true
    }
}
