import Primitives
import SIPMessage
import Testing

extension TortureMessage {
    /// Section 3.1.2: invalid messages.
    static let invalid = [
        TortureMessage(
            "badinv01", "3.1.2.1", "Extraneous Header Field Separators", .malformedVia, .refused(400)
        ) { parsed in
            #expect(parsed.topVia.host == "192.0.2.15" && parsed.method == .invite)
            let contact = try #require(parsed.values(.contact).first)
            #expect(NameAddress(contact) == nil)
        },
        TortureMessage("clerr", "3.1.2.2", "Content Length Larger Than Message", .bodyShort, .refused(400)) { parsed in
            #expect(parsed.value(.contentLength) == "9999" && parsed.maxForwards == 80)
        },
        TortureMessage("ncl", "3.1.2.3", "Negative Content-Length", .malformedContentLength, .refused(400)) { parsed in
            #expect(parsed.value(.contentLength) == "-999" && parsed.sequenceNumber == 0 && parsed.maxForwards == 254)
        },
        TortureMessage(
            "scalar02", "3.1.2.4", "Request Scalar Fields with Overlarge Values", .malformedCSeq, .refused(400)
        ) { parsed in
            #expect(parsed.method == .register && parsed.maxForwards == nil && parsed.branch == "z9hG4bK342sdfoi3")
            #expect(ByteSlice("280297596632815").decimal(limit: 0xffff_ffff) == nil)
        },
        TortureMessage(
            "scalarlg", "3.1.2.5", "Response Scalar Fields with Overlarge Values", .malformedCSeq, .dropped
        ) { parsed in
            #expect(parsed.status == 503 && parsed.value(.retryAfter) == "949302838503028349304023988")
        },
        TortureMessage(
            "quotbal", "3.1.2.6", "Unterminated Quoted String in Display Name", .malformedTo, .refused(400)
        ) { parsed in
            #expect(parsed.to.uri.isEmpty && parsed.topVia.port == 5050)
        },
        TortureMessage("ltgtruri", "3.1.2.7", "<> Enclosing Request-URI", .malformedRequestURI, .refused(400)) {
            parsed in
            #expect(parsed.requestURI == "<sip:user@example.com>" && parsed.uri == nil)
        },
        TortureMessage(
            "lwsruri", "3.1.2.8", "Malformed SIP Request-URI (embedded LWS)", .requestLine, .refused(400)
        ) { parsed in
            #expect(parsed.toTag == "3xfe-9921883-z9f" && parsed.sequenceNumber == 2_130_706_432)
        },
        TortureMessage(
            "lwsstart", "3.1.2.9", "Multiple SP Separating Request-Line Elements", .requestLine, .refused(400)
        ) { parsed in
            #expect(parsed.method == .invite && parsed.fromTag == "8814")
        },
        TortureMessage(
            "trws", "3.1.2.10", "SP Characters at End of Request-Line", .requestLine, .refused(400)
        ) { parsed in
            #expect(parsed.method == .options && parsed.fromTag == "329429089")
        },
        // The parser takes any URI that could be one. The router refuses a Request-URI with headers.
        TortureMessage("escruri", "3.1.2.11", "Escaped Headers in SIP Request-URI", nil, .refused(400)) { parsed in
            #expect(parsed.uri?.user == "user" && parsed.uri?.headers == "Route=%3Csip:example.com%3E")
        },
        // A proxy has no use for Date and should not refuse for it.
        TortureMessage("baddate", "3.1.2.12", "Invalid Time Zone in Date Header Field", nil, .served) { parsed in
            #expect(parsed.value(.date) == "Fri, 01 Jan 2010 16:00:00 EST")
        },
        // Contact is read by the registrar, which finds no address in it.
        TortureMessage("regbadct", "3.1.2.13", "Failure to Enclose name-addr URI in <>", nil, .refused(400)) { parsed in
            let contact = try #require(parsed.values(.contact).first)
            #expect(parsed.method == .register && NameAddress(contact) == nil)
        },
        TortureMessage("badaspec", "3.1.2.14", "Spaces within addr-spec", .malformedTo, .refused(400)) { parsed in
            #expect(parsed.from.displayName == "Bell, Alexander" && parsed.fromTag == "433423")
        },
        TortureMessage(
            "baddn", "3.1.2.15", "Non-token Characters in Display Name", .malformedFrom, .refused(400)
        ) { parsed in
            #expect(parsed.maxForwards == 70 && parsed.topVia.host == "c.example.com")
        },
        TortureMessage("badvers", "3.1.2.16", "Unknown Protocol Version", .version, .refused(505)) { parsed in
            #expect(parsed.method == .options && parsed.topVia.host == "c.example.com")
        },
        TortureMessage(
            "mismatch01", "3.1.2.17", "Start Line and CSeq Method Mismatch", .methodMismatch, .refused(400)
        ) { parsed in
            #expect(parsed.method == .options && parsed.sequenceNumber == 8)
        },
        TortureMessage(
            "mismatch02", "3.1.2.18", "Unknown Method with CSeq Method Mismatch", .methodMismatch, .refused(400)
        ) { parsed in
            #expect(parsed.method == .other && parsed.methodText == "NEWMETHOD")
        },
        TortureMessage("bigcode", "3.1.2.19", "Overlarge Response Code", .statusLine, .dropped) { parsed in
            #expect(parsed.status == 0 && parsed.topVia.host == "192.0.2.105")
        },
    ]
}
