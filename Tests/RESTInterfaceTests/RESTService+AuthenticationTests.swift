import HTTPMessage
import Store
import Testing

@testable import RESTInterface

@Suite struct RESTServiceAuthenticationTests {
    let api: API

    init() throws { api = try API() }

    /// Asks for the caller's children with these header lines.
    private func ask(_ lines: [String], from source: String = "192.0.2.1") -> Answer {
        api.exchange("GET", "/2012-04-24/Accounts.json", "", lines, from: source)
    }

    private func ask(_ name: String, _ token: String, from source: String = "192.0.2.1") -> Answer {
        ask(["Authorization: " + API.basic(name, token)], from: source)
    }

    private var right: String { API.basic(api.top.sid, api.top.authToken) }

    @Test func `Sid or e-mail address and token let in, whatever the case of scheme and address`() {
        #expect(ask(["Authorization: " + right]).status == 200)
        #expect(ask(["authorization: bAsIc " + right.dropFirst(6)]).status == 200)
        #expect(ask(["Authorization: Basic   \(right.dropFirst(6))  "]).status == 200)
        #expect(ask("top@example.com", api.top.authToken).status == 200)
        #expect(ask("TOP@Example.COM", api.top.authToken).status == 200)
    }

    @Test func `Without readable credentials it is 401 with the realm`() {
        let token = api.top.authToken
        let lines: [[String]] = [
            [], ["Authorization: "], ["Authorization: Basic"], ["Authorization: Basic ====="],
            ["Authorization: Basic " + right.dropFirst(6) + "!"], ["Authorization: Bearer " + token],
            ["Authorization: Digest username=\"x\""], ["Authorization: " + right, "Authorization: " + right],
            ["Authorization: Basic " + API.base64(Array("\(api.top.sid)\(token)".utf8))],
            ["Authorization: Basic " + API.base64([0xff, 0xfe, 0x3a, 0x41])], ["Authorization: " + right.dropFirst(6)],
        ]
        for line in lines {
            let answer = ask(line)
            #expect(answer.status == 401 && answer.code == "R-3101", "\(line)")
            #expect(answer.headers["WWW-Authenticate"] == "Basic realm=\"Restcomm realm\"")
        }
        #expect(api.log.reports.allSatisfy { $0.account == nil && $0.failure?.problem == .notAuthenticated })
    }

    @Test func `A wrong name or token is 401, and both look the same`() {
        let (sid, token) = (api.top.sid, api.top.authToken)
        let tried = [
            (sid, "wrong"), (sid, ""), (sid, token + "0"), (sid, String(token.dropLast())),
            (sid, token.uppercased() + "x"),
            ("", token), ("AC0", token), ("nobody@example.com", token), (sid.lowercased(), token),
            (sid + "\u{0}", token),
            ("%", token), ("' OR 1=1 --", token), (sid, String(repeating: "0", count: 32)),
            ("AC0", String(repeating: "0", count: 32)),
        ]
        let answers = tried.enumerated().map { ask($1.0, $1.1, from: "192.0.2.\($0 + 2)") }
        let texts = Set(answers.map { "\($0.status) \($0.text) \($0.headers["WWW-Authenticate"] ?? "")" })
        #expect(texts.count == 1)
        #expect(texts.first?.hasPrefix("401 ") == true)
    }

    @Test func `The name ends at the first colon`() {
        #expect(ask(["Authorization: " + API.basic(api.top.sid, api.top.authToken + ":x")]).status == 401)
    }

    @Test func `An account whose e-mail address is empty is not found by it`() throws {
        let other = try api.account("Other")
        #expect(ask("", other.authToken).status == 401)
        #expect(ask("@", other.authToken).status == 401)
    }

    @Test func `After ten failures in a minute it is 429, and the wait grows up to a minute`() {
        for _ in 0..<10 { #expect(ask(api.top.sid, "wrong").status == 401) }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let answer = ask(api.top.sid, "wrong")
            #expect(answer.status == 429 && answer.code == "R-3105")
            #expect(answer.headers["Retry-After"] == "\(seconds)")
            #expect(answer.headers["WWW-Authenticate"] == nil)
        }
        #expect(ask(api.top.sid, "wrong", from: "192.0.2.2").status == 401, "another source")
        #expect(ask(["Authorization: " + right]).status == 200, "the right token passes")
        #expect(ask(api.top.sid, "wrong").status == 401, "and resets the count of this account")
    }

    @Test func `A success with one account does not forgive guesses at others`() {
        for round in 0..<30 {
            #expect(ask("AC\(round)", "guess").status == 401)
            #expect(ask(["Authorization: " + right]).status == 200)
        }
        #expect(ask("AC99", "guess").status == 429)
        #expect(ask(["Authorization: " + right]).status == 200)
        #expect(ask("AC99", "guess").status == 429)
        #expect(ask("AC99", "guess", from: "192.0.2.9").status == 401)
    }

    @Test func `A minute without failures is forgiven`() {
        for _ in 0..<11 { _ = ask(api.top.sid, "wrong") }
        api.clock.wait(seconds: 60)
        #expect(ask(api.top.sid, "wrong").status == 429)
        api.clock.wait(milliseconds: 60_001)
        #expect(ask(api.top.sid, "wrong").status == 401)
    }

