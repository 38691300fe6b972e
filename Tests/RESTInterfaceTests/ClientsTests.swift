import Store
import Testing

@testable import RESTInterface

@Suite struct ClientsTests {
    let api: API

    init() throws { api = try API() }

    /// A client as stored.
    private func stored(_ login: String, in api: API? = nil) throws -> ClientRow? {
        try (api ?? self.api).stored { store throws(StoreError) in try store.client(login: login) }
    }

    @Test func `A client is made with the page's parameters and usual values for the rest`() throws {
        let answer = api.send("POST", "Clients", ["Login": "alice", "Password": "test"])
        let sid = try #require(answer["sid"])
        #expect(answer.status == 200 && Parameter.isSID(sid, "CL"))
        let row = try #require(try stored("alice"))
        #expect(row.sid == sid && row.accountID == api.top.id && row.realm == "example.com")
        #expect(row.hasPassword("test", realm: "example.com") && row.password == "test")
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "date_created": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_updated": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "account_sid": "\(api.top.sid)",
                  "api_version": "2012-04-24",
                  "friendly_name": "alice",
                  "login": "alice",
                  "password": "test",
                  "status": "1",
                  "voice_method": "POST",
                  "voice_fallback_method": "POST",
                  "uri": "/api/2012-04-24/Accounts/\(api.top.sid)/Clients/\(sid).json"
                }

