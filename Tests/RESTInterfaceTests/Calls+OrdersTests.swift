import Primitives
import Store
import Testing

@testable import RESTInterface

@Suite struct CallsOrdersTests {
    let api: API

    init() throws {
        api = try API()
        try api.clients(["alice", "bob"])
    }

    @Test func `A call is asked for with everything that was sent`() throws {
        let answer = api.send(
            "POST", "Calls",
            [
                "From": "client:alice", "To": "client:bob?X-Ticket=7&Other=a%20b",
                "Url": "http://app.example/voice?a=1",
                "Method": "get", "FallbackUrl": "https://app.example/fallback", "FallbackMethod": "GET",
                "StatusCallback": "http://app.example/state", "StatusCallbackEvent": "initiated, answered",
                "Timeout": "20",
            ])
        #expect(answer.status == 200, "\(answer.text)")
        var wanted = OutgoingCallRequest(
            number: try #require(answer["sid"].flatMap { RecordNumber(sid: $0, prefix: "CA") }), accountID: api.top.id,
            accountSID: api.top.sid, authToken: api.top.authToken, from: "alice", kind: .client, to: "bob",
            voice: .init("http://app.example/voice?a=1", "GET"))
        wanted.headers = [.init("X-Ticket", "7"), .init("X-Other", "a b")]
        wanted.fallback = .init("https://app.example/fallback", "GET")
        wanted.statusCallback = .init("http://app.example/state", "POST")
        wanted.statusEvents = ["initiated", "answered"]
        wanted.timeout = 20
        #expect(api.phones.calls == [wanted])
        #expect(answer["status"] == "queued" && answer["direction"] == "outbound-api" && answer["from"] == "alice")
    }

    @Test func `The record that the server has made is what is answered`() throws {
        let number = RecordNumber(at: UnixTime(seconds: 1_700_000_000), counter: 500_001)
        let account = api.top.id
        api.transactions.before.withLock {
            $0 = { store throws(StoreError) in
                try store.insertCall(
                    CallRow(
                        number: number, accountID: account, from: "alice", to: "bob", callerName: "Alice",
                        direction: "outbound-api", status: .ringing, startedAt: UnixTime(seconds: 1_700_000_000),
                        callID: "made@here"))
            }
        }
        let answer = api.send("POST", "Calls", ["From": "alice", "To": "bob", "Url": "http://a/v"])
        #expect(answer["sid"] == number.sid(prefix: "CA"))
        #expect(answer["call_id"] == "made@here" && answer["status"] == "ringing")
    }

    @Test(arguments: [
        ("bob", OutgoingCallRequest.Kind.client, "bob"), ("client:bob", .client, "bob"),
        ("+1201555", .number, "+1201555"),
        ("*98", .number, "*98"), ("sip:x@host.example;transport=tcp", .sip, "sip:x@host.example;transport=tcp"),
        ("x@host.example", .sip, "sip:x@host.example"), ("123", .client, "123"),
    ])
    func `To is a client, a number or a SIP URI; a client goes before a number`(
        to: String, kind: OutgoingCallRequest.Kind, name: String
    ) throws {
        try api.client("123")
        let answer = api.send("POST", "Calls", ["From": "alice", "To": to, "Url": "http://a/v"])
        #expect(answer.status == 200, "\(answer.text)")
        #expect(api.phones.calls.map(\.kind) == [kind] && api.phones.calls.map(\.to) == [name])
    }

    @Test func `An application goes before the URLs`() throws {
        let row = try api.application("App")
        let sid = row.sid
        let without = api.send("POST", "Calls", ["From": "alice", "To": "bob", "ApplicationSid": sid])
        #expect(without.code == "R-3302" && without["parameter"] == "ApplicationSid", "\(without.text)")
        _ = api.send(
            "POST", "Applications/\(sid)",
            ["VoiceUrl": "http://app/v", "VoiceMethod": "GET", "VoiceFallbackUrl": "http://app/f"])
        let answer = api.send(
            "POST", "Calls", ["From": "alice", "To": "bob", "ApplicationSid": sid, "Url": "http://other/"])
        #expect(answer.status == 200)
        let call = try #require(api.phones.calls.first)
        #expect(call.applicationSID == sid && call.voice == .init("http://app/v", "GET"))
        #expect(call.fallback == .init("http://app/f", "POST") && call.statusCallback == nil && call.timeout == 60)
    }

    @Test(arguments: [
        ("From", "nobody"), ("From", "carol"), ("To", "nobody"), ("To", "client:+1201555"), ("To", "sips:a@b"),
        ("To", "a b"), ("Url", "http://["), ("Url", "/voice"), ("Url", "file:///etc/passwd"), ("Method", "PUT"),
        ("FallbackUrl", "http://u:p@a/"), ("FallbackMethod", "X"), ("StatusCallback", "ftp://a/"),
        ("StatusCallbackMethod", "HEAD"), ("StatusCallbackEvent", "answered,later"), ("Timeout", "0"),
        ("Timeout", "601"), ("ApplicationSid", "AP1"), ("ApplicationSid", "AP00000000000000000000000000000000"),
    ])
    func `A bad value is refused with its parameter, and nothing is called`(name: String, value: String) throws {
        try api.client("carol", of: try api.account("Child", below: api.top))
        var form = ["From": "alice", "To": "bob", "Url": "http://a/v"]
        form[name] = value
        let body = form.map { "\($0.key)=\(API.escaped($0.value))" }.joined(separator: "&")
        let answer = api.exchange(
            "POST", "/2012-04-24/Accounts/\(api.top.sid)/Calls.json", body,
            ["Authorization: " + API.basic(api.top.sid, api.top.authToken)])
        #expect(answer.status == 400 && answer.code == "R-3302" && answer["parameter"] == name, "\(answer.text)")
        #expect(answer["message"]?.contains(name) == true)
        #expect(api.phones.calls.isEmpty)
    }

