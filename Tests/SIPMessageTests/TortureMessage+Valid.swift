import Primitives
import SIPMessage
import Testing

extension TortureMessage {
    static let all = valid + invalid + applicationLayer

    /// Section 3.1.1: valid messages.
    static let valid = [
        TortureMessage("wsinv", "3.1.1.1", "A Short Tortuous INVITE", nil, .served) { parsed in
            #expect(parsed.method == .invite && parsed.requestURI == "sip:vivekg@chair-dnrc.example.com;unknownparam")
            #expect(parsed.to.uri == "sip:vivekg@chair-dnrc.example.com" && parsed.toTag == "1918181833n")
            #expect(parsed.from.displayName == #"J Rosenberg \\\""# && parsed.fromTag == "98asjd8")
            #expect(parsed.maxForwards == 68 && parsed.sequenceNumber == 9)
            #expect(parsed.topVia.transport == "UDP" && parsed.topVia.host == "192.0.2.2")
            #expect(parsed.branch == "390skdjuw" && !parsed.topVia.hasMagicCookie)
            let vias = parsed.values(.via).compactMap { Via(firstOf: $0) }
            #expect(vias.map(\.host.string) == ["192.0.2.2", "spindle.example.com", "192.168.255.111"])
            #expect(vias.map(\.branch.string) == ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"])
            #expect(parsed.value(.subject) == "" && parsed.body.count == 150)
            let contact = try parsed.firstAddress(.contact)
            #expect(contact.displayName == #"Quoted string \"\""# && contact.parameters["newparam"] == "newvalue")
            #expect(contact.parameters["secondparam"] == "" && contact.parameters["q"] == "0.33")
            let route = try parsed.firstAddress(.route)
            #expect(SIPURI(route.uri)?.isLooseRouter == true)
            #expect(SIPURI(route.uri)?.parameter("unknownwith") == "value")
        },
        TortureMessage("intmeth", "3.1.1.2", "Wide Range of Valid Characters", nil, .served) { parsed in
            #expect(parsed.method == .other && parsed.methodText == "!interesting-Method0123456789_*+`.%indeed'~")
            #expect(parsed.uri?.host == "example.com" && parsed.uri?.password?.starts(with: "&it+has=1,") == true)
            #expect(parsed.branch == "z9hG4bK-.!%66*_+`'~" && parsed.sequenceNumber == 139_122_385)
            #expect(parsed.to.displayName == "BEL:\\\u{7} NUL:\\\u{0} DEL:\\\u{7f}")
            #expect(SIPURI(parsed.to.uri)?.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
            #expect(parsed.from.displayName == "token1~` token2'+_ token3*%!.-" && parsed.fromTag == "_token~1'+`*%!-.")
            #expect(parsed.from.parameters["fromParam''~+*_!.-%"]?.string == "работающий")
            #expect(parsed.callID == #"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"# && parsed.maxForwards == 255)
            #expect(parsed.names.contains("extensionHeader-!.%*+_`'~"))
        },
        TortureMessage("esc01", "3.1.1.3", "Valid Use of the % Escaping Mechanism", nil, .served) { parsed in
            #expect(parsed.uri?.user == "sips%3Auser%40example.com" && parsed.uri?.host == "example.net")
            #expect(SIPURI(parsed.to.uri)?.user.equalsUnescaped("user") == true)
            #expect(SIPURI(parsed.from.uri)?.user.equalsUnescaped("I have spaces") == true)
            let contact = try parsed.firstAddress(.contact)
            let uri = try #require(SIPURI(contact.uri))
            #expect(uri.isLooseRouter && uri.user.equalsUnescaped("caller"))
            #expect(uri.parameter("name")?.equalsUnescaped("value%25%34%31") == true)
        },
        TortureMessage("escnull", "3.1.1.4", "Escaped Nulls in URIs", nil, .served) { parsed in
            #expect(SIPURI(parsed.to.uri)?.user == "null-%00-null")
            let contacts = parsed.values(.contact).compactMap { NameAddress($0) }.compactMap { SIPURI($0.uri) }
            #expect(contacts.map(\.user.string) == ["%00", "%00%00"])
            #expect(contacts.count == 2 && !contacts[0].isEquivalent(to: contacts[1]))
        },
        TortureMessage("esc02", "3.1.1.5", "Use of % When It Is Not an Escape", nil, .served) { parsed in
            #expect(parsed.method == .other && parsed.methodText == "RE%47IST%45R")
            #expect(parsed.to.displayName == "%Z%45" && parsed.branch == "z9hG4bK209%fzsnel234")
            // C%6Fntact is an unknown header.
            #expect(parsed.values(.contact).count == 2 && parsed.names.contains("C%6Fntact"))
        },
        TortureMessage("lwsdisp", "3.1.1.6", "No LWS between Display Name and <", nil, .served) { parsed in
            #expect(parsed.from.displayName == "caller" && parsed.from.uri == "sip:caller@example.com")
            #expect(parsed.fromTag == "323")
        },
        TortureMessage("longreq", "3.1.1.7", "Long Values in Header Fields", nil, .served) { parsed in
            #expect(parsed.values(.via).count == 34 && parsed.topVia.host == "sip33.example.com")
            #expect(parsed.values(.via).allSatisfy { Via(firstOf: $0) != nil })
            #expect(SIPURI(parsed.to.uri)?.port == 6000 && parsed.to.displayName.count > 100)
            #expect(
                parsed.fromTag.count > 90 && parsed.callID.hasPrefix("longreq.onereally") && parsed.body.count == 150)
        },
        TortureMessage("dblreq", "3.1.1.8", "Extra Trailing Octets in a UDP Datagram", nil, .served) { parsed in
            #expect(parsed.method == .register && parsed.callID == "dblreq.0ha0isndaksdj99sdfafnl3lk233412")
            #expect(parsed.body.isEmpty && parsed.fieldCount == 8)
            let end = parsed.bytes.string.hasSuffix("Content-Length: 0\r\n\r\n")
            #expect(end)
        },
        TortureMessage("semiuri", "3.1.1.9", "Semicolon-Separated Parameters in URI User Part", nil, .served) {
            parsed in
            #expect(parsed.uri?.user == "user;par=u%40example.net" && parsed.uri?.host == "example.com")
            #expect(parsed.uri?.parameters.text.isEmpty == true)
            #expect(parsed.values(.accept).count == 6 && parsed.values(.accept).last == "message/sipfrag")
        },
        TortureMessage("transports", "3.1.1.10", "Varied and Unknown Transport Types", nil, .served) { parsed in
            let vias = parsed.values(.via).compactMap { Via(firstOf: $0) }
            #expect(vias.map(\.transport.string) == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"])
        },
        TortureMessage("mpart01", "3.1.1.11", "Multipart MIME Message", nil, .served) { parsed in
            #expect(parsed.method == .message && parsed.body.count == 553 && parsed.topVia.hasResponsePort)
            #expect(parsed.callID == "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..")
        },
        // Responses to nothing that we sent.
        TortureMessage("unreason", "3.1.1.12", "Unusual Reason Phrase", nil, .dropped) { parsed in
            #expect(parsed.status == 200 && parsed.reasonPhrase.hasPrefix("= 2**3 * 5**2 но сто девяносто девять"))
            #expect(parsed.method == .invite && parsed.toTag == "2229" && parsed.body.count == 154)
        },
        TortureMessage("noreason", "3.1.1.13", "Empty Reason Phrase", nil, .dropped) { parsed in
            #expect(parsed.status == 100 && parsed.reasonPhrase.isEmpty && parsed.branch == "z9hG4bK2398ndaoe")
        },
    ]
}
