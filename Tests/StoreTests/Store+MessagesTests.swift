import Primitives
import Testing

@testable import Store

@Suite struct StoreMessagesTests {
    let scratch = Scratch()

    private func numbers(_ texts: [MessageRow]) -> [Int64] {
        texts.map { $0.createdAt.milliseconds - past.milliseconds }
    }

    @Test("A record of a text is read as it was stored")
    func insert() throws {
        let store = try Store(path: scratch.path)
        var text = MessageRow.sample(1, account: 7, body: "Grüße, it's \"me\"\n")
        try store.insertMessage(text)
        #expect(try store.message(text.number) == text)
        #expect(throws: StoreError.self) { try store.insertMessage(text) }
        text.number = RecordNumber(at: past, counter: 2)
        text.status = .failed
        text.endedAt = UnixTime(seconds: 5)
        text.sipStatus = 404
        text.reason = 9
        try store.insertMessage(text)
        #expect(try store.message(text.number) == text)
        #expect(try store.message(RecordNumber(3)) == nil)
    }

    @Test("Texts are found by their words, ends of addresses, status and time, in which no character is a wildcard")
    func filters() throws {
        let store = try Store(path: scratch.path)
        let bodies = ["50% off", "50 off", "a_b", "ab", "it's", "", "nul\0l"]
        for (index, body) in bodies.enumerated() {
            var text = MessageRow.sample(Int64(index), account: 1, from: "f\(index)", to: "t%\(index)", body: body)
            if index == 2 { text.status = .delivered }
            try store.insertMessage(text)
        }
        try store.insertMessage(.sample(50, account: 2, body: "50% off"))
        func find(_ set: (inout MessageFilter) -> Void) throws -> [Int64] {
            var filter = MessageFilter()
            set(&filter)
            let found = try store.messages(ofAccount: 1, matching: filter, limit: 99)
            #expect(try store.messageCount(ofAccount: 1, matching: filter) == found.count)
            return numbers(found)
        }
        #expect(try find { _ in } == [0, 1, 2, 3, 4, 5, 6])
        #expect(try find { $0.body = "0%" } == [0])
        #expect(try find { $0.body = "a_b" } == [2])
        #expect(try find { $0.body = "'" } == [4])
        #expect(try find { $0.body = "" } == [0, 1, 2, 3, 4, 5, 6])
        #expect(try find { $0.body = "l\u{fffd}l" } == [6])
        #expect(try find { $0.to = "%3" } == [3])
        #expect(try find { $0.from = "5" } == [5])
        #expect(try find { $0.status = .delivered } == [2])
        #expect(
            try find {
                $0.createdFrom = UnixTime(milliseconds: past.milliseconds + 3)
                $0.createdTo = UnixTime(milliseconds: past.milliseconds + 5)
            } == [3, 4])
    }

    @Test("Texts are sorted by each column, both ways, and paged")
    func orders() throws {
        let store = try Store(path: scratch.path)
        for (index, values) in [("b", "x", "3"), ("a", "z", "1"), ("b", "y", "2")].enumerated() {
            var text = MessageRow.sample(Int64(index), account: 1, from: values.0, to: values.1, body: values.2)
            text.status = [.sending, .delivered, .failed][index]
            text.direction = ["c", "b", "a"][index]
            try store.insertMessage(text)
        }
        let expected: [MessageColumn: [Int64]] = [
            .number: [0, 1, 2], .from: [1, 0, 2], .to: [0, 2, 1], .body: [1, 2, 0], .status: [1, 2, 0],
            .direction: [2, 1, 0],
        ]
        for column in MessageColumn.allCases {
            #expect(numbers(try store.messages(ofAccount: 1, order: RecordOrder(column), limit: 9)) == expected[column])
            let descending = try store.messages(ofAccount: 1, order: RecordOrder(column, isDescending: true), limit: 9)
            #expect(numbers(descending) == expected[column]?.reversed())
        }
        #expect(numbers(try store.messages(ofAccount: 1, offset: 2, limit: 9)) == [2])
    }
}
