import Testing

@testable import Store

@Suite struct StoreAccountsTests {
    let scratch = Scratch()

    @Test("An account has a sid and a token that cannot be guessed, and is found by its sid")
    func create() throws {
        let store = try Store(path: scratch.path)
        #expect(try store.firstAccount() == nil)
        let first = try store.createAccount(friendlyName: "First", email: "a@example.org", at: past)
        let second = try store.createAccount(friendlyName: "Second", parentSID: first.sid, at: past)
        #expect(first.sid.hasPrefix("AC") && first.sid.count == 34 && first.authToken.count == 32)
        #expect(first.sid.dropFirst(2).allSatisfy { "0123456789abcdef".contains($0) })
        #expect(first.sid != second.sid && first.authToken != second.authToken)
        #expect(try store.firstAccount() == first)
        #expect(try store.account(sid: second.sid) == second)
        #expect(try store.account(sid: "AC") == nil)
        var all: [AccountRow] = []
        try store.forEachAccount { all.append($0) }
        #expect(all == [first, second])
    }
}
