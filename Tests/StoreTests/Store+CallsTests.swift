import Primitives
import Testing

@testable import Store

@Suite struct StoreCallsTests {
    let scratch = Scratch()

    private func numbers(_ calls: [CallRow]) -> [Int64] { calls.map { $0.startedAt.milliseconds - past.milliseconds } }

    private func filter(_ set: (inout CallFilter) -> Void) -> CallFilter {
        var filter = CallFilter()
        set(&filter)
        return filter
    }

    private func time(_ number: Int64) -> UnixTime { UnixTime(milliseconds: past.milliseconds + number) }

    @Test("A record that no client began is read as it was stored, and its number is taken then")
    func insert() throws {
        let store = try Store(path: scratch.path)
        var call = CallRow.sample(1, account: 7)
        try store.insertCall(call)
        #expect(try store.call(call.number) == call)
        #expect(throws: StoreError.self) { try store.insertCall(call) }
        call.number = RecordNumber(at: past, counter: 2)
        call.parent = RecordNumber(5)
        call.ringingAt = UnixTime(seconds: 2)
        call.answeredAt = nil
        call.endedAt = UnixTime(seconds: 4)
        call.sipStatus = 486
        call.reason = 12
        try store.insertCall(call)
        #expect(try store.call(call.number) == call)
        #expect(try store.call(RecordNumber(3)) == nil)
    }

    @Test("Callers and callees are looked for by their end, in which no character is a wildcard")
    func suffix() throws {
        let store = try Store(path: scratch.path)
        let callees = ["+15551234", "1234", "%234", "_234", "it's", "é", "", "+1555\01234"]
        for (index, callee) in callees.enumerated() {
            try store.insertCall(.sample(Int64(index), account: 1, from: "a_\(index)", to: callee))
        }
        func find(_ suffix: String) throws -> [Int64] {
            numbers(try store.calls(ofAccount: 1, matching: filter { $0.to = suffix }, limit: 99))
        }
        #expect(try find("1234") == [0, 1, 7])
        #expect(try find("234") == [0, 1, 2, 3, 7])
        #expect(try find("%234") == [2])
        #expect(try find("_234") == [3])
        #expect(try find("'s") == [4])
        #expect(try find("é") == [5])
        #expect(try find("") == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(try find("%") == [])
        #expect(try find("0\01234") == [])
        #expect(try find("' OR 1=1 --") == [])
        #expect(try find("999+15551234") == [])
        #expect(numbers(try store.calls(ofAccount: 1, matching: filter { $0.from = "_3" }, limit: 9)) == [3])
        // A NUL would end the text for SQLite's functions.
        #expect(try store.call(RecordNumber(at: time(7), counter: 0))?.to == "+1555\u{fffd}1234")
    }

