import Primitives
import Testing

@testable import Store

@Suite struct RecordHousekeepingTests {
    let scratch = Scratch()
    let hour: Int64 = 3_600_000

    private func writer(_ reports: Reports, hours: Int64, _ set: (inout StoreOptions) -> Void = { _ in }) throws
        -> StoreWriter<Int>
    {
        var options = StoreOptions()
        options.sweepMilliseconds = 20
        options.pollMilliseconds = 10
        options.sliceRows = 3
        options.clock = { UnixTime(milliseconds: past.milliseconds + hours * 3_600_000) }
        set(&options)
        return try reports.writer(scratch.path, options: options)
    }

    @Test("Calls without an end are ended by the limit in small steps: answered ones late, others after an hour")
    func ends() throws {
        let store = try Store(path: scratch.path)
        for number in Int64(0)..<20 {
            var call = CallRow.sample(number * hour, account: 1)
            if number % 2 == 1 {
                call.answeredAt = nil
                call.status = .ringing
            }
            try store.insertCall(call)
        }
        let reports = Reports()
        let writer = try writer(reports, hours: 20)
        // Answered ones begun in the hours 0, 2, ..., 8, and others begun in 1, 3, ..., 19.
        #expect(Reports.wait { writer.statistics().callsEndedByLimit == 15 })
        writer.stop()
        #expect(reports.bad.isEmpty)
        for call in try store.calls(ofAccount: 1, limit: 99) {
            let begun = call.startedAt.milliseconds
            #expect(call.reason == nil)
            if call.answeredAt == nil {
                #expect(call.status == .failed && call.endedAt?.milliseconds == begun + hour)
            } else if begun <= past.milliseconds + 8 * hour {
                #expect(call.status == .completed && call.endedAt?.milliseconds == begun + 12 * hour)
            } else {
                #expect(call.status == .inProgress && call.endedAt == nil)
            }
        }
    }

    @Test("Old records are deleted in small steps when the time to keep them is limited, but no call that goes on")
    func deletes() throws {
        let store = try Store(path: scratch.path)
        for number in Int64(0)..<20 {
            var call = CallRow.sample(number * hour, account: 1)
            if number != 2 { call.endedAt = call.startedAt }
            try store.insertCall(call)
            try store.insertMessage(.sample(number * hour, account: 1))
        }
        let reports = Reports()
        let writer = try writer(reports, hours: 20) { options in
            options.recordLimits.callMilliseconds = 1000 * hour
            options.recordLimits.keptMilliseconds = 10 * hour
        }
        #expect(Reports.wait { writer.statistics().recordsDeleted == 19 })
        writer.stop()
        #expect(reports.bad.isEmpty)
        let calls = try store.calls(ofAccount: 1, limit: 99).map {
            ($0.startedAt.milliseconds - past.milliseconds) / hour
        }
        #expect(calls == [2] + Array(10..<20))
        #expect(try store.messageCount(ofAccount: 1) == 10)
    }

    @Test("Limits that are replaced hold from the next round on")
    func replaced() throws {
        let store = try Store(path: scratch.path)
        for number in Int64(0)..<4 { try store.insertCall(.sample(number * hour, account: 1)) }
        let writer = try writer(Reports(), hours: 5)
        #expect(!Reports.wait(milliseconds: 200) { writer.statistics().callsEndedByLimit > 0 })
        #expect(try store.openCallCount() == 4)
        var limits = RecordLimits()
        limits.callMilliseconds = 3 * hour
        writer.replaceLimits(limits)
        #expect(Reports.wait { writer.statistics().callsEndedByLimit == 3 })
        writer.stop()
        #expect(try store.openCallCount() == 1)
    }

    @Test("Records are kept for ever unless said otherwise")
    func keeps() throws {
        let store = try Store(path: scratch.path)
        var call = CallRow.sample(0, account: 1)
        call.endedAt = call.startedAt
        try store.insertCall(call)
        let writer = try writer(Reports(), hours: 1_000_000)
        #expect(!Reports.wait(milliseconds: 200) { writer.statistics().recordsDeleted > 0 })
        writer.stop()
        #expect(try store.call(call.number) == call)
    }
}
