import Testing

@testable import SIPRegistrar

@Suite struct RegisterContactsTests {
    let server = Server()

    /// The first Contact of the answer to a Contact and an Expires.
    func bound(_ contact: String, expires: String?) -> String? {
        server.register(
            Phone().with {
                $0.contacts = [contact]
                $0.expires = expires
            }
        ).contacts.first
    }

    @Test(arguments: [
        ("<sip:a@h>;expires=120", "600", "120"),
        ("<sip:a@h>", "600", "600"),
        ("<sip:a@h>", nil, "3600"),
        ("<sip:a@h>;expires=100000", nil, "3600"),
        ("<sip:a@h>;expires=99999999999999999999999", nil, "3600"),
        ("<sip:a@h>;expires=\"90\"", nil, "90"),
        // RFC 3261 20.10: malformed means 3600.
        ("<sip:a@h>;expires=soon", "600", "3600"),
        ("<sip:a@h>;expires", "600", "3600"),
        ("<sip:a@h>", "-1", "3600"),
        ("<sip:a@h>;EXPIRES=61", nil, "61"),
    ])
    func `The time of a Contact is its own, else that of Expires, else the default`(
        contact: String, expires: String?, granted: String
    ) {
        #expect(bound(contact, expires: expires) == "<sip:a@h>;expires=\(granted)")
    }

    @Test func `A time below the minimum gets 423 with Min-Expires`() {
        let answer = server.register(Phone().with { $0.expires = "59" })
        #expect(answer.status == 423)
        #expect(answer.lines.first == "SIP/2.0 423 Interval Too Brief")
        #expect(answer.values("Min-Expires") == ["60"])
        #expect(answer.values("Warning").count == 1)
        #expect(server.targets() == [])
        #expect(bound("<sip:a@h>", expires: "60") != nil)
    }

    @Test func `A time of an hour or more is never too brief`() {
        let server = Server {
            $0.registrar.minExpires = 7200; $0.registrar.maxExpires = 86400
        }
        #expect(server.register(Phone().with { $0.expires = "3600" }).status == 200)
        #expect(server.register(Phone().next.with { $0.expires = "3599" }).status == 423)
    }

    @Test(arguments: [
        ("0", "0.0"), ("0.5", "0.5"), ("0.25", "0.25"), ("0.125", "0.125"), ("1.000", nil), ("1", nil),
        ("1.001", nil), ("2", nil), ("0.1234", nil), ("x", nil), ("0,5", nil),
    ])
    func `A q is kept to the thousandth, and a malformed one is 1`(q: String, echoed: String?) {
        let quoted = q == "0,5" ? "\"0,5\"" : q
        let expected = "<sip:a@h>;expires=600" + (echoed.map { ";q=" + $0 } ?? "")
        #expect(bound("<sip:a@h>;q=\(quoted)", expires: "600") == expected)
    }

    @Test func `A URI without angle brackets has its parameters as the header's`() {
        #expect(bound("sip:a@h;expires=70", expires: nil) == "<sip:a@h>;expires=70")
    }

    @Test func `A Contact in an answer is the client's own text`() {
        let uri = "sip:a%20b@[2001:DB8::5]:5062;transport=UDP;ob"
        #expect(bound("\"A B\" <\(uri)>;methods=\"INVITE\"", expires: "600") == "<\(uri)>;expires=600")
    }

    @Test(arguments: [
        "", "<sip:a@h", "\"x <sip:a@h>", "<sip:a@h>;+sip.instance=\"a b\"", "<sip:a@h>;;", "<sip:a@[::1>",
        "<sip:a%4@h>", "<sip:a@h>, ",
        "<sips:a@h>",
    ])
    func `A malformed Contact gets 400`(contact: String) {
        let answer = server.register(Phone().with { $0.contacts = [contact] })
        #expect(answer.outcome == .refused(.badContact))
        #expect(server.targets() == [])
    }
}
