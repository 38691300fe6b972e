import Primitives
import Testing

@testable import Store

@Suite struct StoreAccountStatusTests {
    let scratch = Scratch()
    let later = UnixTime(seconds: 1_800_000_000)

    /// Three levels and an account beside them, each with a client (`top`, `middle`, `low`, `beside`) that has a binding.
    private func family(in store: Store) throws -> [AccountRow] {
        let top = try store.createAccount(friendlyName: "top", at: past)
        let middle = try store.createAccount(friendlyName: "middle", parentSID: top.sid, at: past)
        let low = try store.createAccount(friendlyName: "low", parentSID: middle.sid, at: past)
        let beside = try store.createAccount(friendlyName: "beside", parentSID: top.sid, at: past)
        let accounts = [top, middle, low, beside]
        let writer = try Reports().writer(scratch.path)
        for account in accounts {
            let client = try store.createClient(.sample(account.friendlyName, account: account.id))
            #expect(writer.enqueue(.upsertBinding(.sample(client: client.id))))
        }
        writer.stop()
        return accounts
    }

    private func effective(_ store: Store) throws -> [String] {
        var found: [String] = []
        try store.forEachAccount { found.append($0.effectiveStatus) }
        return found
    }

    private func own(_ store: Store) throws -> [String] {
        var found: [String] = []
        try store.forEachAccount { found.append($0.status) }
        return found
    }

    private func boundLogins(_ store: Store) throws -> [String] {
        var logins: [String] = []
        try store.forEachBinding(liveAt: past) { logins.append($1) }
        return logins
    }

    @Test("A suspended account takes along all below it but not those beside it, and comes back with them")
    func suspend() throws {
        let store = try Store(path: scratch.path)
        let accounts = try family(in: store)
        #expect(try store.setAccountStatus(id: accounts[1].id, status: .suspended, at: later) == 2)
        #expect(try effective(store) == ["active", "suspended", "suspended", "active"])
        #expect(try own(store) == ["active", "suspended", "active", "active"])
        #expect(try store.account(id: accounts[1].id)?.dateUpdated == later)
        #expect(try store.account(id: accounts[2].id)?.dateUpdated == past)
        #expect(try boundLogins(store) == ["top", "beside"])

        // A new account below is suspended from the first.
        let born = try store.createAccount(friendlyName: "born", parentSID: accounts[2].sid, at: later)
        #expect(born.status == "active" && born.effectiveStatus == "suspended")
        #expect(try store.account(sid: born.sid) == born)

        // The low one's own status outlasts that of the middle one.
        #expect(try store.setAccountStatus(id: accounts[2].id, status: .suspended, at: later) == 2)
        #expect(try store.setAccountStatus(id: accounts[1].id, status: .active, at: later) == 3)
        #expect(try effective(store) == ["active", "active", "suspended", "active", "suspended"])
        #expect(try store.setAccountStatus(id: accounts[2].id, status: .active, at: later) == 2)
        #expect(try effective(store) == ["active", "active", "active", "active", "active"])
        #expect(try store.clientCount() == 4)
        #expect(try store.setAccountStatus(id: 99, status: .suspended, at: later) == 0)
    }

    @Test("A closed account is closed for ever with all below it; what they had is gone, their records stay")
    func close() throws {
        let store = try Store(path: scratch.path)
        let accounts = try family(in: store)
        for account in accounts {
            _ = try store.createApplication(
                ApplicationRow(accountID: account.id, friendlyName: "App", date: past))
            _ = try store.createNumber(
                NumberRow(
                    accountID: account.id, phoneNumber: "+1\(account.id)", isSIP: false, friendlyName: "", date: past))
            try store.insertCall(.sample(account.id, account: account.id))
        }
        #expect(try store.setAccountStatus(id: accounts[1].id, status: .closed, at: later) == 2)
        #expect(try own(store) == ["active", "closed", "closed", "active"])
        #expect(try effective(store) == ["active", "closed", "closed", "active"])
        for (account, count) in zip(accounts, [Int64(1), 0, 0, 1]) {
            #expect(try store.clientCount(ofAccount: account.id) == count)
            #expect(try store.applicationCount(ofAccount: account.id) == count)
            #expect(try store.numberCount(ofAccount: account.id) == count)
            #expect(try store.callCount(ofAccount: account.id) == 1)
        }
        #expect(try boundLogins(store) == ["top", "beside"])
        #expect(try store.setAccountStatus(id: accounts[1].id, status: .active, at: later) == 0)
        #expect(try store.setAccountStatus(id: accounts[2].id, status: .suspended, at: later) == 0)
        #expect(try store.setAccountStatus(id: accounts[0].id, status: .suspended, at: later) == 4)
        #expect(try effective(store) == ["suspended", "closed", "closed", "suspended"])
    }

    @Test("Accounts in a circle, which only a foreign hand can make, do not hang anything")
    func circle() throws {
        let store = try Store(path: scratch.path)
        let top = try store.createAccount(friendlyName: "top", at: past)
        let low = try store.createAccount(friendlyName: "low", parentSID: top.sid, at: past)
        try store.connection.run(
            Query("UPDATE account SET parent_sid = ? WHERE id = ?", .text(low.sid), .integer(top.id)))
        #expect(try store.setAccountStatus(id: top.id, status: .suspended, at: later) == 2)
        #expect(try effective(store) == ["suspended", "suspended"])
        #expect(try store.ancestors(of: low).count == 16)
    }

    @Test("Followers are told of each client whose account has become active or inactive, and of no other")
    func follows() throws {
        let store = try Store(path: scratch.path)
        let accounts = try family(in: store)
        let reports = Reports()
        let writer = try reports.writer(scratch.path, after: try store.lastChange())
        defer { writer.stop() }
        let id = accounts[1].id
        let time = later
        try writer.perform { store throws(StoreError) in
            _ = try store.setAccountStatus(id: id, status: .suspended, at: time)
        }
        #expect(reports.changes.map(\.login) == ["middle", "low"])
        #expect(reports.changes.allSatisfy { !$0.isAccountActive && $0.client?.status == 1 })
        #expect(reports.changes.first?.client?.dateUpdated == past)
        var started: [String: Bool] = [:]
        try store.forEachClientWithAccount { started[$0.login] = $1 }
        #expect(started == ["top": true, "middle": false, "low": false, "beside": true])

        // Another connection, as the command line has.
        try store.setAccountStatus(id: id, status: .active, at: later)
        writer.followChanges()
        #expect(Reports.wait { reports.changes.count == 4 })
        #expect(reports.changes.suffix(2).allSatisfy { $0.isAccountActive })
        try store.setAccountStatus(id: id, status: .closed, at: later)
        writer.followChanges()
        #expect(Reports.wait { reports.changes.count == 6 })
        #expect(reports.changes.suffix(2).allSatisfy { $0.client == nil })
    }

    @Test("A binding of a client whose account is suspended meanwhile is refused")
    func binding() throws {
        let store = try Store(path: scratch.path)
        let client = try #require(try store.fill(clients: 1).first)
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 1))
        writer.flush()
        try store.setAccountStatus(id: client.accountID, status: .suspended, at: later)
        #expect(writer.enqueue(.upsertBinding(.sample(client: client.id)), receipt: 2))
        writer.stop()
        #expect(reports.good == [1] && reports.bad.map(\.receipts) == [[2]])
        #expect(try store.allBindings.isEmpty)
    }
}
