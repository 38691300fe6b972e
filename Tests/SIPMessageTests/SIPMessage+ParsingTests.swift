import Primitives
import SIPMessage
import Testing

@Suite("SIPMessage parsing")
struct SIPMessageParsingTests {
    @Test(
        "A Status-Line has a code from 100 to 699 and a phrase that may be empty",
        arguments: [
            ("SIP/2.0 200 OK", 200, "OK"), ("sip/2.0 180 Ringing all day", 180, "Ringing all day"),
            ("SIP/2.0 699 ", 699, ""), ("SIP/2.0 404", 404, ""),
        ])
    func statusLine(line: String, status: Int, phrase: String) {
        let parsed = Parsed(options(["start": line + "\n"]))
        #expect(parsed.fault == nil)
        #expect(!parsed.isRequest && !parsed.isAnswerable)
        #expect(parsed.status == UInt16(status) && parsed.reasonPhrase == phrase)
        #expect(parsed.method == .options && parsed.methodText == "OPTIONS")
    }

    @Test(
        "A Status-Line with anything else is a fault",
        arguments: [
            "SIP/2.0 099 x", "SIP/2.0 700 x", "SIP/2.0 2000 OK", "SIP/2.0 20 OK", "SIP/2.0 2x0 OK", "SIP/3.0 200 OK",
            "SIP/2.0  200 OK", "SIP/2.0", "SIP/2.0 ", "SIP/2.0 -10 OK", "SIP/2.0 200OK",
        ])
    func badStatusLine(line: String) {
        #expect(Parsed(options(["start": line + "\n"])).fault == .statusLine)
    }

    @Test(
        "A Request-Line has three parts with one space between them",
        arguments: [
            ("OPTIONS  sip:a@b SIP/2.0", Fault.requestLine), ("OPTIONS sip:a@b  SIP/2.0", .requestLine),
            ("OPTIONS sip:a@b SIP/2.0 ", .requestLine), ("OPTIONS sip:a@b\tx SIP/2.0", .requestLine),
            ("OPTIONS SIP/2.0", .requestLine), ("OPTIONS  SIP/2.0", .requestLine),
            ("OPTIONS sip:a@b SIP/3.0", .version), ("OPTIONS sip:a@b SIP/2.00", .version),
            ("OPTIONS <sip:a@b> SIP/2.0", .malformedRequestURI), ("OPTIONS sip:a\u{0}@b SIP/2.0", .malformedRequestURI),
            ("OPTIONS nothing SIP/2.0", .malformedRequestURI), ("OPTIONS sip: SIP/2.0", .malformedRequestURI),
        ])
    func requestLine(line: String, fault: Fault) {
        let parsed = Parsed(options(["start": line + "\n"]))
        #expect(parsed.fault == fault)
        #expect(parsed.isAnswerable)
    }

