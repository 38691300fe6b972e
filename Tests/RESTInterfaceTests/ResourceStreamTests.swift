import Foundation
import HTTPMessage
import Primitives
import Store
import Testing

@testable import RESTInterface

@Suite struct ResourceStreamTests {
    let api: API

    init() throws { api = try API() }

    /// The stream of the clients of the account.
    private func stream() throws -> any HTTPBodyStream {
        var headers = HTTPHeaders()
        headers.append("Authorization", API.basic(api.top.sid, api.top.authToken))
        let response = api.service.respond(
            to: HTTPRequest(
                method: .get, path: ["2012-04-24", "Accounts", api.top.sid, "Clients.json"], rawPath: "/Clients.json",
                headers: headers, source: IPAddress(ipv4: 1)))
        guard case .stream(let stream) = response.body else {
            Issue.record("no stream")
            throw CancellationError()
        }
        return stream
    }

    private func logins(_ bytes: [UInt8]) throws -> [String] {
        let list = try JSONSerialization.jsonObject(with: Data(bytes)) as? [[String: Any]]
        return list?.map { $0["login"] as? String ?? "?" } ?? []
    }

    @Test func `What is deleted or made between the pieces harms neither order nor form`() throws {
        let rows = try api.clients((0..<1200).map { "c\($0)" })
        let stream = try stream()
        var bytes = try #require(try stream.next())
        // Of the piece that was sent, of the next, and the one where the next begins.
        for index in [0, 99, 100, 700] {
            let id = rows[index].id
            try api.transactions.perform { store throws(StoreError) in _ = try store.removeClient(id: id) }
        }
        try api.client("late")
        while let part = try stream.next() { bytes += part }
        let expected = (0..<1200).filter { $0 != 100 && $0 != 700 }.map { "c\($0)" } + ["late"]
        #expect(try logins(bytes) == expected)
        #expect(try stream.next() == nil)
    }

    @Test func `A list whose rest is deleted ends well`() throws {
        let rows = try api.clients((0..<600).map { "c\($0)" })
        let stream = try stream()
        var bytes = try #require(try stream.next())
        try api.transactions.perform { store throws(StoreError) in
            for row in rows { _ = try store.removeClient(id: row.id) }
        }
        while let part = try stream.next() { bytes += part }
        #expect(try logins(bytes) == (0..<100).map { "c\($0)" })
    }

    @Test func `A stream outlives its service's other requests`() throws {
        try api.clients((0..<600).map { "c\($0)" })
        let stream = try stream()
        var bytes: [UInt8] = []
        while let part = try stream.next() {
            bytes += part
            #expect(api.send("GET", "Clients?Login=c7").list.count == 1)
        }
        #expect(try logins(bytes).count == 600)
    }

    private var stores: StorePool {
        let (reading, path) = (api.reading, api.scratch.path)
        return StorePool { () throws(StoreError) in try reading.open(path) }
    }

    @Test func `An error breaks the stream off`() throws {
        let stream = ResourceStream(stores, .json, element: "Clients") {
            _ throws(StoreError) in throw .busy(path: "p")
        }
        #expect(throws: StoreError.busy(path: "p")) { try stream.next() }
    }

    @Test func `A stream of nothing is an empty list`() throws {
        for (format, text) in [
            (ResponseFormat.json, "[]\n"),
            (.xml, "<RestcommResponse>\n  <Clients>\n  </Clients>\n</RestcommResponse>\n"),
        ] {
            let stream = ResourceStream(stores, format, element: "Clients") { _ in [] }
            #expect(try stream.next().map { String(decoding: $0, as: UTF8.self) } == text)
            #expect(try stream.next() == nil)
        }
    }
}
