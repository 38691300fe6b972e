import HTTPMessage
import Store
import Testing

@testable import RESTInterface

@Suite struct RESTServiceTests {
    let api: API

    init() throws { api = try API() }

    private var credentials: [String] { ["Authorization: " + API.basic(api.top.sid, api.top.authToken)] }

    @Test(arguments: ["/restcomm/2012-04-24", "/api/2012-04-24", "/2012-04-24"])
    func `The prefixes mean the same`(prefix: String) {
        #expect(api.exchange("GET", prefix + "/Accounts.json", "", credentials).text == "[]\n")
        #expect(api.exchange("GET", prefix + "/Accounts.json/", "", credentials).text == "[]\n")
    }

    @Test(arguments: [
        "/", "/Accounts", "/2012-04-24", "/2012-04-24/", "/2012-04-24/accounts", "/2012-04-25/Accounts",
        "/api/Accounts", "/restcomm/Accounts", "/api/api/2012-04-24/Accounts", "/2012-04-24//Accounts",
        "/2012-04-24/Accounts//", "/favicon.ico", "/openapi", "/openapi.xml", "/2012-04-24/Accounts/AC1/Nothing",
        "/2012-04-24/Accounts/AC1/Clients/CL1/Calls", "/2012-04-24/.json",
    ])
    func `Another path is not found`(path: String) {
        let answer = api.exchange("GET", path, "", credentials)
        #expect(answer.status == 404 && answer.code == "R-3201")
    }

    @Test func `HEAD is answered as GET`() throws {
        try api.client("alice")
        #expect(api.send("HEAD", "Clients").text == api.send("GET", "Clients").text)
        #expect(api.send("HEAD", "Clients", [:], of: "AC0").status == 404)
    }

    @Test func `OPTIONS tells the methods of each path without credentials`() {
        for operation in Operation.all {
            let path = operation.path.text.replacing(/{[A-Za-z]+}/, with: "x")
            let answer = api.exchange("OPTIONS", "/2012-04-24" + path)
            #expect(answer.status == 204 && answer.bytes.isEmpty)
            let allowed = (answer.headers["Allow"] ?? "").split(separator: ", ").map(String.init)
            #expect(allowed.contains(operation.method.name) && allowed.contains("OPTIONS"))
            #expect(allowed.contains("HEAD") == allowed.contains("GET"))
            #expect(Set(allowed).count == allowed.count)
        }
        #expect(api.exchange("OPTIONS", "/openapi.json").headers["Allow"] == "OPTIONS, GET, HEAD")
        #expect(api.exchange("OPTIONS", "/nothing").status == 404)
    }