    @Test("The version of a Request-Line is compared without case")
    func versionCase() { #expect(Parsed(options(["start": "OPTIONS sip:a@b sip/2.0\n"])).fault == nil) }

    @Test("A Request-URI of any scheme passes: the router answers 416")
    func anyScheme() {
        for uri in ["tel:+1-201-555-0123", "soap.beep://192.0.2.103:3002", "x:y"] {
            #expect(Parsed(options(["start": "OPTIONS \(uri) SIP/2.0\n"])).fault == nil)
        }
    }

    @Test(
        "What is not SIP is told from faulty SIP and never answered",
        arguments: [
            "", "\r\n", "\r\n\r\n", "\n", "\r", "jaK", "GET / HTTP/1.1\r\n\r\n", "\u{0}\u{1}\r\n", " SIP/2.0\r\n\r\n",
            "OPTI@NS sip:a@b SIP/2.0\r\n\r\n",
        ])
    func notSIP(text: String) {
        let parsed = Parsed(raw: text)
        #expect(parsed.fault == .notSIP)
        #expect(!parsed.isAnswerable)
    }

    @Test("Empty lines before the start line are ignored")
    func leadingEmptyLines() { #expect(Parsed("\n\n" + options()).fault == nil) }

    @Test("A header goes on over lines that begin with white space, and its name may be in any form")
    func folding() {
        let parsed = Parsed(
            "OPTIONS sip:a@b SIP/2.0\nv :\n SIP/2.0/UDP\n\thost;branch=\n z9hG4bK1\nF: <sip:a@b>\n ; tag = 5\n"
                + "t\t:sip:a@b\nI:1\ncSEQ:\n 1\n OPTIONS\nL:0\n\n")
        #expect(parsed.fault == nil)
        #expect(parsed.branch == "z9hG4bK1" && parsed.topVia.host == "host")
        #expect(parsed.fromTag == "5" && parsed.callID == "1" && parsed.sequenceNumber == 1)
        #expect(parsed.names == ["v", "F", "t", "I", "cSEQ", "L"])
    }

    @Test("A header may be empty")
    func emptyHeader() {
        let parsed = Parsed(options(adding: "Supported:\nSubject: \t\n \n"))
        #expect(parsed.fault == nil)
        #expect(parsed.value(.supported) == "" && parsed.value(.subject) == "")
    }

    @Test(
        "A header name is a token",
        arguments: ["X Y: 1\n", ": 1\n", "NoColon\n", "X@: 1\n", "X\u{0}: 1\n", "é: 1\n", "X\u{7f}: 1\n"])
    func headerName(line: String) { #expect(Parsed(options(adding: line)).fault == .headerName) }

    @Test("White space before the first header does not fold it into the start line")
    func foldedStartLine() {
        #expect(Parsed(options(["Via": " Via: SIP/2.0/UDP h\n"])).fault == .headerName)
    }

    @Test(
        "A lone CR or LF is a fault, wherever it stands before the body",
        arguments: ["X: a\nB: b\r\n", "X: a\rB: b\r\n", "X: a\r\r\n", "X: a\r \r\n", "\nX: a\r\n"])
    func loneLineBreak(line: String) {
        let text = String(decoding: wire(options()), as: UTF8.self).dropLast()
        let parsed = Parsed(raw: text + line + "\r\n")
        #expect(parsed.fault == .lineBreak)
        #expect(parsed.isAnswerable)
    }

    @Test("A missing end of the header section is a fault")
    func missingEnd() {
        let text = options()
        #expect(Parsed(String(text.dropLast())).fault == .missingEnd)
        #expect(Parsed(String(text.dropLast(4))).fault == .missingEnd)
        #expect(Parsed(raw: "OPTIONS sip:a@b SIP/2.0\r\n").fault == .missingEnd)
        #expect(Parsed(raw: "OPTIONS sip:a@b SIP/2.0\r\n\r").fault == .missingEnd)
    }

    @Test(
        "Each header that a message must have is missed by name",
        arguments: [
            ("Via", Fault.missingVia, false), ("From", .missingFrom, true), ("To", .missingTo, true),
            ("Call-ID", .missingCallID, true), ("CSeq", .missingCSeq, false),
        ])
    func missing(name: String, fault: Fault, isAnswerable: Bool) {
        let parsed = Parsed(options([name: ""]))
        #expect(parsed.fault == fault)
        #expect(parsed.isAnswerable == isAnswerable)
    }

    @Test("Max-Forwards may be missing: RFC 2543 did not have it")
    func missingMaxForwards() {
        let parsed = Parsed(options(["Max-Forwards": ""]))
        #expect(parsed.fault == nil && parsed.maxForwards == nil)
    }

    @Test(
        "A header that has one value may not be repeated, in no form of its name",
        arguments: [
            "f: sip:a@b\n", "To: sip:a@b\n", "i: 1\n", "CSEQ: 7 OPTIONS\n", "max-forwards: 70\n", "l: 0\nl: 0\n",
            "c: a/b\nContent-Type: a/b\n", "Expires: 1\nExpires: 1\n", "Max-Breadth: 1\nMax-Breadth: 9\n",
        ])
    func repeated(line: String) { #expect(Parsed(options(adding: line)).fault == .repeatedHeader) }

    @Test(
        "A header that must be read is a fault when it cannot be",
        arguments: [
            ("From: \n", Fault.malformedFrom), ("From: <sip:a@b>;tag\n", .malformedFrom),
            ("From: <sip:a@b>;tag=1;tag=2\n", .malformedFrom), ("From: sip:a@b,sip:c@d\n", .malformedFrom),
            ("From: nobody\n", .malformedFrom), ("To: \"x <sip:a@b>\n", .malformedTo), ("To: <sip:a@b\n", .malformedTo),
            ("To: <sip:a@b>;tag=\n", .malformedTo), ("Call-ID:\n", .malformedCallID),
            ("Call-ID: a b\n", .malformedCallID), ("Call-ID: a\u{0}b\n", .malformedCallID),
            ("CSeq: 7OPTIONS\n", .malformedCSeq), ("CSeq: 7 INVITE\n", .methodMismatch),
            ("Max-Forwards: 256\n", .malformedMaxForwards), ("Max-Forwards: -1\n", .malformedMaxForwards),
            ("Max-Forwards: 7 0\n", .malformedMaxForwards), ("Via: x\n", .malformedVia),
        ])
    func malformed(line: String, fault: Fault) {
        let name = String(line.prefix { $0 != ":" })
        #expect(Parsed(options([name: line])).fault == fault)
    }

    @Test("The first fault in the order of checks is the one that is told")
    func firstFault() {
        #expect(Parsed(options(["From": "", "CSeq": "CSeq: x\n"])).fault == .missingFrom)
        #expect(Parsed(options(["To": "To: x\n", "Max-Forwards": "Max-Forwards: x\n"])).fault == .malformedTo)
        #expect(Parsed(options(["start": "OPTIONS sip:a@b SIP/9\n", "To": ""])).fault == .version)
    }

    @Test("A datagram's body ends where Content-Length says; the octets behind it are dropped")
    func trailingOctets() {
        let parsed = Parsed(options(adding: "Content-Length: 3\n", body: "abcdef"))
        #expect(parsed.fault == nil)
        #expect(parsed.body == "abc")
        #expect(parsed.bytes.last == UInt8(ascii: "c"))
    }

    @Test("Without Content-Length a datagram's body goes to its end")
    func noContentLength() {
        let parsed = Parsed(options(body: "abc\ndef"))
        #expect(parsed.fault == nil && parsed.body == "abc\r\ndef")
    }

    @Test("On a stream Content-Length is required")
    func streamContentLength() {
        #expect(Parsed(options(), isStream: true).fault == .missingContentLength)
        let parsed = Parsed(options(adding: "l: 2\n", body: "ab"), isStream: true)
        #expect(parsed.fault == nil && parsed.body == "ab")
    }

    @Test("A body shorter than Content-Length is a fault")
    func shortBody() {
        for isStream in [false, true] {
            #expect(Parsed(options(adding: "l: 4\n", body: "abc"), isStream: isStream).fault == .bodyShort)
        }
    }

    @Test(
        "Content-Length is a number below 2^31",
        arguments: ["-1", "+1", "", "1 2", "0x1", "2147483648", "18446744073709551617", "1,1", "1\u{0}"])
    func contentLength(value: String) {
        #expect(Parsed(options(adding: "Content-Length: \(value)\n")).fault == .malformedContentLength)
    }

    @Test("A lone CR or LF is found at any distance from a word's border")
    func loneLineBreakAnywhere() {
        for length in 0..<24 {
            for lineBreak in ["\r", "\n"] {
                for text in [
                    String(repeating: "a", count: length) + lineBreak + "b",
                    String(repeating: "\u{c}", count: length) + lineBreak + String(repeating: "\u{b}", count: 9),
                ] {
                    let head = String(decoding: wire(options()), as: UTF8.self).dropLast()
                    #expect(Parsed(raw: head + "X: " + text + "\r\n\r\n").fault == .lineBreak)
                }
            }
            let text = String(repeating: "\u{b}", count: length) + String(repeating: "\u{c}", count: 9)
            #expect(Parsed(options(adding: "X: \(text)\n")).fault == nil)
        }
    }

    @Test(
        "A message of 64 KB of any one thing is read in one pass", .timeLimit(.minutes(1)),
        arguments: [
            ";", ",", "\"", "\\", "<", ">", "=", ":", "@", " ", "\n ", "%", "[", ";a", ";a=\"b\"", "a,", "<a>,",
            " SIP/",
            "\u{0}", "\r", "::", ".", ";tag=1", ";branch=1", ";rport", "0",
        ])
    func hostile(piece: String) {
        let text = String(repeating: piece, count: 65536 / piece.utf8.count)
        for name in ["Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Contact", "X"] {
            _ = Parsed(options([name: "\(name): a\(text)\n"], adding: name == "X" ? "X: \(text)\n" : "")).values(.via)
        }
        _ = Parsed(options(["Via": "Via: SIP/2.0/UDP h\(text)\n", "From": "From: <sip:a@h>\(text)\n"]))
        let parsed = Parsed(options(["start": "OPTIONS sip:a\(text)\(text) SIP/2.0\n"]))
        if let uri = parsed.uri { #expect(uri.isEquivalent(to: uri)) }
        let garbage = Parsed(raw: text)
        #expect(garbage.fault != nil && !garbage.isAnswerable)
    }
}
