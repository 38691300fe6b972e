import Primitives
import Store
import Testing

@testable import RESTInterface

@Suite struct RegistrationsTests {
    let api: API

    init() throws { api = try API() }

    @Test func `A registration is shown whole`() throws {
        let client = try api.client("alice")
        var binding = api.binding(client)
        binding.q = 500
        binding.instance = Array("<urn:uuid:1>".utf8)
        binding.userAgent = Array("Phone \"1\"\u{1}".utf8) + [0xff]
        binding.createdAt = UnixTime(milliseconds: api.clock.now.milliseconds - 60_000)
        try api.bind([binding])
        let sid = RegistrationSID.make(binding)
        let answer = api.send("GET", "Registrations/\(sid)")
        #expect(answer.status == 200 && Parameter.isSID(sid, "RG"))
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "account_sid": "\(api.top.sid)",
                  "client_sid": "\(client.sid)",
                  "login": "alice",
                  "contact": "sip:alice@192.0.2.7:5061",
                  "source": "192.0.2.7:5061",
                  "transport": "udp",
                  "user_agent": "Phone \\"1\\"\\u0001\u{fffd}",
                  "instance_id": "<urn:uuid:1>",
                  "status": "active",
                  "q": "0.5",
                  "date_created": "Tue, 14 Nov 2023 22:12:20 +0000",
                  "date_last_seen": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "last_alive": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "reachable": true,
                  "date_expires": "Tue, 14 Nov 2023 22:23:20 +0000",
                  "expires_in": 600,
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/Registrations/\(sid).json"
                }