    @Test func `Requests without credentials are not counted`() {
        for _ in 0..<30 { #expect(ask([]).status == 401) }
        #expect(ask(api.top.sid, "wrong").status == 401)
    }

    @Test func `An IPv6 network of 64 bits is one source, an IPv4 address is one`() {
        for number in 0..<10 { _ = ask(api.top.sid, "wrong", from: "2001:db8:0:1::\(number)") }
        #expect(ask(api.top.sid, "wrong", from: "2001:db8:0:1:ffff:ffff:ffff:ffff").status == 429)
        #expect(ask(api.top.sid, "wrong", from: "2001:db8:0:2::1").status == 401)
        for number in 0..<10 { _ = ask(api.top.sid, "wrong", from: "198.51.100.\(number)") }
        #expect(ask(api.top.sid, "wrong", from: "198.51.100.0").status == 401)
    }

    @Test func `An account that is not active is refused, also when one above it is not`() throws {
        let child = try api.account("Child", below: api.top)
        let grandchild = try api.account("Grandchild", below: child)
        #expect(ask(grandchild.sid, grandchild.authToken).status == 200)
        for status in [AccountStatus.suspended, .active, .closed] {
            try api.setStatus(status, of: child)
            for account in [child, grandchild] {
                let answer = ask(account.sid, account.authToken)
                #expect(answer.status == (status == .active ? 200 : 403))
                #expect(answer.code == (status == .active ? nil : "R-3102"))
            }
        }
        #expect(ask(child.sid, "wrong").status == 401)
    }

    @Test func `An account reaches itself and what is below it`() throws {
        let child = try api.account("Child", below: api.top, email: "child@example.com")
        let grandchild = try api.account("Grandchild", below: child)
        let sibling = try api.account("Sibling", below: api.top)
        let other = try api.account("Other")
        let all = [api.top, child, grandchild, sibling, other]
        let reach = [
            [true, true, true, true, false], [false, true, true, false, false], [false, false, true, false, false],
            [false, false, false, true, false], [false, false, false, false, true],
        ]
        for (caller, row) in zip(all, reach) {
            for (account, isReached) in zip(all, row) {
                for path in [
                    "Clients", "Applications", "IncomingPhoneNumbers", "Calls", "SMS/Messages", "Registrations",
                ] {
                    let answer = api.send("GET", path, of: account.sid, as: caller)
                    #expect(answer.status == (isReached ? 200 : 403), "\(caller.friendlyName) \(account.friendlyName)")
                    #expect(answer.code == (isReached ? nil : "R-3103"))
                }
                let answer = api.send("GET", "/Accounts/\(account.sid)", as: caller)
                #expect(answer.status == (isReached ? 200 : 403))
                for method in ["POST", "PUT"] where !isReached {
                    #expect(
                        api.send(method, "/Accounts/\(account.sid)", ["FriendlyName": "x"], as: caller).status == 403)
                }
                for method in ["DELETE", "POST", "GET"] where !isReached {
                    #expect(api.send(method, "Clients/CL0", of: account.sid, as: caller).status == 403)
                }
            }
        }
        #expect(api.send("GET", "Clients", of: "child@example.com").status == 200)
        #expect(api.send("GET", "Clients", of: "CHILD@example.com", as: child).status == 200)
        #expect(api.send("GET", "Clients", of: "top@example.com", as: child).code == "R-3103")
    }

    @Test func `Only a top account learns that an account does not exist`() throws {
        let child = try api.account("Child", below: api.top)
        for name in ["AC0", "AC" + String(repeating: "0", count: 32), "nobody@example.com", "x"] {
            #expect(api.send("GET", "Clients", of: name).code == "R-3201")
            #expect(api.send("GET", "Clients", of: name, as: child).code == "R-3103")
        }
    }

    @Test func `A parent still acts upon a suspended account`() throws {
        let child = try api.account("Child", below: api.top)
        try api.setStatus(.suspended, of: child)
        #expect(api.send("GET", "Clients", of: child.sid).status == 200)
    }

    @Test func `A resource of another account is refused for every method, also when that account is below`() throws {
        let child = try api.account("Child", below: api.top)
        let client = try api.client("alice", of: child)
        let binding = api.binding(client)
        try api.bind([binding])
        let application = try api.application("App", of: child)
        let number = try api.number("12345", of: child)
        let call = try api.call("alice", "bob", of: child)
        let message = try api.message("alice", "bob", of: child)
        let paths = [
            "Clients/\(client.sid)", "Clients/\(client.sid)/Registrations", "Clients/\(client.sid)/RegistrationStatus",
            "Registrations/\(RegistrationSID.make(binding))", "Applications/\(application.sid)",
            "IncomingPhoneNumbers/\(number.sid)", "Calls/\(call.number.sid(prefix: "CA"))",
            "SMS/Messages/\(message.number.sid(prefix: "SM"))",
        ]
        for path in paths {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
                let answer = api.send(method, path)
                if answer.status == 405 { continue }
                #expect(answer.status == 403 && answer.code == "R-3104", "\(method) \(path)")
                #expect(api.send("GET", path, of: child.sid).status == 200)
            }
        }
    }

    @Test func `Texts are compared whole`() {
        #expect(RESTService.isEqual("abc", "abc"))
        for other in ["", "ab", "abcd", "abd", "Abc"] {
            #expect(!RESTService.isEqual("abc", other))
            #expect(!RESTService.isEqual(other, "abc"))
        }
        #expect(RESTService.isEqual("", ""))
    }
}
