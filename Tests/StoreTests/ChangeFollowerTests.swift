import Glibc
import Primitives
import Testing

@testable import Store

@Suite struct ChangeFollowerTests {
    let scratch = Scratch()

    @Test("Clients that another connection makes, changes, renames and removes are reported with their state of now")
    func follows() throws {
        let store = try Store(path: scratch.path)
        var clients = try store.fill(clients: 3)
        let start = try store.lastChange()
        let reports = Reports()
        let writer = try reports.writer(scratch.path, after: start)
        defer { writer.stop() }
        usleep(50_000)
        #expect(reports.changes.isEmpty)

        try store.transaction { () throws(StoreError) in
            clients[0].status = 0
            try store.updateClient(clients[0])
            clients[0].friendlyName = "Twice"
            try store.updateClient(clients[0])
            clients[1].login = "renamed"
            try store.updateClient(clients[1])
            try store.removeClient(id: clients[2].id)
            clients.append(try store.createClient(.sample("fourth", account: clients[0].accountID)))
        }
        #expect(Reports.wait { reports.changes.count >= 5 })
        let expected = [
            ClientChange(clientID: clients[0].id, login: "client1", client: clients[0]),
            ClientChange(clientID: clients[1].id, login: "client2", client: nil),
            ClientChange(clientID: clients[1].id, login: "renamed", client: clients[1]),
            ClientChange(clientID: clients[2].id, login: "client3", client: nil),
            ClientChange(clientID: clients[3].id, login: "fourth", client: clients[3]),
        ]
        #expect(reports.changes == expected)
        usleep(600_000)
        #expect(reports.changes.count == 5)
    }

    @Test("Changes made between reading the clients and the start of the writer are reported")
    func gap() throws {
        let store = try Store(path: scratch.path)
        let client = try #require(try store.fill(clients: 1).first)
        let start = try store.lastChange()
        try store.removeClient(id: client.id)
        let reports = Reports()
        let writer = try reports.writer(scratch.path, after: start)
        #expect(Reports.wait { !reports.changes.isEmpty })
        writer.stop()
        #expect(reports.changes == [ClientChange(clientID: client.id, login: "client1", client: nil)])
    }

    @Test("A request to follow is served at once")
    func onRequest() throws {
        let store = try Store(path: scratch.path)
        let client = try #require(try store.fill(clients: 1).first)
        var options = StoreOptions()
        options.pollMilliseconds = 3_600_000
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options, after: try store.lastChange())
        defer { writer.stop() }
        usleep(100_000)
        try store.removeClient(id: client.id)
        usleep(100_000)
        #expect(reports.changes.isEmpty)
        writer.followChanges()
        #expect(Reports.wait { reports.changes.count == 1 })
    }

    @Test("More changes than one answer holds are all reported, once and in order")
    func many() throws {
        let store = try Store(path: scratch.path)
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        defer { writer.stop() }
        try store.fill(clients: 9000)
        #expect(Reports.wait { reports.changes.count >= 9000 })
        #expect(reports.changes.map(\.clientID) == Array(1...9000))
    }

    @Test("Old changes are pruned, the newest stay, and numbers go on")
    func prunes() throws {
        let store = try Store(path: scratch.path)
        try store.fill(clients: 3000)
        var options = StoreOptions()
        options.pollMilliseconds = 5
        let writer = try Reports().writer(scratch.path, options: options)
        defer { writer.stop() }
        #expect(Reports.wait { (try? store.connection.number("SELECT count(*) FROM change")) == 1000 })
        #expect(try store.connection.number("SELECT max(seq) FROM change") == 3001)
        // One of them is the account's.
        #expect(try store.lastChange() == 3001)
    }
}
