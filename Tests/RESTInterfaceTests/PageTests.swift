import Foundation
import Testing

@testable import RESTInterface

@Suite struct PageTests {
    let api: API
    private var path: String { "/api/2012-04-24/Accounts/\(api.top.sid)/Calls.json" }

    init() throws {
        api = try API()
    }

    private func fill(_ count: Int) throws { for number in 0..<count { try api.call("a", String(number)) } }

    @Test func `An empty list has one page`() {
        let answer = api.send("GET", "Calls")
        #expect(
            answer.text == """
                {
                  "page": 0,
                  "num_pages": 1,
                  "page_size": 50,
                  "total": 0,
                  "start": "0",
                  "end": "0",
                  "uri": "\(path)",
                  "first_page_uri": "\(path)?Page=0&PageSize=50",
                  "previous_page_uri": null,
                  "next_page_uri": null,
                  "last_page_uri": "\(path)?Page=0&PageSize=50",
                  "calls": []
                }

                """)
        #expect(api.send("GET", "Calls?Page=1").code == "R-3304")
    }

    @Test(arguments: [(1, 1, 0, 0), (2, 1, 0, 1), (3, 2, 0, 1), (4, 2, 0, 1), (5, 3, 0, 1), (5, 3, 1, 3), (5, 3, 2, 4)])
    func `Numbers of a page of two`(total: Int, pages: Int, page: Int, end: Int) throws {
        try fill(total)
        let answer = api.send("GET", "Calls?PageSize=2&Page=\(page)")
        #expect(answer.number("page") == page && answer.number("num_pages") == pages)
        #expect(answer.number("page_size") == 2 && answer.number("total") == total)
        #expect(answer["start"] == String(page * 2) && answer["end"] == String(end))
        #expect(answer.values("to", in: "calls") == (page * 2...end).map(String.init))
        #expect(answer["first_page_uri"] == "\(path)?Page=0&PageSize=2")
        #expect(answer["last_page_uri"] == "\(path)?Page=\(pages - 1)&PageSize=2")
        #expect(answer["previous_page_uri"] == (page == 0 ? nil : "\(path)?Page=\(page - 1)&PageSize=2"))
        #expect(answer["next_page_uri"] == (page == pages - 1 ? nil : "\(path)?Page=\(page + 1)&PageSize=2"))
        let beyond = api.send("GET", "Calls?PageSize=2&Page=\(pages)")
        #expect(beyond.status == 400 && beyond.code == "R-3304" && beyond["parameter"] == "Page")
        let list = api.send("GET", "Calls.xml?PageSize=2&Page=\(page)").xml?.elements(forName: "Calls").first
        let names = ["page", "numpages", "pagesize", "total", "start", "end", "uri", "firstpageuri", "lastpageuri"]
        #expect(names.allSatisfy { list?.attribute(forName: $0)?.stringValue?.isEmpty == false })
        #expect((list?.attribute(forName: "nextpageuri") == nil) == (page == pages - 1))
        #expect((list?.attribute(forName: "previouspageuri") == nil) == (page == 0))
        #expect(list?.attribute(forName: "numpages")?.stringValue == String(pages))
        #expect(list?.elements(forName: "Call").count == end - page * 2 + 1)
    }

    @Test func `The links lead through the whole list with all filters`() throws {
        try fill(7)
        try api.call("x\"<&>é ?#+", "end")
        let credentials = ["Authorization: " + API.basic(api.top.sid, api.top.authToken)]
        var next: String? =
            "/api/2012-04-24/Accounts/\(api.top.sid)/Calls.json?From=a&PageSize=3&SortBy=To:desc&X=%26%3D"
        var found: [String] = []
        while let target = next, found.count < 20 {
            let answer = api.exchange("GET", target, "", credentials)
            found += answer.values("to", in: "calls")
            next = answer["next_page_uri"]
        }
        #expect(found == ["6", "5", "4", "3", "2", "1", "0"])
        let filter = API.escaped("\"<&>é ?#+")
        let answer = api.send("GET", "Calls?From=\(filter)&Body=a%26b")
        #expect(answer.number("total") == 1)
        #expect(answer["first_page_uri"] == "\(path)?Page=0&PageSize=50&From=\(filter)&Body=a%26b")
        #expect(api.exchange("GET", answer["last_page_uri"] ?? "", "", credentials).number("total") == 1)
        let xml = api.send("GET", "Calls.xml?From=\(filter)").xml?.elements(forName: "Calls").first
        #expect(xml?.attribute(forName: "firstpageuri")?.stringValue?.hasSuffix("&From=\(filter)") == true)
    }

    @Test func `The greatest page and size do no harm`() throws {
        try fill(1)
        #expect(api.send("GET", "Calls?Page=999999999&PageSize=1000").code == "R-3304")
        #expect(api.send("GET", "Clients?Page=999999999&PageSize=1000").text == "[]\n")
        #expect(api.send("GET", "Calls?PageSize=1000").number("page_size") == 1000)
        #expect(api.send("GET", "Calls?PageSize=1000&Page=").code == "R-3302")
    }
}