    @Test("Calls are found by status, bounds of time and parent; the upper bounds do not belong to them")
    func filters() throws {
        let store = try Store(path: scratch.path)
        for number in Int64(0)..<10 {
            var call = CallRow.sample(number, account: number < 8 ? 1 : 2)
            if number % 2 == 0 {
                call.status = .completed
                call.endedAt = time(100 + number)
            }
            if number > 5 { call.parent = RecordNumber(at: past, counter: 0) }
            try store.insertCall(call)
        }
        func find(_ set: (inout CallFilter) -> Void) throws -> [Int64] {
            #expect(
                try store.callCount(ofAccount: 1, matching: filter(set))
                    == store.calls(ofAccount: 1, matching: filter(set), limit: 99).count)
            return numbers(try store.calls(ofAccount: 1, matching: filter(set), limit: 99))
        }
        #expect(try find { _ in } == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(try find { $0.status = .completed } == [0, 2, 4, 6])
        #expect(try find { $0.status = .noAnswer } == [])
        #expect(
            try find {
                $0.startedFrom = time(2)
                $0.startedTo = time(5)
            } == [2, 3, 4])
        #expect(
            try find {
                $0.endedFrom = time(102)
                $0.endedTo = time(106)
            } == [2, 4])
        #expect(try find { $0.parent = RecordNumber(at: past, counter: 0) } == [6, 7])
    }

    @Test("Calls are sorted by each column, both ways, and paged")
    func orders() throws {
        let store = try Store(path: scratch.path)
        for (index, values) in [("b", "x", 5), ("a", "z", 3), ("b", "y", nil)].enumerated() {
            var call = CallRow.sample(Int64(index), account: 1, from: values.0, to: values.1)
            call.endedAt = values.2.map { time(Int64(index + $0)) }
            call.status = [.queued, .busy, .completed][index]
            call.direction = ["c", "b", "a"][index]
            try store.insertCall(call)
        }
        let expected: [CallColumn: [Int64]] = [
            .number: [0, 1, 2], .from: [1, 0, 2], .to: [0, 2, 1], .status: [1, 2, 0], .duration: [2, 1, 0],
            .direction: [2, 1, 0],
        ]
        for column in CallColumn.allCases {
            #expect(numbers(try store.calls(ofAccount: 1, order: RecordOrder(column), limit: 9)) == expected[column])
            let descending = try store.calls(ofAccount: 1, order: RecordOrder(column, isDescending: true), limit: 9)
            #expect(numbers(descending) == expected[column]?.reversed())
        }
        let second = try store.calls(ofAccount: 1, order: RecordOrder(.to), offset: 1, limit: 1)
        #expect(numbers(second) == [2])
        #expect(try store.calls(ofAccount: 1, offset: 3, limit: 9).isEmpty)
    }

    @Test("A page in order of creation goes by the index of the account, without sorting")
    func plans() throws {
        let store = try Store(path: scratch.path)
        for isDescending in [false, true] {
            let query = store.callQuery(
                ofAccount: 1, matching: filter { $0.startedFrom = past },
                order: RecordOrder(.number, isDescending: isDescending), offset: 0, limit: 50)
            let plan = try store.plan(query)
            #expect(plan.contains("call_account (account_id=? AND rowid>?)"))
            #expect(!plan.contains("TEMP B-TREE"))
        }
        let parent = store.callQuery(
            ofAccount: 1, matching: filter { $0.parent = RecordNumber(1) }, order: RecordOrder(.number), offset: 0,
            limit: 50)
        #expect(try store.plan(parent).contains("INDEX call_"))
    }

    @Test("At the start, what ended with the process before is ended: calls not answered, and texts on their way")
    func interrupted() throws {
        let store = try Store(path: scratch.path)
        var calls: [CallRow] = []
        for (number, status) in [(1, CallStatus.queued), (2, .ringing), (3, .inProgress), (4, .busy)] {
            var call = CallRow.sample(Int64(number), account: 1)
            call.status = status
            if status != .inProgress { call.answeredAt = nil }
            if status == .busy { call.endedAt = time(5) }
            calls.append(call)
            try store.insertCall(call)
        }
        var sending = MessageRow.sample(1, account: 1)
        try store.insertMessage(sending)
        var delivered = MessageRow.sample(2, account: 1)
        delivered.status = .delivered
        try store.insertMessage(delivered)
        #expect(try store.closeInterruptedCalls(at: time(9), reason: 77) == 3)
        for index in 0..<2 {
            calls[index].status = .failed
            calls[index].endedAt = time(9)
            calls[index].reason = 77
        }
        #expect(try store.calls(ofAccount: 1, limit: 9) == calls)
        sending.status = .failed
        sending.endedAt = time(9)
        sending.reason = 77
        #expect(try store.messages(ofAccount: 1, limit: 9) == [sending, delivered])
        #expect(try store.closeInterruptedCalls(at: time(10), reason: nil) == 0)
    }

    @Test("A call that was answered in the last moment before the end of the server is completed by its BYE")
    func interruptedButAnswered() throws {
        let store = try Store(path: scratch.path)
        var call = CallRow.sample(1, account: 1)
        call.status = .ringing
        call.answeredAt = nil
        try store.insertCall(call)
        #expect(try store.closeInterruptedCalls(at: time(9), reason: 77) == 1)
        var statements = try RecordStatements(connection: store.connection)
        try statements.endCall(call.number, CallEnd(status: .completed, endedAt: time(20), tag: 5))
        let ended = try #require(try store.call(call.number))
        #expect(ended.status == .completed && ended.endedAt == time(20) && ended.reason == nil)
    }
}
