import Primitives
import SIPMessage
import Testing

extension TortureMessage {
    /// Sections 3.2 to 3.4: transaction layer, application layer, backward compatibility.
    static let applicationLayer = [
        // Matched as RFC 2543 does: the cookie alone identifies no transaction.
        TortureMessage("badbranch", "3.2.1", "Missing Transaction Identifier", nil, .served) { parsed in
            #expect(parsed.branch == "z9hG4bK" && !parsed.topVia.hasMagicCookie && parsed.maxForwards == 3)
        },
        TortureMessage("insuf", "3.3.1", "Missing Required Header Fields", .missingFrom, .refused(400)) { parsed in
            #expect(parsed.sequenceNumber == 193_942 && parsed.branch == "z9hG4bKkdj.insuf" && parsed.callID.isEmpty)
        },
        // The router's answer.
        TortureMessage("unkscm", "3.3.2", "Request-URI with Unknown Scheme", nil, .refused(416)) { parsed in
            #expect(parsed.requestURI == "nobodyKnowsThisScheme:totallyopaquecontent" && parsed.uri == nil)
        },
        TortureMessage("novelsc", "3.3.3", "Request-URI with Known but Atypical Scheme", nil, .refused(416)) { parsed in
            #expect(parsed.requestURI == "soap.beep://192.0.2.103:3002" && parsed.uri == nil)
        },
        // The registrar's answer: To is no address-of-record of its domain (RFC 3261 10.3 step 5).
        TortureMessage("unksm2", "3.3.4", "Unknown URI Schemes in Header Fields", nil, .refused(404)) { parsed in
            #expect(parsed.to.uri == "isbn:2983792873" && parsed.from.uri == "http://www.example.com")
            #expect(parsed.fromTag == "3234233")
            let contact = try #require(parsed.values(.contact).first)
            #expect(NameAddress(contact)?.uri == "name:John_Smith")
        },
        // The proxy's answer (RFC 3261 16.3 step 5).
        TortureMessage("bext01", "3.3.5", "Proxy-Require and Require", nil, .refused(420)) { parsed in
            #expect(parsed.values(.proxyRequire) == ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"])
            #expect(parsed.values(.require) == ["nothingSupportsThis", "nothingSupportsThisEither"])
        },
        TortureMessage("invut", "3.3.6", "Unknown Content-Type", nil, .served) { parsed in
            #expect(parsed.value(.contentType) == "application/unknownformat" && parsed.body.count == 40)
        },
        // The registrar challenges as if there were no credentials.
        TortureMessage("regaut01", "3.3.7", "Unknown Authorization Scheme", nil, .served) { parsed in
            #expect(parsed.value(.authorization) == "NoOneKnowsThisScheme opaque-data=here")
        },
        TortureMessage(
            "multi01", "3.3.8", "Multiple Values in Single Value Required Fields", .repeatedHeader, .refused(400)
        ) { parsed in
            #expect(parsed.callID == "multi01.98asdh@192.0.2.1" && parsed.sequenceNumber == 5)
        },
        TortureMessage("mcl01", "3.3.9", "Multiple Content-Length Values", .repeatedHeader, .refused(400)) { parsed in
            #expect(parsed.values(.contentLength) == ["13", "5"])
        },
        // The Via of a response is not followed: without a transaction it goes nowhere.
        TortureMessage("bcast", "3.3.10", "200 OK Response with Broadcast Via Header Field Value", nil, .dropped) {
            parsed in
            let vias = parsed.values(.via).compactMap { Via(firstOf: $0) }
            #expect(vias.map(\.host.string) == ["192.0.2.198", "255.255.255.255"] && parsed.status == 200)
        },
        // The proxy's answer (RFC 3261 16.3 step 3).
        TortureMessage("zeromf", "3.3.11", "Max-Forwards of Zero", nil, .refused(483)) { parsed in
            #expect(parsed.maxForwards == 0 && parsed.method == .options)
        },
        TortureMessage("cparam01", "3.3.12", "REGISTER with a Contact Header Parameter", nil, .served) { parsed in
            let contact = try parsed.firstAddress(.contact)
            #expect(contact.uri == "sip:+19725552222@gw1.example.net" && contact.parameters["unknownparam"] == "")
        },
        TortureMessage("cparam02", "3.3.13", "REGISTER with a url-parameter", nil, .served) { parsed in
            let contact = try parsed.firstAddress(.contact)
            #expect(contact.uri == "sip:+19725552222@gw1.example.net;unknownparam")
            #expect(contact.parameters["unknownparam"] == nil && SIPURI(contact.uri)?.parameter("unknownparam") == "")
        },
        // The registrar keeps the header in the binding's URI and gives it back.
        TortureMessage("regescrt", "3.3.14", "REGISTER with a URL Escaped Header", nil, .served) { parsed in
            let contact = try parsed.firstAddress(.contact)
            #expect(SIPURI(contact.uri)?.headers == "Route=%3Csip:sip.example.com%3E")
        },
        TortureMessage("sdp01", "3.3.15", "Unacceptable Accept Offering", nil, .served) { parsed in
            #expect(parsed.value(.accept) == "text/nobodyKnowsThis" && parsed.body.count == 150)
        },
        // No branch, no tag in From, no Max-Forwards: all lawful in RFC 2543.
        TortureMessage("inv2543", "3.4.1", "INVITE with RFC 2543 Syntax", nil, .served) { parsed in
            #expect(parsed.branch.isEmpty && parsed.fromTag.isEmpty && parsed.maxForwards == nil)
            #expect(parsed.to.uri == "sip:+16505552222@ss1.example.net" && parsed.to.parameters["user"] == "phone")
            #expect(parsed.body.count == 105)
        },
    ]
}
