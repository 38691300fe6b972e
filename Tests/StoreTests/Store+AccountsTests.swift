import Primitives
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

    @Test("An email belongs to one account whatever the case of its letters, and none is no email")
    func email() throws {
        let store = try Store(path: scratch.path)
        let first = try store.createAccount(friendlyName: "First", email: "A@example.org", at: past)
        var second = try store.createAccount(friendlyName: "Second", at: past)
        _ = try store.createAccount(friendlyName: "Third", at: past)
        #expect(try store.account(email: "a@EXAMPLE.org") == first)
        #expect(try store.account(email: "") == nil)
        #expect(try store.account(email: "%") == nil)
        second.email = "a@example.ORG"
        #expect {
            try store.updateAccount(second)
        } throws: { error in
            if case .constraint(_, .unique, let detail)? = error as? StoreError { return detail.contains("email") }
            return false
        }
        let plan = try store.plan(
            Query("SELECT * FROM account WHERE email = ? COLLATE NOCASE AND email <> ''", .text("a")))
        #expect(plan.contains("account_email"))
    }

    @Test("An update changes name, email, token and date, and nothing else")
    func update() throws {
        let store = try Store(path: scratch.path)
        let before = try store.createAccount(friendlyName: "First", at: past)
        var row = before
        row.friendlyName = "O'Hara"
        row.email = "o@example.org"
        row.authToken = "secret"
        row.dateUpdated = UnixTime(seconds: 1_800_000_000)
        let expected = row
        row.status = "closed"
        row.effectiveStatus = "closed"
        row.parentSID = "AC"
        row.dateCreated = row.dateUpdated
        #expect(try store.updateAccount(row))
        #expect(try store.account(id: before.id) == expected)
        row.id = 99
        #expect(try store.updateAccount(row) == false)
    }

    @Test("Accounts below one are paged in order of creation, and those above are given from the parent up")
    func family() throws {
        let store = try Store(path: scratch.path)
        let top = try store.createAccount(friendlyName: "Top", at: past)
        var children: [AccountRow] = []
        for number in 0..<5 {
            children.append(try store.createAccount(friendlyName: "\(number)", parentSID: top.sid, at: past))
        }
        let low = try store.createAccount(friendlyName: "Low", parentSID: children[4].sid, at: past)
        #expect(try store.accounts(childrenOf: top.sid, limit: 3) == Array(children[..<3]))
        #expect(try store.accounts(childrenOf: top.sid, offset: 3, limit: 3) == Array(children[3...]))
        #expect(try store.accountCount(childrenOf: top.sid) == 5)
        #expect(try store.ancestors(of: low) == [children[4], top])
        #expect(try store.ancestors(of: top).isEmpty)
    }
}
