import Primitives
import Testing

@testable import RESTInterface

@Suite struct BansTests {
    let api: API

    init() throws { api = try API() }

    private func ban(_ digit: Character, _ kind: String, source: String?, login: String = "alice") -> BanRow {
        BanRow(
            sid: "BN" + String(repeating: digit, count: 32), kind: kind, source: source, login: login, failures: 20,
            since: UnixTime(milliseconds: api.clock.now.milliseconds - 10_000),
            until: UnixTime(milliseconds: api.clock.now.milliseconds + 50_000), refusal: Phones.refusal)
    }

    private func set(_ bans: [BanRow]) { api.phones.content.withLock { $0.bans = bans } }

    @Test func `A ban is shown whole, and a login from anywhere has no source`() {
        set([ban("1", "source", source: "203.0.113.7", login: "1\u{1}0"), ban("2", "login", source: nil)])
        let answer = api.send("GET", "Bans")
        #expect(answer.status == 200)
        #expect(
            answer.text.hasPrefix(
                """
                [
                  {
                    "sid": "BN11111111111111111111111111111111",
                    "kind": "source",
                    "source": "203.0.113.7",
                    "login": "1\\u00010",
                    "failures": 20,
                    "date_created": "Tue, 14 Nov 2023 22:13:10 +0000",
                    "date_expires": "Tue, 14 Nov 2023 22:14:10 +0000",
                    "expires_in": 50,
                    "code": "R-1303",
                    "message": "No device is registered.",
                    "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/Bans/BN11111111111111111111111111111111.json"
                  },
                  {
                    "sid": "BN22222222222222222222222222222222",
                    "kind": "login",
                    "login": "alice",
                """), "\(answer.text)")
        #expect(api.send("GET", "Bans?PageSize=1&Page=1").text.contains("BN2"))
        #expect(!api.send("GET", "Bans?PageSize=1&Page=1").text.contains("BN1"))
        #expect(api.send("GET", "Bans?PageSize=1&Page=7").list.isEmpty)
    }

    @Test func `A ban is lifted once`() {
        set([ban("1", "source", source: "203.0.113.7")])
        #expect(api.send("DELETE", "Bans/BN22222222222222222222222222222222").code == "R-3201")
        #expect(api.send("DELETE", "Bans/BN11111111111111111111111111111111").status == 200)
        #expect(api.send("DELETE", "Bans/BN11111111111111111111111111111111").code == "R-3201")
        #expect(api.send("GET", "Bans").list.isEmpty)
    }

    @Test func `Bans are of the whole server: no sub-account sees or lifts them, nor does anybody through its URL`()
        throws
    {
        let child = try api.account("Child", below: api.top)
        set([ban("1", "source", source: "203.0.113.7")])
        for (method, path) in [("GET", "Bans"), ("DELETE", "Bans/BN11111111111111111111111111111111")] {
            #expect(api.send(method, path, of: child.sid, as: child).code == "R-3107")
            #expect(api.send(method, path, of: child.sid).code == "R-3107")
            #expect(api.send(method, path, of: api.top.sid, as: child).code == "R-3103")
        }
        #expect(api.phones.bans().count == 1)
    }
}
