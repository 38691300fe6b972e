import Testing

@testable import RESTInterface

@Suite struct ResponseFormatTests {
    let api: API

    init() throws { api = try API() }

    @Test(arguments: [
        ("", "", "xml"), ("", "Accept: application/json", "json"),
        ("", "Accept: text/html, APPLICATION/JSON;q=0.1", "json"),
        ("", "Accept: */*", "xml"), ("", "Accept: application/xml", "xml"),
        ("", "Accept: application/hal+json", "json"),
        (".json", "", "json"), (".json", "Accept: application/xml", "json"), (".JSON", "", "json"),
        (".xml", "Accept: application/json", "xml"), (".json/", "", "json"), ("/", "Accept: application/json", "json"),
    ])
    func `A suffix decides on the format, else Accept, else it is XML`(suffix: String, accept: String, format: String) {
        let answer = api.exchange(
            "GET", "/2012-04-24/Accounts/\(api.top.sid)\(suffix)", "",
            ["Authorization: " + API.basic(api.top.sid, api.top.authToken)] + (accept.isEmpty ? [] : [accept]))
        #expect(answer.status == 200)
        #expect(answer.headers["Content-Type"] == "application/\(format)")
        #expect(format == "json" ? answer["sid"] == api.top.sid : answer.xml?.name == "RestcommResponse")
        let uri =
            format == "json"
            ? answer["uri"]
            : answer.xml?.elements(forName: "Account").first?.elements(forName: "Uri").first?.stringValue
        #expect(uri == "/api/2012-04-24/Accounts/\(api.top.sid)" + (format == "json" ? ".json" : ""))
    }

    @Test func `A suffix is tolerated in the middle of a path, and the last one decides`() throws {
        let client = try api.client("alice")
        let sid = api.top.sid
        for (path, format) in [
            ("/Accounts.json/\(sid)/Clients/\(client.sid)", "json"),
            ("/Accounts/\(sid).json/Clients/\(client.sid)", "json"),
            ("/Accounts/\(sid)/Clients.json/\(client.sid).xml", "xml"),
            ("/Accounts/\(sid)/Clients.xml/\(client.sid).json", "json"),
            ("/Accounts/\(sid).xml/SMS/Messages.json", "json"),
        ] {
            let answer = api.send("GET", path, [:], [:])
            #expect(answer.status == 200, "\(path)")
            #expect(answer.headers["Content-Type"] == "application/\(format)", "\(path)")
        }
    }

    @Test(arguments: [
        (["a.json", "b.XML", "c"], ["a", "b", "c"]), ([".json"], [""]), (["a.json.json"], ["a.json"]),
        (["json", "a.jsonx", "xml"], ["json", "a.jsonx", "xml"]), (["a@b.xmlx"], ["a@b.xmlx"]), ([], []),
    ])
    func `Suffixes are taken off each segment once`(path: [String], expected: [String]) {
        #expect(ResponseFormat.withoutSuffixes(path) == expected)
    }

    @Test func `Errors come in the format that was asked for`() {
        #expect(api.send("GET", "Clients/CL0", [:], ["Accept": "application/json"]).code == "R-3201")
        let answer = api.send("GET", "Clients/CL0.xml")
        #expect(answer.headers["Content-Type"] == "application/xml")
        #expect(answer.code == "R-3201")
        let stranger = api.exchange("GET", "/2012-04-24/Accounts")
        #expect(stranger.status == 401 && stranger.headers["Content-Type"] == "application/xml")
    }
}
