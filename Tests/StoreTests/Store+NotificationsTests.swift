import Primitives
import Testing

@testable import Store

@Suite struct StoreNotificationsTests {
    let scratch = Scratch()

    private func row(_ record: Int64, _ text: String, level: Int64 = 0, code: Int64 = 11_205, at time: Int64 = 1_000)
        -> NotificationRow
    {
        NotificationRow(
            accountID: 1, record: RecordNumber(record), level: level, code: code, message: text,
            url: "http://app.example/voice", line: 3, column: 7, createdAt: UnixTime(milliseconds: time))
    }

    @Test("A notification is read as it was stored, by its number and by its call")
    func stored() throws {
        let store = try Store(path: scratch.path)
        try store.fill(clients: 1)
        let number = try #require(try store.insertNotification(row(77, "no answer")))
        var expected = row(77, "no answer")
        expected.number = number
        #expect(try store.notification(number) == expected)
        var filter = NotificationFilter()
        filter.record = RecordNumber(77)
        #expect(try store.notifications(ofAccount: 1, matching: filter, limit: 10) == [expected])
        filter.record = RecordNumber(78)
        #expect(try store.notifications(ofAccount: 1, matching: filter, limit: 10).isEmpty)
        #expect(try store.notifications(ofAccount: 2, limit: 10).isEmpty)
    }

    @Test(
        "Two of the same moment have different numbers, and the later one the greater, also when the clock was set back"
    )
    func numbers() throws {
        let store = try Store(path: scratch.path)
        let numbers = try [1_000, 1_000, 5_000, 2_000].map { time in
            try #require(try store.insertNotification(row(1, "text", at: time)))
        }
        #expect(numbers == numbers.sorted() && Set(numbers).count == 4)
        #expect(numbers[0] == RecordNumber(notBefore: UnixTime(milliseconds: 1_000)))
    }

    @Test("A list is limited by level, code, words and time, and counted in the same way")
    func filters() throws {
        let store = try Store(path: scratch.path)
        try store.insertNotification(row(1, "the application gave 404", at: 1_000))
        try store.insertNotification(row(1, "<Play> was skipped", level: 1, code: 12_001, at: 2_000))
        try store.insertNotification(row(2, "the name has no address", code: 11_100, at: 3_000))
        func texts(_ change: (inout NotificationFilter) -> Void) throws -> [String] {
            var filter = NotificationFilter()
            change(&filter)
            let found = try store.notifications(ofAccount: 1, matching: filter, limit: 10)
            #expect(try store.notificationCount(ofAccount: 1, matching: filter) == Int64(found.count))
            return found.map { String($0.message.prefix(6)) }
        }
        #expect(try texts { _ in } == ["the ap", "<Play>", "the na"])
        #expect(try texts { $0.level = 1 } == ["<Play>"])
        #expect(try texts { $0.code = 11_100 } == ["the na"])
        #expect(try texts { $0.text = "skipped" } == ["<Play>"])
        #expect(try texts { $0.createdFrom = UnixTime(milliseconds: 2_000) } == ["<Play>", "the na"])
        #expect(try texts { $0.createdTo = UnixTime(milliseconds: 2_000) } == ["the ap"])
        let newest = try store.notifications(ofAccount: 1, isDescending: true, offset: 1, limit: 1)
        #expect(newest.map(\.code) == [12_001])
    }

    @Test("A call may have so many notifications and no more, which keeps no other call from having some")
    func limit() throws {
        let store = try Store(path: scratch.path)
        for _ in 0..<Store.notificationLimit { try store.insertNotification(row(1, "again")) }
        #expect(try store.insertNotification(row(1, "once more")) == nil)
        #expect(try store.insertNotification(row(2, "another")) != nil)
        #expect(try store.notificationCount(ofAccount: 1) == Store.notificationLimit + 1)
    }

    @Test("A notification knows whether it is of a text")
    func ofText() throws {
        let store = try Store(path: scratch.path)
        try store.fill(clients: 1)
        try store.insertMessage(
            MessageRow(
                number: RecordNumber(5), accountID: 1, from: "a", to: "b", body: "c", direction: "inbound",
                status: .sending, createdAt: UnixTime(milliseconds: 1)))
        try store.insertNotification(row(5, "of a text"))
        try store.insertNotification(row(6, "of a call"))
        #expect(try store.notifications(ofAccount: 1, limit: 9).map(\.isOfText) == [true, false])
    }
}
