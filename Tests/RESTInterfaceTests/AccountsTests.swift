import Store
import Testing

@testable import RESTInterface

@Suite struct AccountsTests {
    let api: API

    init() throws { api = try API() }

    @Test func `An account is made below the caller's and shown whole`() throws {
        let answer = api.send("POST", "/Accounts", ["FriendlyName": "Child", "EmailAddress": "child@example.com"])
        let sid = try #require(answer["sid"])
        let row = try #require(try api.stored { store throws(StoreError) in try store.account(sid: sid) })
        let base = "/api/2012-04-24/Accounts/\(sid)"
        #expect(row.parentSID == api.top.sid && answer.status == 200)
        #expect(
            answer.text == """
                {
                  "sid": "\(sid)",
                  "friendly_name": "Child",
                  "email_address": "child@example.com",
                  "type": "Full",
                  "status": "active",
                  "date_created": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "date_updated": "Tue, 14 Nov 2023 22:13:20 +0000",
                  "auth_token": "\(row.authToken)",
                  "parent_account_sid": "\(api.top.sid)",
                  "uri": "\(base).json",
                  "subresource_uris": {
                    "clients": "\(base)/Clients.json",
                    "registrations": "\(base)/Registrations.json",
                    "applications": "\(base)/Applications.json",
                    "incoming_phone_numbers": "\(base)/IncomingPhoneNumbers.json",
                    "calls": "\(base)/Calls.json",
                    "sms_messages": "\(base)/SMS/Messages.json"
                  }
                }

                """)
        #expect(api.send("GET", "/Accounts/\(sid)").text == answer.text)
        #expect(api.send("GET", "/Accounts/child@example.com").text == answer.text)
        #expect(api.send("GET", "/Accounts/\(sid)", as: row).text == answer.text)
        for uri in (answer.object["subresource_uris"] as? [String: String] ?? [:]).values {
            let credentials = ["Authorization: " + API.basic(row.sid, row.authToken)]
            #expect(api.exchange("GET", uri, "", credentials).status == 200, "\(uri)")
        }
    }

    @Test func `A name that is not given is the e-mail address, else the sid`() {
        #expect(api.send("POST", "/Accounts", ["EmailAddress": "a@b"])["friendly_name"] == "a@b")
        let nameless = api.send("POST", "/Accounts", ["FriendlyName": "", "EmailAddress": ""])
        #expect(nameless["friendly_name"] == nameless["sid"] && nameless["email_address"] == nil)
    }

    @Test func `The list has the accounts directly below the caller's`() throws {
        let children = try ["a", "b", "c"].map { try api.account($0, below: api.top) }
        let grandchild = try api.account("d", below: children[0])
        _ = try api.account("Other")
        try api.setStatus(.suspended, of: children[1])
        #expect(api.send("GET", "/Accounts").values("friendly_name") == ["a", "b", "c"])
        #expect(api.send("GET", "/Accounts", as: children[0]).values("sid") == [grandchild.sid])
        #expect(api.send("GET", "/Accounts?Status=active").values("friendly_name") == ["a", "c"])
        #expect(api.send("GET", "/Accounts?Status=suspended").values("friendly_name") == ["b"])
        #expect(api.send("GET", "/Accounts?FriendlyName=c").values("friendly_name") == ["c"])
        #expect(api.send("GET", "/Accounts?PageSize=2&Page=1").values("friendly_name") == ["c"])
        #expect(api.send("GET", "/Accounts?Status=gone").code == "R-3302")
        #expect(api.send("GET", "/Accounts.xml").xml?.elements(forName: "Accounts").first?.childCount ?? 0 >= 3)
    }

    @Test func `Accounts have three levels`() throws {
        let child = try api.account("Child", below: api.top)
        let made = api.send("POST", "/Accounts", ["FriendlyName": "G"], as: child)
        #expect(made.status == 200)
        let grandchild = try #require(
            try api.stored { store throws(StoreError) in try store.account(sid: made["sid"] ?? "") })
        let answer = api.send("POST", "/Accounts", ["FriendlyName": "X"], as: grandchild)
        #expect(answer.status == 400 && answer.code == "R-3407")
        #expect(answer["message"]?.hasPrefix("This account is not allowed to have sub-accounts") == true)
    }

    @Test func `An e-mail address belongs to one account, whatever the case of its letters`() throws {
        let child = try api.account("Child", below: api.top, email: "child@example.com")
        for email in ["top@example.com", "CHILD@EXAMPLE.COM"] {
            let answer = api.send("POST", "/Accounts", ["EmailAddress": email])
            #expect(answer.status == 409 && answer.code == "R-3405")
        }
        #expect(api.send("PUT", "/Accounts/\(child.sid)", ["EmailAddress": "Top@example.com"]).code == "R-3405")
        #expect(api.send("PUT", "/Accounts/\(child.sid)", ["EmailAddress": "Child@example.com"]).status == 200)
        #expect(api.send("PUT", "/Accounts/\(child.sid)", ["EmailAddress": ""])["email_address"] == nil)
        #expect(api.send("POST", "/Accounts", ["EmailAddress": "child@example.com"]).status == 200)
    }

    @Test func `A password is refused, as accounts have tokens`() throws {
        let child = try api.account("Child", below: api.top)
        for (method, path) in [
            ("POST", "/Accounts"), ("POST", "/Accounts/\(child.sid)"), ("PUT", "/Accounts/\(child.sid)"),
        ] {
            let answer = api.send(method, path, ["FriendlyName": "x", "Password": "RestComm12"])
            #expect(answer.code == "R-3302" && answer["parameter"] == "Password")
            #expect(answer["message"]?.contains("AuthToken") == true)
        }
    }

    @Test(arguments: ["POST", "PUT"])
    func `An update changes what is sent`(method: String) throws {
        let child = try api.account("Child", below: api.top, email: "c@d")
        api.clock.wait(seconds: 60)
        let untouched = api.send(method, "/Accounts/\(child.sid)")
        #expect(untouched["friendly_name"] == "Child" && untouched["email_address"] == "c@d")
        #expect(untouched["date_updated"] == "Tue, 14 Nov 2023 22:14:20 +0000")
        #expect(untouched["auth_token"] == child.authToken)
        #expect(api.send(method, "/Accounts/\(child.sid)", ["FriendlyName": "New"])["friendly_name"] == "New")
        #expect(api.send(method, "/Accounts/\(child.sid)", ["FriendlyName": ""]).code == "R-3302")
        #expect(api.send(method, "/Accounts/\(child.sid)", ["Status": ""]).code == "R-3302")
        #expect(
            api.send(method, "/Accounts/\(child.sid)", ["RenewAuthToken": "false"])["auth_token"] == child.authToken)
        #expect(api.send(method, "/Accounts/\(child.sid)", ["RenewAuthToken": "yes"]).code == "R-3302")
        let own = api.send(method, "/Accounts/\(child.sid)", ["FriendlyName": "Own"], as: child)
        #expect(own["friendly_name"] == "Own")
    }

    @Test func `A renewed token is the only one at once`() throws {
        let answer = api.send("POST", "/Accounts/\(api.top.sid)", ["RenewAuthToken": "true"])
        let token = try #require(answer["auth_token"])
        #expect(token != api.top.authToken && token.utf8.count == 32)
        #expect(api.send("GET", "/Accounts").status == 401)
        #expect(
            api.exchange("GET", "/2012-04-24/Accounts", "", ["Authorization: " + API.basic(api.top.sid, token)]).status
                == 200)
    }

    @Test func `An account cannot change its own status`() throws {
        let child = try api.account("Child", below: api.top)
        for (account, caller) in [(api.top.sid, api.top), (child.sid, child), ("top@example.com", api.top)] {
            for status in ["active", "suspended", "closed"] {
                let answer = api.send("POST", "/Accounts/\(account)", ["Status": status], as: caller)
                #expect(answer.status == 403 && answer.code == "R-3106")
            }
        }
    }

    @Test func `A suspended account and those below it stop, and come back with all they had`() throws {
        let child = try api.account("Child", below: api.top)
        let grandchild = try api.account("Grandchild", below: child)
        let client = try api.client("alice", of: grandchild)
        try api.bind([api.binding(client)])
        #expect(api.send("POST", "/Accounts/\(child.sid)", ["Status": "suspended"])["status"] == "suspended")
        #expect(api.send("GET", "/Accounts/\(grandchild.sid)")["status"] == "suspended")
        #expect(api.send("GET", "/Accounts", as: grandchild).code == "R-3102")
        #expect(api.send("GET", "Registrations", of: grandchild.sid).text == "[]\n")
        #expect(api.send("POST", "/Accounts/\(grandchild.sid)", ["Status": "active"])["status"] == "suspended")
        #expect(api.send("PUT", "/Accounts/\(child.sid)", ["Status": "active"])["status"] == "active")
        #expect(api.send("GET", "Clients", as: grandchild).values("login") == ["alice"])
    }

    @Test func `A closed account is closed for ever, with all below it and what they had`() throws {
        let child = try api.account("Child", below: api.top)
        let grandchild = try api.account("Grandchild", below: child)
        for (account, login) in [(child, "alice"), (grandchild, "bob")] {
            try api.client(login, of: account)
            _ = try api.application("App", of: account)
            try api.number("777" + String(account.id), of: account)
            try api.call(login, "x", of: account)
        }
        #expect(api.send("POST", "/Accounts/\(child.sid)", ["Status": "closed"])["status"] == "closed")
        for account in [child, grandchild] {
            #expect(api.send("GET", "/Accounts/\(account.sid)")["status"] == "closed")
            for path in ["Clients", "Applications"] {
                #expect(api.send("GET", path, of: account.sid).text == "[]\n")
            }
            #expect(api.send("GET", "IncomingPhoneNumbers", of: account.sid).number("total") == 0)
            #expect(api.send("GET", "Calls", of: account.sid).number("total") == 1)
            for form: KeyValuePairs in [["Status": "active"], ["FriendlyName": "x"], ["Status": "closed"]] {
                let answer = api.send("POST", "/Accounts/\(account.sid)", form)
                #expect(answer.status == 400 && answer.code == "R-3406")
            }
        }
        #expect(api.send("POST", "Clients", ["Login": "alice", "Password": "x"]).status == 200)
    }

    @Test func `A new account is active, whether that is said or not`() {
        #expect(api.send("POST", "/Accounts", ["Status": "active"])["status"] == "active")
        for status in ["suspended", "closed", "Active"] {
            let answer = api.send("POST", "/Accounts", ["Status": status])
            #expect(answer.code == "R-3302" && answer["parameter"] == "Status")
        }
        #expect(api.send("GET", "/Accounts").list.count == 1)
    }

    @Test func `An account cannot be deleted`() throws {
        let child = try api.account("Child", below: api.top)
        #expect(api.send("DELETE", "/Accounts/\(child.sid)").code == "R-3202")
    }
}
