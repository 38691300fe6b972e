import Testing

@testable import Store

@Suite struct DirectTransactionsTests {
    let scratch = Scratch()

    @Test("Work without a server is committed when it returns and undone when it throws")
    func performs() throws {
        let direct: any StoreTransactions = try DirectTransactions(path: scratch.path)
        let account = try direct.perform { store throws(StoreError) in
            try store.createAccount(friendlyName: "Test", at: past)
        }
        let path = scratch.path
        #expect(throws: StoreError.withdrawn(path: path, cause: "test")) {
            try direct.perform { store throws(StoreError) in
                _ = try store.createClient(.sample("alice", account: account.id))
                throw .withdrawn(path: path, cause: "test")
            }
        }
        let store = try Store(path: path)
        #expect(try store.account(sid: account.sid) == account)
        #expect(try store.clientCount() == 0)
    }
}
