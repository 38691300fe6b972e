import Primitives
import Testing

@testable import Store

@Suite struct PreparedStatementTests {
    let scratch = Scratch()

    @Test(
        "Bytes and text come back as they were bound, whatever their length",
        arguments: [0, 1, 100, 4000, 4096, 4097, 100_000])
    func roundTrip(length: Int) throws {
        let connection = try Store(path: scratch.path).connection
        let bytes = [UInt8]((0..<length).map { UInt8(truncatingIfNeeded: $0) })
        let text = String(repeating: "ä", count: length)
        var statement = try connection.prepare("SELECT ?1, ?2, ?3, ?4, ?5")
        // Twice, so that what the first run left behind would show.
        for round in 0..<2 {
            statement.bind(1, bytes)
            statement.bind(2, text)
            statement.bind(3, bytes)
            statement.bind(4, nil as [UInt8]?)
            statement.bind(5, Int64(round))
            #expect(try statement.step())
            #expect(statement.bytes(0) == bytes)
            #expect(statement.text(1) == text)
            #expect(statement.optionalBytes(2) == bytes)
            #expect(statement.optionalBytes(3) == nil)
            #expect(statement.integer(4) == Int64(round))
            statement.reset()
        }
    }

    @Test("Text with quotes and zero bytes is a value and never SQL")
    func injection() throws {
        let store = try Store(path: scratch.path)
        let login = "x'); DROP TABLE client; --\0end"
        let account = try store.createAccount(friendlyName: login, at: past)
        _ = try store.createClient(.sample(login, account: account.id))
        #expect(try store.client(login: login)?.login == login)
        #expect(try store.clientCount() == 1)
    }

    @Test("An address and port come back as they were bound, and anything else as unknown")
    func address() throws {
        let connection = try Store(path: scratch.path).connection
        let address = SocketAddress(address: IPAddress(ipv4: 0xc000_0201), port: 5061)
        var statement = try connection.prepare("SELECT ?1, x'0102'")
        statement.bind(1, address)
        #expect(try statement.step())
        #expect(statement.address(0) == address)
        #expect(statement.address(1).port == 0)
    }

    @Test("A statement that failed can be used again")
    func reuse() throws {
        let connection = try Store(path: scratch.path).connection
        var statement = try connection.prepare("INSERT INTO setting VALUES (?1, x'00')")
        statement.bind(1, "a")
        try statement.run()
        statement.bind(1, "a")
        #expect(throws: StoreError.self) { try statement.run() }
        statement.bind(1, "b")
        try statement.run()
        #expect(try connection.number("SELECT count(*) FROM setting") == 2)
    }
}
