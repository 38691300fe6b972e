import Observability
import Primitives
import Store
import Testing

@testable import RESTInterface

@Suite struct MessagesTests {
    let api: API

    init() throws { api = try API() }

    private func later(_ milliseconds: Int64) -> UnixTime {
        UnixTime(milliseconds: api.clock.now.milliseconds + milliseconds)
    }

    @Test func `A text is sent once its record is there`() throws {
        try api.clients(["alice", "bob"])
        let answer = api.send("POST", "SMS/Messages", ["From": "alice", "To": "bob", "Body": "Hello\r\n<&> \u{1f600}"])
        let sid = try #require(answer["sid"])
        let number = try #require(RecordNumber(sid: sid, prefix: "SM"))
        #expect(
            api.phones.texts == [Phones.Text(body: "Hello\r\n<&> \u{1f600}", from: "alice", to: "bob", number: number)])
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "date_created": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_updated": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_sent": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "account_sid": "\(api.top.sid)",
                  "from": "alice",
                  "to": "bob",
                  "body": "Hello\\r\\n<&> \u{1f600}",
                  "status": "sending",
                  "direction": "outbound-api",
                  "api_version": "2012-04-24",
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/SMS/Messages/\(sid).json"
                }

                """)
        #expect(api.send("GET", "SMS/Messages/\(sid)").text == answer.text)
        #expect(api.send("GET", "Messages/\(sid)").text == answer.text)
        let xml = api.send("GET", "SMS/Messages/\(sid).xml").xml?.elements(forName: "SMSMessage").first
        #expect(xml?.elements(forName: "Body").first?.stringValue == "Hello\r\n<&> \u{1f600}")
    }

    @Test func `client: may stand before sender and recipient`() throws {
        try api.clients(["alice", String(repeating: "b", count: 64)])
        for path in ["SMS/Messages", "Messages"] {
            let answer = api.send(
                "POST", path,
                ["From": "client:alice", "To": "client:" + String(repeating: "b", count: 64), "Body": "Hello"])
            #expect(answer.status == 200 && answer["from"] == "alice", "\(answer.text)")
            #expect(answer["to"] == String(repeating: "b", count: 64))
        }
        #expect(api.phones.texts.map(\.from) == ["alice", "alice"])
        for bad in ["client:", "client:client:alice", "Client:alice", "sip:alice", "client:a b", ":alice"] {
            let answer = api.send("POST", "Messages", ["From": bad, "To": "alice", "Body": "x"])
            #expect(answer.code == "R-3302" && answer["parameter"] == "From", "\(bad)")
        }
    }

    @Test func `The sender is a client or a number of the account`() throws {
        let child = try api.account("Child", below: api.top)
        try api.clients(["alice", "bob"])
        try api.client("carol", of: child)
        try api.number("+123")
        try api.number("+456", of: child)
        for sender in ["alice", "+123"] {
            #expect(api.send("POST", "Messages", ["From": sender, "To": "bob", "Body": "x"])["from"] == sender)
        }
        for sender in ["carol", "+456", "nobody", "Alice"] {
            let answer = api.send("POST", "Messages", ["From": sender, "To": "bob", "Body": "x"])
            #expect(answer.status == 400 && answer.code == "R-3302" && answer["parameter"] == "From")
        }
        #expect(api.send("POST", "Messages", ["From": "alice", "To": "carol", "Body": "x"]).status == 200)
        let unknown = api.send("POST", "Messages", ["From": "alice", "To": "nobody", "Body": "x"])
        #expect(unknown.code == "R-3302" && unknown["parameter"] == "To")
        #expect(api.phones.texts.map(\.to) == ["bob", "bob", "carol"])
    }

    @Test func `A server that takes no texts now answers 503 with Retry-After, and the record failed`() throws {
        try api.clients(["alice", "bob"])
        api.phones.content.withLock {
            $0.refusal = SIPRefusal(
                code: "R-1508", number: 1508, status: 503, message: "The server is about to end.", retryAfter: 10)
        }
        let answer = api.send("POST", "SMS/Messages", ["From": "alice", "To": "bob", "Body": "x"])
        #expect(answer.status == 503 && answer.code == "R-3505" && answer["parameter"] == nil)
        #expect(answer.headers["Retry-After"] == "10")
        #expect(answer["message"] == "R-1508: The server is about to end.")
        #expect(api.send("GET", "SMS/Messages").values("status", in: "messages") == ["failed"])
    }

    @Test func `A recipient without a device is a conflict with the reason, and the record failed`() throws {
        try api.clients(["alice", "bob"])
        api.phones.content.withLock { $0.refusal = Phones.refusal }
        let answer = api.send("POST", "SMS/Messages", ["From": "alice", "To": "bob", "Body": "x"])
        #expect(answer.status == 409 && answer.code == "R-3408" && answer["parameter"] == "To")
        #expect(answer["message"] == "R-1303: No device is registered.")
        let list = api.send("GET", "SMS/Messages")
        #expect(list.values("status", in: "messages") == ["failed"])
        #expect(list.values("error_code", in: "messages") == ["R-1303"])
        #expect((list.object["messages"] as? [[String: Any]])?.first?["sip_code"] as? Int == 480)
    }

    @Test func `A text has up to 16000 characters and no NUL`() throws {
        try api.clients(["alice", "bob"])
        for (body, isGood) in [
            (String(repeating: "é", count: 16_000), true), (String(repeating: "x", count: 16_001), false), ("", false),
            ("a\u{0}b", false), ("\u{1}", true),
        ] {
            let answer = api.send("POST", "Messages", ["From": "alice", "To": "bob", "Body": body])
            #expect(answer.status == (isGood ? 200 : 400))
            #expect(answer["parameter"] == (isGood ? nil : "Body"))
        }
        for missing in ["From", "To", "Body"] {
            let all: KeyValuePairs = ["From": "alice", "To": "bob", "Body": "x"]
            let form = all.filter { $0.key != missing }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
            let answer = api.exchange(
                "POST", "/2012-04-24/Accounts/\(api.top.sid)/Messages.json", form,
                ["Authorization: " + API.basic(api.top.sid, api.top.authToken)])
            #expect(answer["message"] == "\(missing) can not be null.")
        }
    }

    @Test func `Without a SIP server nothing is sent or recorded`() throws {
        let api = try API { $0.sip = nil }
        try api.clients(["alice", "bob"])
        let answer = api.send("POST", "Messages", ["From": "alice", "To": "bob", "Body": "x"])
        #expect(answer.status == 503 && answer.code == "R-3501")
        #expect(api.send("GET", "Messages").number("total") == 0)
    }

    @Test func `The end of a text is shown with its reason`() throws {
        let row = try api.message("alice", "bob") {
            $0.status = .failed
            $0.endedAt = later(2000)
            $0.sipStatus = 480
            $0.reason = Int64(Reason.calleeNotRegistered.rawValue)
        }
        let answer = api.send("GET", "Messages/\(row.number.sid(prefix: "SM"))")
        #expect(answer["date_updated"] == "Tue, 14 Nov 2023 22:13:22 +0000" && answer["status"] == "failed")
        #expect(answer["error_code"] == "R-1303" && answer.number("sip_code") == 480)
        #expect(answer["error_message"]?.hasPrefix(Reason.calleeNotRegistered.cause.string) == true)
    }

    @Test(arguments: [
        ("", "bob,+1,bob"), ("From=alice", "bob,+1"), ("To=ob", "bob,bob"), ("Status=delivered", "+1"),
        ("Body=lo%20w", "bob"), ("Body=%25", ""), ("StartTime=2023-11-15", "+1,bob"), ("EndTime=2023-11-14", "bob"),
        ("Reverse=true", "bob,+1,bob"), ("Reverse=true&PageSize=1", "bob"), ("PageSize=2&Page=1", "bob"),
    ])
    func `Lists are filtered`(query: String, expected: String) throws {
        for (from, to, body, status, day) in [
            ("alice", "bob", "hello world", MessageStatus.failed, 0), ("alice", "+1", "x", .delivered, 1),
            ("carol", "bob", "y", .sending, 2),
        ] as [(String, String, String, MessageStatus, Int64)] {
            let time = later(day * 86_400_000)
            try api.message(from, to, body) {
                $0.number = RecordNumber(at: time, counter: 900)
                $0.createdAt = time
                $0.status = status
            }
        }
        for path in ["SMS/Messages", "Messages"] {
            let answer = api.send("GET", "\(path)?\(query)")
            #expect(answer.values("to", in: "messages").joined(separator: ",") == expected)
            #expect(answer["uri"] == "/api/2012-04-24/Accounts/\(api.top.sid)/\(path).json")
        }
        let list = api.send("GET", "SMS/Messages.xml?\(query)").xml?.elements(forName: "SMSMessages").first
        #expect(
            list?.elements(forName: "SMSMessage").count == (expected.isEmpty ? 0 : expected.split(separator: ",").count)
        )
    }

    @Test(arguments: ["Status=gone", "StartTime=x", "Reverse=yes", "PageSize=0", "Body=%00"])
    func `A bad filter is refused by name`(query: String) {
        let answer = api.send("GET", "Messages?\(query)")
        #expect(answer.code == "R-3302" && answer["parameter"].map { query.hasPrefix($0) } == true)
    }

    @Test func `Records of texts stay`() throws {
        let row = try api.message("alice", "bob")
        for method in ["DELETE", "PUT", "POST"] {
            #expect(api.send(method, "SMS/Messages/\(row.number.sid(prefix: "SM"))").code == "R-3202")
        }
        #expect(api.send("GET", "SMS/Messages/SM" + String(repeating: "0", count: 32)).code == "R-3201")
    }
}
