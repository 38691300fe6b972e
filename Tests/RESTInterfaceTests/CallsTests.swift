import Observability
import Primitives
import Store
import Testing

@testable import RESTInterface

@Suite struct CallsTests {
    let api: API

    init() throws { api = try API() }

    private func later(_ milliseconds: Int64) -> UnixTime {
        UnixTime(milliseconds: api.clock.now.milliseconds + milliseconds)
    }

    @Test func `A call is shown whole`() throws {
        let parent = try api.call("alice", "777")
        let row = try api.call("alice", "bob") { call in
            call.parent = parent.number
            call.callerName = "Alice \"A\""
            call.status = .completed
            call.ringingAt = later(1000)
            call.answeredAt = later(4400)
            call.endedAt = later(64_400)
            call.sipStatus = 200
            call.reason = Int64(Reason.noAnswer.rawValue)
            call.callID = "1@a"
        }
        let sid = row.number.sid(prefix: "CA")
        let answer = api.send("GET", "Calls/\(sid)")
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "date_created": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_updated": "Tue, 14 Nov 2023 22:14:24 +0000",
                  "parent_call_sid": "\(parent.number.sid(prefix: "CA"))",
                  "account_sid": "\(api.top.sid)",
                  "to": "bob",
                  "from": "alice",
                  "status": "completed",
                  "start_time": "2023-11-14T22:13:20.250Z",
                  "answer_time": "2023-11-14T22:13:24.650Z",
                  "end_time": "2023-11-14T22:14:24.650Z",
                  "duration": 60,
                  "direction": "client-to-client",
                  "api_version": "2012-04-24",
                  "caller_name": "Alice \\"A\\"",
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/Calls/\(sid).json",
                  "ring_duration": 3,
                  "sip_code": 200,
                  "reason_code": "\(Reason.noAnswer.code.string)",
                  "reason": "\(Reason.noAnswer.cause.string) \(Reason.noAnswer.remedy.string)",
                  "call_id": "1@a",
                  "subresource_uris": {
                    "notifications": "/api/2012-04-24/Accounts/\(api.top.sid)/Calls/\(sid)/Notifications.json"
                  }
                }

                """)
        #expect(
            api.send("GET", "Calls?ParentCallSid=\(parent.number.sid(prefix: "CA"))").values("sid", in: "calls") == [
                sid
            ])
    }

    @Test func `Times run until now while the call goes on, and never below 0`() throws {
        let ringing = try api.call("a", "b") { $0.ringingAt = later(2000) }
        let talking = try api.call("a", "b") {
            $0.status = .inProgress
            $0.answeredAt = later(3000)
        }
        let odd = try api.call("a", "b") {
            $0.status = .completed
            $0.ringingAt = later(5000)
            $0.answeredAt = later(3000)
            $0.endedAt = later(1000)
        }
        api.clock.wait(seconds: 10)
        func numbers(_ row: CallRow) -> [Int?] {
            let answer = api.send("GET", "Calls/\(row.number.sid(prefix: "CA"))")
            return [answer.number("duration"), answer.number("ring_duration")]
        }
        #expect(numbers(ringing) == [0, 8])
        #expect(numbers(talking) == [7, 3])
        #expect(numbers(odd) == [0, 0])
        api.clock.wait(seconds: -100)
        #expect(numbers(talking) == [0, 3])
    }

    @Test func `A reason that this version does not know is left out`() throws {
        let row = try api.call("a", "b") { $0.reason = 65_000 }
        let answer = api.send("GET", "Calls/\(row.number.sid(prefix: "CA"))")
        #expect(answer.status == 200 && answer["reason_code"] == nil && answer["reason"] == nil)
    }

    @Test(arguments: ["CA0", "CA" + String(repeating: "0", count: 32), "CA" + String(repeating: "f", count: 32), "SM1"])
    func `A sid of no call is not found`(sid: String) {
        #expect(api.send("GET", "Calls/\(sid)").code == "R-3201")
    }

    /// Some calls on three days.
    private func fill() throws {
        let calls: [(String, String, CallStatus, Int64)] = [
            ("alice", "bob", .completed, 0), ("alice", "+49301", .busy, 1), ("carol", "bob", .noAnswer, 1),
            ("malice", "777", .canceled, 2),
        ]
        for (index, (from, to, status, day)) in calls.enumerated() {
            let start = later(day * 86_400_000)
            try api.call(from, to) {
                $0.number = RecordNumber(at: start, counter: UInt64(900 + index))
                $0.startedAt = start
                $0.status = status
                $0.answeredAt = status == .completed ? start : nil
                $0.endedAt = UnixTime(milliseconds: start.milliseconds + 1000 * (5 - day))
            }
        }
        try api.call("other", "bob", of: try api.account("Child", below: api.top))
    }

    @Test(arguments: [
        ("", "bob,+49301,bob,777"), ("From=alice", "bob,+49301,777"), ("From=carol", "bob"), ("From=ali", ""),
        ("To=bob", "bob,bob"), ("To=301", "+49301"), ("To=%25", ""), ("To=_ob", ""), ("Status=busy", "+49301"),
        ("Status=no-answer&To=bob", "bob"), ("StartTime=2023-11-15", "+49301,bob,777"),
        ("EndTime=2023-11-15", "bob,+49301,bob"), ("StartTime=2023-11-15&EndTime=2023-11-15", "+49301,bob"),
        ("StartTime=2023-11-17", ""), ("EndTime=2023-11-13", ""), ("From=&Status=&StartTime=", "bob,+49301,bob,777"),
        ("Reverse=true", "777,bob,+49301,bob"), ("Reverse=false", "bob,+49301,bob,777"),
        ("SortBy=To", "+49301,777,bob,bob"), ("SortBy=To:desc", "bob,bob,777,+49301"),
        ("SortBy=From:desc&To=bob", "bob,bob"), ("SortBy=DateCreated:desc", "777,bob,+49301,bob"),
        ("SortBy=Status", "+49301,777,bob,bob"), ("SortBy=Duration:desc&PageSize=1", "bob"),
        ("SortBy=Direction", "bob,+49301,bob,777"), ("PageSize=1&Page=3", "777"),
        ("ParentCallSid=CA00000000000000000000000000000000", ""),
    ])
    func `Lists are filtered and sorted`(query: String, expected: String) throws {
        try fill()
        let answer = api.send("GET", "Calls?\(query)")
        #expect(answer.values("to", in: "calls").joined(separator: ",") == expected)
        let count = expected.isEmpty ? 0 : expected.split(separator: ",").count
        if !query.contains("PageSize") { #expect(answer.number("total") == count) }
    }

    @Test(arguments: [
        "Status=gone", "Status=Completed", "StartTime=yesterday", "EndTime=2023-02-30", "SortBy=Price",
        "SortBy=From:up",
        "SortBy=:asc", "SortBy=From:asc:x", "Reverse=1", "ParentCallSid=x", "Page=-1", "PageSize=0", "PageSize=1001",
    ])
    func `A bad filter is refused by name`(query: String) {
        let answer = api.send("GET", "Calls?\(query)")
        #expect(answer.status == 400 && answer.code == "R-3302")
        #expect(answer["parameter"].map { query.hasPrefix($0) } == true)
    }

    @Test func `Records of calls cannot be replaced or deleted`() throws {
        let row = try api.call("a", "b")
        for method in ["PUT", "DELETE"] {
            #expect(api.send(method, "Calls").code == "R-3202")
            #expect(api.send(method, "Calls/\(row.number.sid(prefix: "CA"))").code == "R-3202")
        }
    }
}
