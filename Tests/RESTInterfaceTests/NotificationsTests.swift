import Primitives
import Store
import Testing

@testable import RESTInterface

@Suite struct NotificationsTests {
    let api: API

    init() throws { api = try API() }

    @Test func `A notification is shown whole, by its call and by its own sid`() throws {
        let call = try api.call("alice", "777")
        let row = try api.notification(of: call.number, "<Play> was skipped.") {
            $0.level = 1
            $0.url = "http://app.example/voice"
            $0.line = 3
            $0.column = 7
        }
        let (sid, callSID) = (row.number.sid(prefix: "NO"), call.number.sid(prefix: "CA"))
        let answer = api.send("GET", "Notifications/\(sid)")
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "date_created": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_updated": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "account_sid": "\(api.top.sid)",
                  "call_sid": "\(callSID)",
                  "api_version": "2012-04-24",
                  "log": 1,
                  "error_code": 11205,
                  "more_info": "Docs/Applications.md#notifications",
                  "message_text": "<Play> was skipped.",
                  "message_date": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "request_url": "http://app.example/voice",
                  "line": 3,
                  "column": 7,
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/Notifications/\(sid).json"
                }

                """)
        let page = api.send("GET", "Calls/\(callSID)/Notifications")
        #expect(page.values("sid", in: "notifications") == [sid] && page.number("total") == 1)
        #expect(page["uri"] == "/api/2012-04-24/Accounts/\(api.top.sid)/Calls/\(callSID)/Notifications.json")
        let xml = api.send("GET", "Calls/\(callSID)/Notifications.xml").xml?.elements(forName: "Notifications").first
        let text = xml?.elements(forName: "Notification").first?.elements(forName: "MessageText").first
        #expect(text?.stringValue == "<Play> was skipped.")
    }

    @Test(arguments: ["SMS/Messages", "Messages"])
    func `A notification of a text names the text`(path: String) throws {
        let text = try api.message("alice", "777")
        try api.notification(of: text.number)
        try api.notification(of: try api.call("alice", "bob").number)
        let sid = text.number.sid(prefix: "SM")
        let page = api.send("GET", "\(path)/\(sid)/Notifications")
        #expect(page.values("sms_sid", in: "notifications") == [sid])
        #expect(page.values("call_sid", in: "notifications") == ["?"])
        #expect(page["uri"] == "/api/2012-04-24/Accounts/\(api.top.sid)/\(path)/\(sid)/Notifications.json")
        #expect(api.send("GET", "Notifications").number("total") == 2)
    }

    @Test(arguments: [
        ("", "one,two,three"), ("Log=1", "two"), ("ErrorCode=12001", "two"), ("MessageText=thr", "three"),
        ("Reverse=true", "three,two,one"), ("StartTime=2023-11-15", "three"), ("EndTime=2023-11-14", "one,two"),
        ("PageSize=1&Page=1", "two"),
    ])
    func `The list is limited, ordered and paged`(query: String, expected: String) throws {
        let number = try api.call("alice", "bob").number
        try api.notification(of: number, "one")
        try api.notification(of: number, "two") {
            $0.level = 1
            $0.code = 12_001
        }
        api.clock.wait(seconds: 86_400)
        try api.notification(of: number, "three")
        let page = api.send("GET", "Notifications?\(query)")
        #expect(page.values("message_text", in: "notifications") == expected.split(separator: ",").map(String.init))
    }

    @Test func `Notifications of another account are kept from others, and what is not there is 404`() throws {
        let child = try api.account("Child", below: api.top)
        let call = try api.call("carol", "777", of: child)
        let row = try api.notification(of: call.number, account: child)
        let path = "Calls/\(call.number.sid(prefix: "CA"))/Notifications"
        #expect(api.send("GET", path).code == "R-3104")
        #expect(api.send("GET", path, of: child.sid).number("total") == 1)
        #expect(api.send("GET", "Notifications").number("total") == 0)
        #expect(api.send("GET", "Notifications/\(row.number.sid(prefix: "NO"))").code == "R-3104")
        for path in [
            "Notifications/NO1", "Notifications/" + RecordNumber(7).sid(prefix: "NO"),
            "Calls/\(RecordNumber(7).sid(prefix: "CA"))/Notifications", "Calls/CA1/Notifications",
        ] {
            #expect(api.send("GET", path).code == "R-3201", "\(path)")
        }
    }
}
