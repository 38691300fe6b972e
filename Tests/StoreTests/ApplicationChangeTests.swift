import Glibc
import Primitives
import Testing

@testable import Store

@Suite struct ApplicationChangeTests {
    let scratch = Scratch()

    @Test("Applications, numbers and accounts that are made, changed and removed are reported with their state of now")
    func follows() throws {
        let store = try Store(path: scratch.path)
        let first = try store.createAccount(friendlyName: "First", at: past)
        let reports = Reports()
        let writer = try reports.writer(scratch.path, after: try store.lastChange())
        defer { writer.stop() }
        let account = try store.createAccount(friendlyName: "Second", at: past)
        var application = try store.createApplication(
            ApplicationRow(accountID: first.id, friendlyName: "App", date: past))
        application.voice.url = "http://app.example/"
        try store.updateApplication(application)
        let number = try store.createNumber(
            NumberRow(accountID: first.id, phoneNumber: "+491", isSIP: false, friendlyName: "N", date: past))
        #expect(Reports.wait { reports.applications.contains(.number("+491", number)) })
        #expect(Reports.wait { reports.applications.contains(.application(sid: application.sid, application)) })
        #expect(reports.applications.contains(.account(account)))
        try store.removeNumber(id: number.id)
        try store.removeApplication(id: application.id)
        #expect(Reports.wait { reports.applications.contains(.number("+491", nil)) })
        #expect(Reports.wait { reports.applications.contains(.application(sid: application.sid, nil)) })
        try store.setAccountStatus(id: account.id, status: .suspended, at: past)
        #expect(
            Reports.wait {
                reports.applications.contains {
                    if case .account(let row) = $0 {
                        row.id == account.id && row.effectiveStatus == "suspended"
                    } else {
                        false
                    }
                }
            })
        #expect(reports.changes.isEmpty)
    }

    @Test("A client and a number with the same row and the same name are told apart")
    func sameName() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "A", at: past)
        let reports = Reports()
        let writer = try reports.writer(scratch.path, after: try store.lastChange())
        defer { writer.stop() }
        let client = try store.createClient(.sample("+491", account: account.id))
        let number = try store.createNumber(
            NumberRow(accountID: account.id, phoneNumber: "+491", isSIP: false, friendlyName: "N", date: past))
        #expect(client.id == number.id)
        #expect(Reports.wait { reports.changes.count == 1 && reports.applications.count == 1 })
        #expect(reports.changes.first?.client == client && reports.applications == [.number("+491", number)])
    }
}

@Suite struct ApplicationRecordTests {
    let scratch = Scratch()

    @Test(
        "A call of an application has its client's name, its leg its parent; both end, and notifications are kept with it"
    )
    func records() throws {
        let store = try Store(path: scratch.path)
        let client = try #require(try store.fill(clients: 1).first)
        let call = RecordNumber(notBefore: past)
        let leg = RecordNumber(call.value + 1)
        let text = RecordNumber(call.value + 2)
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        func at(_ seconds: Int64) -> UnixTime { UnixTime(milliseconds: past.milliseconds + 1000 * seconds) }
        let changes: [StoreChange] = [
            .startApplicationCall(
                ApplicationCallStart(
                    number: call, accountID: client.accountID, clientID: client.id, from: [], to: Array("+491".utf8),
                    direction: "inbound", startedAt: past, callID: Array("c1".utf8))),
            .startApplicationCall(
                ApplicationCallStart(
                    number: leg, parent: call, accountID: client.accountID, from: Array("bob".utf8),
                    to: Array("carol".utf8), callerName: Array("Bob".utf8), direction: "outbound-dial", startedAt: past,
                    callID: Array("c2".utf8))),
            .answerCall(call, at: at(1), tag: 5), .closeCall(call, at: at(3), reason: 1608),
            .closeCall(call, at: at(9), reason: 1610), .closeCall(leg, at: at(3), reason: nil),
            .startApplicationText(
                ApplicationTextStart(
                    number: text, accountID: client.accountID, clientID: client.id, from: [], to: Array("+491".utf8),
                    body: Array("hi".utf8), direction: "inbound", createdAt: past)),
            .keepNotification(
                NotificationRow(
                    accountID: client.accountID, record: call, level: 0, code: 11_206, message: "m", createdAt: at(1))),
        ]
        for change in changes { #expect(writer.enqueueRecord(change)) }
        writer.flush()
        writer.stop()
        let stored = try #require(try store.call(call))
        #expect(stored.from == client.login && stored.callerName == client.friendlyName && stored.parent == nil)
        #expect(stored.status == .completed && stored.endedAt == at(3) && stored.reason == 1608)
        let child = try #require(try store.call(leg))
        #expect(child.parent == call && child.from == "bob" && child.callerName == "Bob" && child.status == .failed)
        #expect(try store.message(text)?.status == .sending)
        #expect(try store.notificationCount(ofAccount: client.accountID) == 1)
    }

    @Test("An answered call of an application ends with the process, one between clients goes on")
    func interrupted() throws {
        let store = try Store(path: scratch.path)
        let account = try store.createAccount(friendlyName: "A", at: past)
        let base = RecordNumber(notBefore: past).value
        for (index, direction) in ["inbound", "outbound-dial", "outbound-api", "client-to-client"].enumerated() {
            try store.insertCall(
                CallRow(
                    number: RecordNumber(base + Int64(index)), accountID: account.id, from: "a", to: "b",
                    callerName: "",
                    direction: direction, status: .inProgress, startedAt: past, answeredAt: past, callID: "c"))
        }
        #expect(try store.closeInterruptedCalls(at: past, reason: 1409) == 3)
        #expect(try store.call(RecordNumber(base))?.reason == 1409)
        #expect(try store.call(RecordNumber(base + 2))?.status == .completed)
        #expect(try store.call(RecordNumber(base + 3))?.endedAt == nil)
    }
}