                """)
        #expect(api.send("GET", "Clients/\(sid)").text == answer.text)
        #expect(api.send("GET", "Clients").values("sid") == [sid])
    }

    @Test func `Every parameter of a client is taken`() throws {
        let application = try api.application("App")
        let answer = api.send(
            "POST", "Clients",
            [
                "Login": "a%40b", "Password": "pass word:é", "FriendlyName": "Ålice <&> \"x\"", "Status": "0",
                "VoiceUrl": "http://app.example/a?b=c&d", "VoiceMethod": "get", "VoiceFallbackUrl": "http://a/other",
                "VoiceFallbackMethod": "Get", "VoiceApplicationSid": application.sid,
            ])
        #expect(answer.status == 200)
        #expect(answer["friendly_name"] == "Ålice <&> \"x\"" && answer["status"] == "0")
        #expect(answer["voice_url"] == "http://app.example/a?b=c&d" && answer["voice_method"] == "GET")
        #expect(answer["voice_fallback_url"] == "http://a/other" && answer["voice_fallback_method"] == "GET")
        #expect(answer["voice_application_sid"] == application.sid && answer["password"] == "pass word:é")
        let xml = api.send("GET", "Clients/\(answer["sid"] ?? "").xml").xml?.elements(forName: "Client").first
        #expect(xml?.elements(forName: "FriendlyName").first?.stringValue == "Ålice <&> \"x\"")
        #expect(xml?.elements(forName: "VoiceUrl").first?.stringValue == "http://app.example/a?b=c&d")
    }

    @Test func `An empty optional value is none or the usual one`() {
        let answer = api.send(
            "POST", "Clients",
            [
                "Login": "alice", "Password": "test", "FriendlyName": "", "VoiceUrl": "", "VoiceMethod": "",
                "VoiceFallbackUrl": "", "VoiceFallbackMethod": "", "VoiceApplicationSid": "",
            ])
        #expect(answer["friendly_name"] == "alice" && answer["voice_method"] == "POST")
        #expect(answer["voice_url"] == nil && answer["voice_application_sid"] == nil)
        let refused = api.send("POST", "Clients", ["Login": "bob", "Password": "test", "Status": ""])
        #expect(refused.code == "R-3302" && refused["parameter"] == "Status")
    }

    @Test(arguments: ["maria.test@telestax.com", "maria.test?", "a:b", "a b", ""])
    func `A login that is none is refused with the word invalid`(login: String) {
        let answer = api.send("POST", "Clients", ["Login": login, "Password": "test"])
        #expect(answer.status == 400 && answer.code == "R-3302")
        #expect(answer["message"]?.contains("invalid") == true && answer["parameter"] == "Login")
    }

    @Test func `The same creation again gives the client that exists, with other values it is a conflict`() throws {
        let form: KeyValuePairs = ["Login": "alice", "Password": "test", "VoiceUrl": "http://a/", "FriendlyName": "A"]
        let first = api.send("POST", "Clients", form)
        api.clock.wait(seconds: 5)
        #expect(api.send("POST", "Clients", form).text == first.text)
        #expect(api.send("POST", "Clients", ["Login": "alice", "Password": "test"]).text == first.text)
        #expect(
            api.send("POST", "Clients", ["Login": "alice", "Password": "test", "VoiceMethod": "post"]).text
                == first.text)
        for other: KeyValuePairs in [
            ["Login": "alice", "Password": "Test"], ["Login": "alice", "Password": "test", "FriendlyName": "B"],
            ["Login": "alice", "Password": "test", "Status": "0"],
            ["Login": "alice", "Password": "test", "VoiceUrl": ""],
            ["Login": "alice", "Password": "test", "VoiceMethod": "GET"],
            ["Login": "alice", "Password": "test", "FriendlyName": ""],
        ] {
            let answer = api.send("POST", "Clients", other)
            #expect(answer.status == 409 && answer.code == "R-3401", "\(other)")
        }
        #expect(api.send("GET", "Clients").text.contains(first["sid"] ?? "?"))
        #expect(api.send("GET", "Clients").list.count == 1)
    }

    @Test func `A login of another account is a conflict in Restcomm's words`() throws {
        let child = try api.account("Child", below: api.top)
        try api.client("alice", of: child)
        for password in ["test", "secret-alice"] {
            let answer = api.send("POST", "Clients", ["Login": "alice", "Password": password])
            #expect(answer.status == 409 && answer.code == "R-3402")
            #expect(
                answer["message"]
                    == "A client with the same name was already created by another account. "
                    + "Please, choose a different name and try again.")
        }
        #expect(api.send("POST", "Clients", ["Login": "Alice", "Password": "test"]).status == 200)
    }

    @Test func `A creation that another one overtakes gets the client or the conflict`() throws {
        let row = try #require(try api.client("model") as ClientRow?)
        func overtake(_ login: String, _ password: String) {
            var other = row
            other.sid = ""
            other.login = login
            other.friendlyName = login
            other.setPassword(password, realm: "example.com", isKept: true)
            let made = other
            api.transactions.before.withLock {
                $0 = { store throws(StoreError) in _ = try store.createClient(made) }
            }
        }
        overtake("alice", "test")
        #expect(api.send("POST", "Clients", ["Login": "alice", "Password": "test"]).status == 200)
        overtake("bob", "other")
        #expect(api.send("POST", "Clients", ["Login": "bob", "Password": "test"]).code == "R-3401")
        #expect(api.send("GET", "Clients").list.count == 3)
    }

    @Test func `A password that is too short is refused as weak, after the conflict and not when it exists`() throws {
        let api = try API { $0.minPasswordLength = 8 }
        let weak = api.send("POST", "Clients", ["Login": "alice", "Password": "1234567"])
        #expect(weak.status == 400 && weak.code == "R-3303" && weak["parameter"] == "Password")
        #expect(weak["message"] == "Password too weak: at least 8 characters are needed.")
        #expect(try stored("alice", in: api) == nil)
        #expect(api.send("POST", "Clients", ["Login": "alice", "Password": "ééééé日本語"]).status == 200)
        let client = try api.client("bob")
        #expect(api.send("PUT", "Clients/\(client.sid)", ["Password": "short"]).code == "R-3303")
        #expect(api.send("PUT", "Clients/\(client.sid)", ["Password": ""]).code == "R-3302")
        #expect(api.send("PUT", "Clients/\(client.sid)", ["FriendlyName": "x"]).status == 200)
        #expect(api.send("POST", "Clients", ["Login": "bob", "Password": "short"]).code == "R-3401")
        #expect(try stored("bob", in: api)?.password == "secret-bob")
    }

    @Test func `Where only digests are kept a password is shown once, and a creation may still be repeated`() throws {
        let api = try API { $0.keepsPasswords = false }
        let form: KeyValuePairs = ["Login": "alice", "Password": "test"]
        let made = api.send("POST", "Clients", form)
        let sid = try #require(made["sid"])
        #expect(made["password"] == "test")
        #expect(try stored("alice", in: api)?.password == nil)
        #expect(try stored("alice", in: api)?.hasPassword("test", realm: "example.com") == true)
        #expect(api.send("GET", "Clients/\(sid)")["password"] == nil)
        #expect(api.send("GET", "Clients").list.first?["password"] == nil)
        let again = api.send("POST", "Clients", form)
        #expect(again.status == 200 && again["sid"] == sid)
        #expect(api.send("POST", "Clients", ["Login": "alice", "Password": "other"]).code == "R-3401")
        #expect(api.send("PUT", "Clients/\(sid)", ["FriendlyName": "x"])["password"] == nil)
        #expect(api.send("PUT", "Clients/\(sid)", ["Password": "new"])["password"] == "new")
        #expect(api.send("GET", "Clients/\(sid)")["password"] == nil)
        #expect(try stored("alice", in: api)?.hasPassword("new", realm: "example.com") == true)
    }

    @Test(arguments: ["POST", "PUT"])
    func `An update changes what is sent, clears what is empty and leaves the rest`(method: String) throws {
        let application = try api.application("App")
        let made = api.send(
            "POST", "Clients",
            [
                "Login": "alice", "Password": "test", "FriendlyName": "A", "VoiceUrl": "http://a/",
                "VoiceMethod": "GET", "VoiceFallbackUrl": "http://b/", "VoiceFallbackMethod": "GET",
                "VoiceApplicationSid": application.sid,
            ])
        let path = "Clients/\(made["sid"] ?? "")"
        api.clock.wait(seconds: 60)
        let untouched = api.send(method, path)
        var expected = made.object
        expected["date_updated"] = "Tue, 14 Nov 2023 22:14:20 +0000"
        #expect(untouched.status == 200 && untouched.object as? [String: String] == expected as? [String: String])
        let form: KeyValuePairs = [
            "FriendlyName": "", "VoiceUrl": "", "VoiceMethod": "", "VoiceFallbackUrl": "", "VoiceFallbackMethod": "",
            "VoiceApplicationSid": "",
        ]
        for field in form {
            let answer = api.send(method, path, [field.key: field.value])
            let member = field.key.replacing(/([a-z])([A-Z])/) { "\($0.1)_\($0.2)" }.lowercased()
            if member == "friendly_name" {
                expected[member] = "alice"
            } else if member.hasSuffix("method") {
                expected[member] = "POST"
            } else {
                expected[member] = nil
            }
            #expect(answer.object as? [String: String] == expected as? [String: String], "\(field.key)")
        }
        #expect(api.send("GET", path).object as? [String: String] == expected as? [String: String])
        let changed = api.send(method, path, ["Password": "new", "Status": "0", "Login": "alice"])
        #expect(changed["password"] == "new" && changed["status"] == "0")
        #expect(try stored("alice")?.hasPassword("new", realm: "example.com") == true)
    }

    @Test func `An update refuses what cannot be, and then changes nothing`() throws {
        let child = try api.account("Child", below: api.top)
        let foreign = try api.application("Foreign", of: child)
        let client = try api.client("alice")
        for (name, value) in [
            ("Login", "bob"), ("Login", "a b"), ("Password", ""), ("Status", "2"), ("Status", "true"), ("Status", ""),
            ("VoiceUrl", "ftp://a"), ("VoiceMethod", "PUT"), ("VoiceApplicationSid", foreign.sid),
            ("VoiceApplicationSid", "AP0"), ("FriendlyName", "a\nb"),
        ] {
            let answer = api.send(
                "PUT", "Clients/\(client.sid)", ["VoiceFallbackUrl": "http://a/changed", name: value])
            #expect(answer.code == "R-3302" && answer["parameter"] == name, "\(name)=\(value)")
        }
        #expect(try stored("alice") == client)
        #expect(api.send("PUT", "Clients/CL0", ["Status": "0"]).code == "R-3201")
    }

    @Test func `An application must be one of the client's account`() throws {
        let child = try api.account("Child", below: api.top)
        let foreign = try api.application("Foreign", of: child)
        let answer = api.send(
            "POST", "Clients", ["Login": "alice", "Password": "test", "VoiceApplicationSid": foreign.sid])
        #expect(answer.code == "R-3302" && answer["parameter"] == "VoiceApplicationSid")
        #expect(try stored("alice") == nil)
    }

    @Test func `A client that is disabled or deleted has no registrations`() throws {
        let clients = try api.clients(["alice", "bob"])
        try api.bind(clients.map { api.binding($0) })
        #expect(api.send("PUT", "Clients/\(clients[0].sid)", ["FriendlyName": "x"]).status == 200)
        #expect(api.send("GET", "Registrations").values("login") == ["alice", "bob"])
        #expect(api.send("PUT", "Clients/\(clients[0].sid)", ["Status": "0"]).status == 200)
        #expect(api.send("GET", "Registrations").values("login") == ["bob"])
        let deleted = api.send("DELETE", "Clients/\(clients[1].sid)")
        #expect(deleted.status == 200 && deleted.bytes.isEmpty && deleted.headers.isEmpty)
        #expect(api.send("GET", "Registrations").text == "[]\n")
        for method in ["GET", "DELETE", "PUT", "POST"] {
            #expect(api.send(method, "Clients/\(clients[1].sid)").code == "R-3201")
        }
    }

    @Test func `A change that another one overtakes finds the client as it is then`() throws {
        let client = try api.client("alice")
        var other = client
        other.friendlyName = "Other"
        let changed = other
        api.transactions.before.withLock { $0 = { store throws(StoreError) in _ = try store.updateClient(changed) } }
        #expect(api.send("PUT", "Clients/\(client.sid)", ["VoiceUrl": "http://a/x"])["friendly_name"] == "Other")
        api.transactions.before.withLock {
            $0 = { store throws(StoreError) in _ = try store.removeClient(id: client.id) }
        }
        #expect(api.send("PUT", "Clients/\(client.sid)", ["VoiceUrl": "http://a/y"]).code == "R-3201")
    }

    @Test func `Nothing is made in an account that was closed`() throws {
        let child = try api.account("Child", below: api.top)
        try api.setStatus(.closed, of: child)
        let answer = api.send("POST", "Clients", ["Login": "alice", "Password": "test"], of: child.sid)
        #expect(answer.status == 400 && answer.code == "R-3406")
    }

    @Test func `A list is filtered and paged`() throws {
        try api.clients(["a", "b", "c", "d", "e"])
        try api.client("off", status: 0)
        _ = api.send("POST", "Clients", ["Login": "named", "Password": "x", "FriendlyName": "a"])
        #expect(api.send("GET", "Clients").values("login") == ["a", "b", "c", "d", "e", "off", "named"])
        #expect(api.send("GET", "Clients?Login=c").values("login") == ["c"])
        #expect(api.send("GET", "Clients?Status=0").values("login") == ["off"])
        #expect(api.send("GET", "Clients?FriendlyName=a").values("login") == ["a", "named"])
        #expect(api.send("GET", "Clients?FriendlyName=a&Status=1&Login=named").values("login") == ["named"])
        #expect(api.send("GET", "Clients?Login=&Status=").list.count == 7)
        #expect(api.send("GET", "Clients?PageSize=3").values("login") == ["a", "b", "c"])
        #expect(api.send("GET", "Clients?PageSize=3&Page=2").values("login") == ["named"])
        #expect(api.send("GET", "Clients?PageSize=3&Page=3").text == "[]\n")
        #expect(api.send("GET", "Clients?Page=0").list.count == 7)
        #expect(api.send("GET", "Clients?PageSize=2&Page=1&Status=1").values("login") == ["c", "d"])
        for query in ["Status=2", "Page=-1", "Page=x", "PageSize=0", "PageSize=1001", "Page=1000000000"] {
            #expect(api.send("GET", "Clients?\(query)").code == "R-3302", "\(query)")
        }
    }
}