    @Test func `Each path refuses the methods that it does not have with those that it has`() {
        for operation in Operation.all {
            let path = operation.path.text.replacing("{AccountSid}", with: api.top.sid)
                .replacing(/{[A-Za-z]+}/, with: "x")
            let allowed = Set(
                Operation.all.filter { $0.path == operation.path }.map(\.method.name)
                    + ["OPTIONS"] + (operation.method == .get ? ["HEAD"] : []))
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get"] where !allowed.contains(method) {
                let answer = api.send(method, path)
                #expect(answer.status == 405 && answer.code == "R-3202", "\(method) \(path)")
                #expect(answer.headers["Allow"]?.isEmpty == false)
                #expect(answer.headers["Allow"]?.split(separator: ", ").contains { $0 == method } == false)
            }
        }
    }

    @Test func `A method that a path does not have asks for credentials first`() {
        #expect(api.exchange("DELETE", "/2012-04-24/Accounts").status == 401)
        #expect(api.send("PUT", "Clients").headers["Allow"] == "OPTIONS, GET, HEAD, POST")
    }

    @Test func `The description needs no credentials`() {
        let answer = api.exchange("GET", "/openapi.json")
        #expect(answer.status == 200 && answer["openapi"] == "3.0.3")
        #expect(answer.headers["Content-Type"] == "application/json")
        let refused = api.exchange("POST", "/openapi.json", "a=b")
        #expect(refused.status == 405 && refused.headers["Allow"] == "OPTIONS, GET, HEAD")
    }

    @Test func `A body must be a form in UTF-8`() {
        let target = "/2012-04-24/Accounts/\(api.top.sid)/Clients.json"
        let form = "Login=alice&Password=test"
        for type in ["application/json", "text/plain", "multipart/form-data; boundary=x", nil] {
            let answer = api.exchange("POST", target, form, credentials, type: type)
            #expect(answer.status == 415 && answer.code == "R-3203")
        }
        let latin = "application/x-www-form-urlencoded; charset=iso-8859-1"
        #expect(api.exchange("POST", target, form, credentials, type: latin).code == "R-3203")
        for body in ["Login=%zz", "Login=%ff", "Login=%4"] {
            let answer = api.exchange("POST", target, body, credentials)
            #expect(answer.status == 400 && answer.code == "R-3001", "\(body)")
        }
        let utf8 = "application/X-WWW-Form-Urlencoded;charset=UTF-8"
        #expect(api.exchange("POST", target, form, credentials, type: utf8).status == 200)
    }

    @Test func `Parameters are in the body of POST and PUT and in the query of GET`() throws {
        #expect(api.send("POST", "Clients?Login=alice&Password=test").code == "R-3301")
        #expect(api.send("POST", "Clients?Login=bob", ["Login": "alice", "Password": "test"])["login"] == "alice")
        #expect(api.send("GET", "Clients?Login=nobody").text == "[]\n")
        #expect(api.send("GET", "Clients", ["Login": "nobody"]).list.count == 1)
    }

    @Test func `The first value of a parameter counts, and unknown ones are ignored`() {
        let answer = api.send(
            "POST", "Clients",
            [
                "Login": "alice", "Login": "a b", "Password": "test", "Unknown": "\u{0}", "login": "x",
                "IsPushEnabled": "true",
            ])
        #expect(answer.status == 200 && answer["login"] == "alice")
    }

    @Test func `Required parameters are asked for in order, before any is looked at`() {
        let answer = api.send("POST", "Clients", ["Status": "x"])
        #expect(answer["message"] == "Login can not be null." && answer["parameter"] == "Login")
        let next = api.send("POST", "Clients", ["Login": "a b", "Status": "x"])
        #expect(next["message"] == "Password can not be null." && next["parameter"] == "Password")
        #expect(api.send("POST", "Clients", ["Login": "a b", "Password": "x"])["parameter"] == "Login")
        #expect(api.send("POST", "Applications")["message"] == "Friendly name can not be null.")
    }

    @Test func `Each parameter of each operation is refused when it is bad, by name`() throws {
        let client = try api.client("alice")
        let application = try api.application("App")
        let number = try api.number("12345")
        let child = try api.account("Child", below: api.top)
        let bad = "\u{1}\u{0}"
        for operation in Operation.all {
            let path = operation.path.text.replacing(
                "{AccountSid}", with: operation.name.hasSuffix("Account") ? child.sid : api.top.sid
            )
            .replacing("{ClientSid}", with: client.sid).replacing("{ApplicationSid}", with: application.sid)
            .replacing("{PhoneNumberSid}", with: number.sid)
            for parameter in operation.parameters {
                var form = operation.parameters.filter { $0.isRequired && $0.name != parameter.name }.map {
                    ($0.name, $0.name == "From" || $0.name == "To" ? "alice" : "12345")
                }
                form.append((parameter.name, bad))
                let fields = form.map { "\($0.0)=\(API.escaped($0.1))" }.joined(separator: "&")
                let answer = api.exchange(
                    operation.method.name, "/2012-04-24\(path).json" + (operation.takesForm ? "" : "?" + fields),
                    operation.takesForm ? fields : "", credentials)
                #expect(answer.status == 400 && answer.code == "R-3302", "\(operation.name) \(parameter.name)")
                #expect(answer["parameter"] == parameter.name)
                // The words of Restcomm for what sorts.
                let beginning =
                    parameter.name == "SortBy"
                    ? "Error parsing the SortBy parameter: " : "\(parameter.name) is invalid: "
                #expect(answer["message"]?.hasPrefix(beginning) == true)
            }
        }
    }

    @Test func `The observer is told of each answer`() throws {
        _ = api.send("GET", "Clients?Login=secret")
        _ = api.send("POST", "Clients", [:])
        _ = api.exchange("GET", "/nothing", from: "2001:db8::1")
        let reports = api.log.reports
        #expect(reports.map(\.status) == [200, 400, 404])
        #expect(reports.map(\.method) == ["GET", "POST", "GET"])
        #expect(reports.map(\.account) == [api.top.sid, api.top.sid, nil])
        #expect(reports.map { $0.failure?.problem } == [nil, .parameterMissing, .notFound])
        #expect(reports[0].path == "/2012-04-24/Accounts/\(api.top.sid)/Clients")
        #expect(reports[2].source.isIPv4 == false)
    }

    @Test(arguments: [
        StoreError.busy(path: "/p"), .full(path: "/p"), .overloaded(path: "/p"), .readOnly(path: "/p"),
    ])
    func `A store that cannot take changes is 503 with Retry-After, and nothing is changed`(error: StoreError) throws {
        let client = try api.client("alice")
        let application = try api.application("App")
        let number = try api.number("12345")
        let child = try api.account("Child", below: api.top)
        api.transactions.error.withLock { $0 = error }
        let answers = [
            api.send("POST", "Clients", ["Login": "bob", "Password": "test"]),
            api.send("PUT", "Clients/\(client.sid)", ["FriendlyName": "x"]),
            api.send("DELETE", "Clients/\(client.sid)"), api.send("POST", "/Accounts", ["FriendlyName": "x"]),
            api.send("POST", "/Accounts/\(child.sid)", ["Status": "closed"]),
            api.send("POST", "Applications", ["FriendlyName": "x"]),
            api.send("PUT", "Applications/\(application.sid)", ["FriendlyName": "x"]),
            api.send("DELETE", "Applications/\(application.sid)"),
            api.send("POST", "IncomingPhoneNumbers", ["PhoneNumber": "777"]),
            api.send("PUT", "IncomingPhoneNumbers/\(number.sid)", ["FriendlyName": "x"]),
            api.send("DELETE", "IncomingPhoneNumbers/\(number.sid)"),
            api.send("POST", "SMS/Messages", ["From": "alice", "To": "alice", "Body": "x"]),
        ]
        for answer in answers {
            #expect(answer.status == 503 && answer.code == "R-3501", "\(answer.text)")
            #expect(answer.headers["Retry-After"] == "5")
            #expect(!answer.text.contains("/p"))
        }
        #expect(api.log.reports.suffix(answers.count).allSatisfy { $0.failure?.detail == error.description })
        #expect(api.phones.texts.isEmpty)
        api.transactions.error.withLock { $0 = nil }
        #expect(api.send("GET", "Clients").values("friendly_name") == ["alice"])
        #expect(try api.stored { store throws(StoreError) in try store.account(sid: child.sid)?.status } == "active")
    }

    @Test func `What a store does not expect is 500 and told to the log alone`() {
        let error = StoreError.damaged(path: "/p", detail: "page 7")
        api.transactions.error.withLock { $0 = error }
        let answer = api.send("POST", "Clients", ["Login": "bob", "Password": "test"])
        #expect(answer.status == 500 && answer.code == "R-3502" && !answer.text.contains("page 7"))
        #expect(answer.headers["Retry-After"] == nil)
        #expect(api.log.reports.last?.failure?.detail == error.description)
    }
}
