import Store
import Testing

@testable import RESTInterface

@Suite struct RESTServiceResourcesTests {
    let api: API

    init() throws { api = try API() }

    @Test(arguments: [99, 100, 101, 200, 1203])
    func `A list of any length is whole, in one piece when it is short`(count: Int) throws {
        try api.clients((0..<count).map { "c\($0)" })
        let opened = api.reading.opened.withLock { $0 }
        let answer = api.send("GET", "Clients")
        #expect(answer.values("login") == (0..<count).map { "c\($0)" })
        #expect(answer.headers["Content-Type"] == "application/json")
        // A stream ends with a piece of none.
        let size = Int(ResourceStream.pieceSize)
        #expect(answer.parts == (count < size ? 0 : (count + size - 1) / size + 1))
        // One store for all pieces, and for the next list too.
        _ = api.send("GET", "Clients")
        #expect(api.reading.opened.withLock { $0 } == opened + 1)
        let xml = api.send("GET", "Clients.xml").xml?.elements(forName: "Clients").first
        #expect(
            xml?.elements(forName: "Client").compactMap { $0.elements(forName: "Login").first?.stringValue }
                == (0..<count).map { "c\($0)" })
        #expect(api.send("GET", "Clients?Login=c\(count - 1)").list.count == 1)
        #expect(api.send("GET", "Clients?Status=1").list.count == count)
        #expect(api.send("GET", "Clients?PageSize=1000").list.count == min(count, 1000))
    }

    @Test func `Each list that is given whole is also given in pieces`() throws {
        let (top, now) = (api.top, api.clock.now)
        try api.transactions.perform { store throws(StoreError) in
            for number in 0..<620 {
                _ = try store.createAccount(friendlyName: "a\(number)", parentSID: top.sid, at: now)
                _ = try store.createApplication(
                    ApplicationRow(accountID: top.id, friendlyName: "p\(number)", date: now))
            }
        }
        let clients = try api.clients(["alice", "bob"])
        try api.bind((0..<620).map { api.binding(clients[0], String(1000 + $0)) } + [api.binding(clients[1])])
        #expect(api.send("GET", "/Accounts").values("friendly_name") == (0..<620).map { "a\($0)" })
        #expect(api.send("GET", "Applications").values("friendly_name") == (0..<620).map { "p\($0)" })
        let all = api.send("GET", "Registrations")
        #expect(all.list.count == 621 && Set(all.values("sid")).count == 621 && all.values("login").last == "bob")
        let own = api.send("GET", "Clients/\(clients[0].sid)/Registrations")
        #expect(own.values("sid") == Array(all.values("sid").dropLast()))
    }

    @Test func `A list of many whose connection cannot be opened is refused`() throws {
        try api.clients((0..<500).map { "c\($0)" })
        api.reading.error.withLock { $0 = .busy(path: "/p") }
        let answer = api.send("GET", "Clients")
        #expect(answer.status == 503 && answer.headers["Retry-After"] == "5")
        #expect(api.send("GET", "Clients?PageSize=1000").list.count == 500)
    }
}
