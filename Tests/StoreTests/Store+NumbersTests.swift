import Primitives
import Testing

@testable import Store

@Suite struct StoreNumbersTests {
    let scratch = Scratch()

    @Test("A number is found by its sid and as it is dialled with all of its values, as made and as changed")
    func create() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        let other = try store.createAccount(friendlyName: "Other", at: past)
        var row = NumberRow(
            accountID: account.id, phoneNumber: "it's 100%", isSIP: true, friendlyName: "Desk", date: past)
        row.voice.url = "http://example.org/voice"
        row.voiceApplicationSID = "AP1"
        row.sms.fallbackURL = "http://example.org/sms"
        row.smsApplicationSID = "AP2"
        row.statusCallback = "http://example.org/status"
        let created = try store.createNumber(row)
        #expect(created.id > 0 && created.sid.hasPrefix("PN") && created.sid.count == 34)
        #expect(try store.number(sid: created.sid) == created)
        #expect(try store.number(phoneNumber: "it's 100%") == created)
        #expect(try store.number(phoneNumber: "it's 100") == nil)

        var changed = created
        changed.accountID = other.id
        changed.phoneNumber = "+15551234"
        changed.isSIP = false
        changed.friendlyName = "Hall"
        changed.voice.method = "GET"
        changed.voiceApplicationSID = nil
        changed.sms.url = "http://example.org/new"
        changed.smsApplicationSID = nil
        changed.statusCallbackMethod = "GET"
        changed.dateUpdated = UnixTime(seconds: 1_800_000_000)
        #expect(try store.updateNumber(changed))
        #expect(try store.number(sid: created.sid) == changed)
        #expect(try store.removeNumber(id: created.id))
        #expect(try store.removeNumber(id: created.id) == false)
        #expect(try store.updateNumber(changed) == false)
    }

    @Test("A number exists once in the domain, whatever the account")
    func unique() throws {
        let store = try Store(path: scratch.path)
        let row = NumberRow(
            accountID: try store.createAccount(friendlyName: "a", at: past).id, phoneNumber: "+1", isSIP: false,
            friendlyName: "", date: past)
        _ = try store.createNumber(row)
        var second = row
        second.accountID = try store.createAccount(friendlyName: "b", at: past).id
        #expect {
            try store.createNumber(second)
        } throws: { error in
            if case .constraint(_, .unique, let detail)? = error as? StoreError {
                return detail.contains("phone_number")
            }
            return false
        }
    }

    @Test("Numbers of one account are paged in order of creation, all or those that match")
    func list() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        var rows: [NumberRow] = []
        for number in 0..<6 {
            rows.append(
                try store.createNumber(
                    NumberRow(
                        accountID: account.id, phoneNumber: "+\(9 - number)", isSIP: false,
                        friendlyName: number < 4 ? "a" : "b", date: past)))
        }
        #expect(try store.numbers(ofAccount: account.id, offset: 1, limit: 2) == Array(rows[1..<3]))
        let named = NumberFilter(friendlyName: "b")
        #expect(try store.numbers(ofAccount: account.id, matching: named, limit: 9) == Array(rows[4...]))
        let dialled = NumberFilter(phoneNumber: "+7", friendlyName: "a")
        #expect(try store.numbers(ofAccount: account.id, matching: dialled, limit: 9) == [rows[2]])
        #expect(try store.numberCount(ofAccount: account.id, matching: named) == 2)
        #expect(try store.numberCount(ofAccount: account.id) == 6)
        #expect(try store.numberCount(ofAccount: 99) == 0)
    }
}
