import Testing

@testable import Store

@Suite struct QueryTests {
    let scratch = Scratch()

    @Test("Values are bound in the order of their pieces, and what is not set adds nothing")
    func pieces() throws {
        let store = try Store(path: scratch.path)
        var query = Query("SELECT ?, ?, ?", .integer(7), .text("x' --"), .bytes([0, 1]))
        query.add(" WHERE ? = 'y'", ifSet: "y")
        query.add(" AND nonsense = ?", ifSet: nil as String?)
        query.add(" AND ? = 9", ifSet: 9)
        query.add(" AND nonsense", ifSet: nil as Int64?)
        query.add(" AND substr('abc', ?) = ?", endingWith: "bc")
        query.add(" AND nonsense", endingWith: "")
        query.page(offset: -4, limit: 3)
        let rows = try store.connection.rows(query) { ($0.integer(0), $0.text(1), $0.bytes(2)) }
        #expect(rows.count == 1 && rows[0] == (7, "x' --", [0, 1]))
        query.page(offset: 0, limit: 1)
        #expect(throws: StoreError.self) { try store.connection.run(query) }
    }

    @Test("A page of fewer than no rows is empty, not endless")
    func negativeLimit() throws {
        let store = try Store(path: scratch.path)
        var query = Query("SELECT 1")
        query.page(offset: 0, limit: -1)
        #expect(try store.connection.rows(query) { $0.integer(0) }.isEmpty)
    }
}
