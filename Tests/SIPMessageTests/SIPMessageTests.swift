import Primitives
import SIPMessage
import Testing

@Suite("SIPMessage")
struct SIPMessageTests {
    @Test("A valid request gives its start line and what every message must have")
    func validRequest() {
        let parsed = Parsed(options())
        #expect(parsed.fault == nil)
        #expect(parsed.isRequest && parsed.isAnswerable)
        #expect(parsed.method == .options)
        #expect(parsed.requestURI == "sip:bob@example.com")
        #expect(parsed.topVia.host == "192.0.2.1" && parsed.topVia.port == 5062)
        #expect(parsed.branch == "z9hG4bKabc")
        #expect(parsed.from.uri == "sip:alice@example.com" && parsed.fromTag == "1")
        #expect(parsed.to.uri == "sip:bob@example.com" && parsed.toTag == "")
        #expect(parsed.callID == "abc@192.0.2.1")
        #expect(parsed.sequenceNumber == 7 && parsed.maxForwards == 70)
        #expect(parsed.names == ["Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq"])
    }

    @Test("A header line is given back whole, with its folding and its CRLF")
    func wholeLine() {
        let parsed = Parsed(options(adding: "X-A :  b \n  c\t\n"))
        let field = parsed.message.field(6)
        #expect(parsed.message.line(field) == "X-A :  b \r\n  c\t\r\n")
        #expect(parsed.message.name(field) == "X-A")
        #expect(parsed.message.value(field) == "b \r\n  c")
    }

    @Test("A lone CR or LF in the start line or in a line that an answer would copy leaves nothing to answer")
    func loneLineBreakInCopiedLine() {
        for (name, line) in [
            ("From", "From: <sip:a@b>;tag=1\rX: y\r\n"), ("To", "To: <sip:a@b>\nX: y\r\n"),
            ("Via", "Via: SIP/2.0/UDP h;branch=z9hG4bK\n1\r\n"), ("start", "OPTIONS sip:a@b\rX SIP/2.0\r\n"),
            ("start", "OPTIONS sip:a@b SIP/2.0\n"),
        ] {
            let text = String(decoding: wire(options([name: "?"])), as: UTF8.self)
            let parsed = Parsed(
                raw: text.split(separator: "?", omittingEmptySubsequences: false).joined(separator: line))
            #expect(parsed.fault == .lineBreak)
            #expect(!parsed.isAnswerable)
        }
    }

    @Test("A Via that is faulty behind its sent-by still gets its answer")
    func answerableVia() {
        for line in ["Via: SIP/3.0/UDP h;branch=1\n", "Via: SIP/2.0/UDP h;;\n", "Via: SIP/2.0/UDP h;rport=99999\n"] {
            let parsed = Parsed(options(["Via": line]))
            #expect(parsed.fault == .malformedVia)
            #expect(parsed.isAnswerable && parsed.topVia.host == "h")
        }
        #expect(!Parsed(options(["Via": "Via: SIP/2.0/UDP [::1;branch=z9hG4bK1\n"])).isAnswerable)
    }

    @Test("An ACK is never answered")
    func acknowledgement() {
        let parsed = Parsed(
            options(["start": "ACK sip:a@b SIP/2.0\n", "CSeq": "CSeq: 1 ACK\n", "To": "To: \"\n"]))
        #expect(parsed.fault == .malformedTo && !parsed.isAnswerable)
    }

    @Test("128 header fields are taken, one more is a fault")
    func headerOverflow() {
        let room = SIPMessage.headerCapacity - 6
        let full = Parsed(options(adding: String(repeating: "X: 1\n", count: room)))
        #expect(full.fault == nil && full.fieldCount == 128)
        let over = Parsed(options(adding: String(repeating: "X: 1\n", count: room) + "Subject: s\n"))
        #expect(over.fault == .tooManyHeaders && over.fieldCount == 129)
        // A copy that was forwarded is over the limit and must be read whole; the table has its end all the same.
        #expect(over.value(.subject) == "s" && over.isAnswerable)
        let huge = Parsed(options(adding: String(repeating: "X: 1\n", count: 300) + "Subject: s\n"))
        #expect(huge.fault == .tooManyHeaders && huge.fieldCount == 160 && huge.value(.subject) == nil)
    }

    @Test("The first field of a name is found at any position of the table")
    func lastPosition() {
        let lines = String(repeating: "X: 1\n", count: SIPMessage.headerCapacity - 7) + "Subject: s\n"
        let parsed = Parsed(options(adding: lines))
        #expect(parsed.message.firstIndex(of: .subject) == 127)
        #expect(parsed.value(.subject) == "s")
    }

    @Test("Nothing of the message before is left in the next one")
    func reuse() {
        let first = wire(options(adding: "Subject: s\nl: 2\n", body: "ab"))
        var message = SIPMessage()
        first.withSlice { slice in
            let fault = message.parse(slice)
            #expect(fault == nil)
        }
        let fault = message.parse("GET / HTTP/1.1\r\n\r\n")
        let (isRequest, method, count, isAnswerable) =
            (message.isRequest, message.method, message.fieldCount, message.isAnswerable)
        #expect(fault == .notSIP && !isRequest && method == .other && count == 0 && !isAnswerable)
        let (text, callID, subject, body) =
            (message.methodText, message.callID, message.value(of: .subject), message.body)
        #expect(text == "" && callID == "" && subject == nil && body == "")
    }

    @Test("A NUL in a header that we do not read is passed on")
    func nul() {
        let parsed = Parsed(options(adding: "X: a\u{0}b\n"))
        #expect(parsed.fault == nil)
        #expect(parsed.message.value(parsed.message.field(6)) == "a\0b")
    }
}