    @Test func `What is missing is named`() {
        for (form, name) in [
            (["To": "bob", "Url": "http://a/"], "From"), (["From": "alice", "Url": "http://a/"], "To"),
            (["From": "alice", "To": "bob"], "Url"), (["From": "alice", "To": "bob", "Url": ""], "Url"),
        ] as [(KeyValuePairs<String, String>, String)] {
            let answer = api.send("POST", "Calls", form)
            #expect(answer.code == "R-3301" && answer["parameter"] == name, "\(answer.text)")
        }
    }

    @Test func `A client that is not registered is named in the words of Restcomm`() {
        api.phones.content.withLock { $0.refusal = Phones.refusal }
        let answer = api.send("POST", "Calls", ["From": "alice", "To": "client:bob", "Url": "http://a/"])
        #expect(answer.status == 409 && answer.code == "R-3408" && answer["parameter"] == "To")
        #expect(answer["message"]?.hasPrefix("The SIP Client bob is not registered or does not exist.") == true)
        #expect(answer["message"]?.contains("R-1303") == true)
    }

    @Test func `A number that no gateway takes is a fault of To`() {
        api.phones.content.withLock {
            $0.refusal = SIPRefusal(code: "R-1613", number: 1613, status: 404, message: "No gateway takes it.")
        }
        for (path, form) in [
            ("Calls", ["From": "alice", "To": "+1201555", "Url": "http://a/"]),
            ("Messages", ["From": "alice", "To": "+1201555", "Body": "x"]),
        ] as [(String, KeyValuePairs<String, String>)] {
            let answer = api.send("POST", path, form)
            #expect(answer.code == "R-3302" && answer["parameter"] == "To", "\(answer.text)")
            #expect(answer["message"] == "To is invalid: R-1613: No gateway takes it.")
        }
    }

    @Test func `An account that is not active calls nobody, and a command line neither`() throws {
        let child = try api.account("Child", below: api.top)
        try api.client("carol", of: child)
        try api.setStatus(.suspended, of: child)
        let form: KeyValuePairs = ["From": "carol", "To": "bob", "Url": "http://a/"]
        #expect(api.send("POST", "Calls", form, of: child.sid).code == "R-3102")
        let alone = try API { $0.sip = nil }
        try alone.clients(["alice", "bob"])
        let answer = alone.send("POST", "Calls", ["From": "alice", "To": "bob", "Url": "http://a/"])
        #expect(answer.status == 503 && answer.code == "R-3501")
    }

    @Test func `A live call is ended, canceled or sent on`() throws {
        let call = try api.call("alice", "bob")
        let path = "Calls/\(call.number.sid(prefix: "CA"))"
        for form in [
            ["Status": "completed"], ["Status": "canceled"], ["Url": "http://a/next", "Method": "GET"],
            ["Url": "http://a/next"],
        ] as [KeyValuePairs<String, String>] {
            let answer = api.send("POST", path, form)
            #expect(answer.status == 200 && answer["sid"] == call.number.sid(prefix: "CA"), "\(answer.text)")
        }
        #expect(api.phones.orders.map(\.number) == Array(repeating: call.number, count: 4))
        #expect(
            api.phones.orders.map(\.order) == [
                .complete, .cancel, .redirect(.init("http://a/next", "GET")), .redirect(.init("http://a/next", "POST")),
            ])
    }

    @Test func `An order that makes no sense is refused, and is not given`() throws {
        let call = try api.call("alice", "bob")
        let path = "Calls/\(call.number.sid(prefix: "CA"))"
        for (form, code, name) in [
            ([:], "R-3301", "Status"), (["Status": "completed", "Url": "http://a/"], "R-3302", "Url"),
            (["Status": "ringing"], "R-3302", "Status"), (["Url": "a"], "R-3302", "Url"),
        ] as [(KeyValuePairs<String, String>, String, String)] {
            let answer = api.send("POST", path, form)
            #expect(answer.code == code && answer["parameter"] == name, "\(answer.text)")
        }
        #expect(api.phones.orders.isEmpty)
    }

    @Test func `What cannot be carried out says why`() throws {
        let live = try api.call("alice", "bob")
        let over = try api.call("alice", "bob") { $0.endedAt = $0.startedAt }
        func order(_ row: CallRow, _ result: CallOrderResult) -> Answer {
            api.phones.content.withLock { $0.orderResult = result }
            return api.send("POST", "Calls/\(row.number.sid(prefix: "CA"))", ["Status": "canceled"])
        }
        #expect(order(over, .done).status == 410 && order(over, .done).code == "R-3409")
        #expect(order(live, .alreadyAnswered).status == 409 && order(live, .alreadyAnswered).code == "R-3410")
        #expect(order(live, .unknown).status == 409 && order(live, .unknown).code == "R-3411")
        let unknown = api.send("POST", "Calls/\(RecordNumber(7).sid(prefix: "CA"))", ["Status": "completed"])
        #expect(unknown.status == 404 && unknown.code == "R-3201")
    }
}