                """)
        #expect(api.send("GET", "Clients/\(client.sid)/Registrations/\(sid)").text == answer.text)
        #expect(api.send("GET", "Registrations").values("sid") == [sid])
        #expect(api.send("GET", "Clients/\(client.sid)/Registrations").values("sid") == [sid])
        let xml = api.send("GET", "Registrations/\(sid).xml").xml
        #expect(
            xml?.elements(forName: "Registration").first?.elements(forName: "UserAgent").first?.stringValue
                == "Phone \"1\"\u{fffd}\u{fffd}")
    }

    @Test(arguments: [(0, "0"), (1, "0.001"), (10, "0.01"), (100, "0.1"), (250, "0.25"), (999, "0.999"), (1000, "1")])
    func `A preference is written as in SIP`(thousandths: UInt16, text: String) throws {
        var binding = api.binding(try api.client("alice"))
        binding.q = thousandths
        try api.bind([binding])
        #expect(api.send("GET", "Registrations/\(RegistrationSID.make(binding))")["q"] == text)
    }

    @Test func `A device on TCP that has not come back since a restart is waiting`() throws {
        let client = try api.client("alice")
        var bindings = ["a", "b", "c"].map { api.binding(client, $0) }
        bindings[0].transport = .tcp
        bindings[1].transport = .tcp
        bindings[1].listener = ""
        bindings[2].listener = ""
        try api.bind(bindings)
        let list = api.send("GET", "Registrations")
        #expect(list.values("status") == ["active", "waiting", "active"])
        #expect(list.values("transport") == ["tcp", "tcp", "udp"])
    }

    @Test func `Only what is live counts, and remaining seconds are rounded up`() throws {
        let client = try api.client("alice")
        let bindings = [api.binding(client, "a", expiresIn: 10), api.binding(client, "b", expiresIn: 20)]
        try api.bind(bindings)
        api.clock.wait(milliseconds: 9_001)
        #expect(api.send("GET", "Registrations").list.map { $0["expires_in"] as? Int } == [1, 11])
        api.clock.wait(milliseconds: 999)
        #expect(api.send("GET", "Registrations").list.map { $0["expires_in"] as? Int } == [10])
        #expect(api.send("GET", "Registrations/\(RegistrationSID.make(bindings[0]))").code == "R-3201")
        #expect(api.send("DELETE", "Registrations/\(RegistrationSID.make(bindings[0]))").code == "R-3201")
    }

    @Test func `Lists go client by client, and are paged`() throws {
        let clients = try api.clients(["alice", "bob"])
        try api.bind(["b", "a", "c"].flatMap { key in clients.map { api.binding($0, key) } })
        #expect(api.send("GET", "Registrations").values("login") == ["alice", "alice", "alice", "bob", "bob", "bob"])
        #expect(api.send("GET", "Clients/\(clients[1].sid)/Registrations").values("login") == ["bob", "bob", "bob"])
        #expect(api.send("GET", "Registrations?PageSize=4&Page=1").values("login") == ["bob", "bob"])
        #expect(api.send("GET", "Clients/\(clients[0].sid)/Registrations?PageSize=2&Page=1").list.count == 1)
        #expect(api.send("GET", "Registrations?Page=9").text == "[]\n")
        #expect(api.send("GET", "Clients/\(clients[0].sid)/Registrations?Page=-1").code == "R-3302")
        #expect(api.send("GET", "Registrations?PageSize=0").code == "R-3302")
        #expect(api.send("GET", "Clients/CL0/Registrations").code == "R-3201")
    }

    @Test func `A registration that ends is gone for SIP before the answer`() throws {
        let client = try api.client("alice")
        let bindings = ["one", "two", "three"].map { api.binding(client, $0) }
        try api.bind(bindings)
        let deleted = api.send("DELETE", "Registrations/\(RegistrationSID.make(bindings[0]))")
        #expect(deleted.status == 200 && deleted.bytes.isEmpty)
        let other = api.send("DELETE", "Clients/\(client.sid)/Registrations/\(RegistrationSID.make(bindings[1]))")
        #expect(other.status == 200)
        #expect(api.phones.removed == ["alice one", "alice two"])
        #expect(api.send("GET", "Registrations").list.count == 1)
        #expect(api.send("DELETE", "Registrations/\(RegistrationSID.make(bindings[0]))").code == "R-3201")
        #expect(api.send("GET", "Registrations/\(RegistrationSID.make(bindings[0]))").code == "R-3201")
        #expect(api.phones.removed.count == 2)
    }

    @Test func `A sid of no registration is not found`() throws {
        let clients = try api.clients(["alice", "bob"])
        let binding = api.binding(clients[0])
        try api.bind([binding])
        let sid = RegistrationSID.make(binding)
        for other in [
            "RG0", "RG" + String(repeating: "0", count: 32), "RG" + String(repeating: "f", count: 32),
            String(sid.dropLast()) + (sid.last == "0" ? "1" : "0"), sid.uppercased(), "CL" + sid.dropFirst(2),
        ] {
            #expect(api.send("GET", "Registrations/\(other)").code == "R-3201", "\(other)")
            #expect(api.send("DELETE", "Registrations/\(other)").code == "R-3201")
        }
        #expect(api.send("GET", "Clients/\(clients[1].sid)/Registrations/\(sid)").code == "R-3201")
        #expect(api.send("GET", "Clients/CL0/Registrations/\(sid)").code == "R-3201")
        #expect(api.phones.removed.isEmpty)
    }

    @Test func `A registration is found among very many of its client`() throws {
        let client = try api.client("alice")
        let bindings = (100..<350).map { api.binding(client, "key\($0)") }
        try api.bind(bindings)
        for index in [0, 99, 100, 249] {
            #expect(api.send("GET", "Registrations/\(RegistrationSID.make(bindings[index]))").status == 200)
        }
    }

    @Test(arguments: ["RegistrationStatus", "registration_status"])
    func `The status of a client tells of its devices and its last failure`(segment: String) throws {
        let client = try api.client("alice")
        let path = "Clients/\(client.sid)/\(segment)"
        let none = api.send("GET", path)
        #expect(none.object["registered"] as? Bool == false && none.number("registrations") == 0)
        #expect(none["date_last_seen"] == nil && none.object["last_failure"] == nil)
        var later = api.binding(client, "two")
        later.updatedAt = UnixTime(milliseconds: later.updatedAt.milliseconds + 5000)
        try api.bind([api.binding(client), later, api.binding(client, "gone", expiresIn: 0)])
        let now = api.clock.now
        api.phones.content.withLock {
            $0.failures["alice"] = AttemptReport(
                date: now, source: "192.0.2.9:5060", transport: "tcp", userAgent: "Bad/1", method: "REGISTER",
                refusal: SIPRefusal(code: "R-1102", number: 1102, status: 401, message: "Wrong."))
        }
        #expect(
            api.send("GET", path).text == """
                {
                  "client_sid": "\(client.sid)",
                  "account_sid": "\(api.top.sid)",
                  "login": "alice",
                  "registered": true,
                  "registrations": 2,
                  "date_last_seen": "Tue, 14 Nov 2023 22:13:25 +0000",
                  "last_failure": {
                    "date": "Tue, 14 Nov 2023 22:13:20 +0000",
                    "source": "192.0.2.9:5060",
                    "transport": "tcp",
                    "user_agent": "Bad/1",
                    "method": "REGISTER",
                    "code": "R-1102",
                    "message": "Wrong."
                  },
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/Clients/\(client.sid)/RegistrationStatus.json"
                }

                """)
        #expect(api.send("GET", "Clients/CL0/\(segment)").code == "R-3201")
    }

    @Test func `Without a SIP server registrations are still shown and ended`() throws {
        let api = try API { $0.sip = nil }
        let client = try api.client("alice")
        let binding = api.binding(client)
        try api.bind([binding])
        #expect(api.send("GET", "Clients/\(client.sid)/RegistrationStatus").number("registrations") == 1)
        #expect(api.send("DELETE", "Registrations/\(RegistrationSID.make(binding))").status == 200)
        #expect(api.send("GET", "Registrations").text == "[]\n")
    }
}
