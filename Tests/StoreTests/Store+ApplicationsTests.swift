import Primitives
import Testing

@testable import Store

@Suite struct StoreApplicationsTests {
    let scratch = Scratch()

    static func full(account: Int64, name: String = "Menu") -> ApplicationRow {
        var row = ApplicationRow(accountID: account, friendlyName: name, date: past)
        row.voice.url = "http://example.org/voice"
        row.voice.method = "GET"
        row.voice.fallbackURL = "http://example.org/other"
        row.voice.fallbackMethod = "GET"
        row.sms.url = "http://example.org/sms"
        row.statusCallback = "http://example.org/status"
        row.statusCallbackMethod = "GET"
        return row
    }

    @Test("An application is found by its sid with all of its values, as made and as changed")
    func create() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        let created = try store.createApplication(Self.full(account: account.id))
        #expect(created.id > 0 && created.sid.hasPrefix("AP") && created.sid.count == 34)
        #expect(try store.application(sid: created.sid) == created)
        var changed = created
        changed.friendlyName = "Other"
        changed.voice = ApplicationURLs()
        changed.sms.method = "GET"
        changed.sms.fallbackURL = "http://example.org/third"
        changed.statusCallback = nil
        changed.statusCallbackMethod = "POST"
        changed.dateUpdated = UnixTime(seconds: 1_800_000_000)
        #expect(try store.updateApplication(changed))
        #expect(try store.application(sid: created.sid) == changed)
        #expect(try store.removeApplication(id: created.id))
        #expect(try store.removeApplication(id: created.id) == false)
        #expect(try store.updateApplication(changed) == false)
        #expect(try store.application(sid: created.sid) == nil)
        #expect(throws: StoreError.self) { try store.createApplication(Self.full(account: 99)) }
    }

    @Test("Applications of one account are paged in order of creation, all or those of a name")
    func list() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        let other = try store.createAccount(friendlyName: "Other", at: past)
        var rows: [ApplicationRow] = []
        for number in 0..<6 {
            rows.append(try store.createApplication(Self.full(account: account.id, name: number < 4 ? "a'%" : "b")))
        }
        _ = try store.createApplication(Self.full(account: other.id))
        #expect(try store.applications(ofAccount: account.id, offset: 1, limit: 2) == Array(rows[1..<3]))
        #expect(try store.applications(ofAccount: account.id, friendlyName: "b", limit: 9) == Array(rows[4...]))
        #expect(try store.applications(ofAccount: account.id, friendlyName: "%", limit: 9).isEmpty)
        #expect(try store.applicationCount(ofAccount: account.id) == 6)
        #expect(try store.applicationCount(ofAccount: account.id, friendlyName: "a'%") == 4)
    }

    @Test("Who refers to an application is found by index, each once")
    func references() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "Test", at: past)
        let application = try store.createApplication(Self.full(account: account.id))
        var client = ClientRow.sample("alice", account: account.id)
        client.voiceApplicationSID = application.sid
        client = try store.createClient(client)
        _ = try store.createClient(.sample("bob", account: account.id))
        var sids: [String] = []
        for (number, isVoice, isSMS) in [(1, true, false), (2, false, true), (3, true, true), (4, false, false)] {
            var row = NumberRow(
                accountID: account.id, phoneNumber: "+\(number)", isSIP: false, friendlyName: "", date: past)
            row.voiceApplicationSID = isVoice ? application.sid : nil
            row.smsApplicationSID = isSMS ? application.sid : nil
            sids.append(try store.createNumber(row).sid)
        }
        let found = try store.references(toApplication: application.sid, limit: 10)
        #expect(found.count == 4)
        #expect(found.contains(.client(sid: client.sid, login: "alice")))
        for number in 0..<3 { #expect(found.contains(.number(sid: sids[number], phoneNumber: "+\(number + 1)"))) }
        #expect(try store.references(toApplication: application.sid, limit: 2).count == 2)
        #expect(try store.references(toApplication: "AP", limit: 2).isEmpty)
        for (index, query) in [
            ("client_voice_application", Query("SELECT 1 FROM client WHERE voice_application_sid = ?")),
            ("number_voice_application", Query("SELECT 1 FROM number WHERE voice_application_sid = ?")),
            (
                "number_sms_application",
                Query("SELECT 1 FROM number WHERE sms_application_sid = ?1 AND voice_application_sid IS NOT ?1")
            ),
        ] { #expect(try store.plan(query).contains(index)) }
    }
}
