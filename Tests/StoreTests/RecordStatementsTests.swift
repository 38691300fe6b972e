import Primitives
import Testing

@testable import Store

@Suite struct RecordStatementsTests {
    let scratch = Scratch()
    let number = RecordNumber(at: past, counter: 1)

    private func time(_ seconds: Int64) -> UnixTime { UnixTime(seconds: past.seconds + seconds) }

    private func start(client: Int64, to: [UInt8] = Array("bob".utf8)) -> StoreChange {
        .startCall(
            CallStart(
                number: number, clientID: client, to: to, direction: "client-to-client", startedAt: past,
                callID: Array("id@host".utf8)))
    }

    /// The record after these changes of a call of the first client.
    private func call(_ changes: StoreChange...) throws -> CallRow {
        let store = try Store(path: scratch.path)
        let client = try store.client(login: "client1") ?? store.fill(clients: 1)[0]
        let reports = Reports()
        var options = StoreOptions()
        options.clock = { past }
        let writer = try reports.writer(scratch.path, options: options)
        if try store.call(number) == nil { #expect(writer.enqueue(start(client: client.id))) }
        for change in changes { #expect(writer.enqueue(change)) }
        writer.stop()
        #expect(reports.bad.isEmpty)
        return try #require(try store.call(number))
    }

    @Test("A call begins queued, with account, login and name of its client")
    func begins() throws {
        let call = try call()
        let expected = CallRow(
            number: number, accountID: 1, from: "client1", to: "bob", callerName: "client1",
            direction: "client-to-client", status: .queued, startedAt: past, callID: "id@host")
        #expect(call == expected)
    }

    @Test("A call that was answered shows when it rang first, when it was answered first, and its end")
    func answered() throws {
        let call = try call(
            .ringCall(number, at: time(1)), .ringCall(number, at: time(2)), .answerCall(number, at: time(3), tag: -5),
            .ringCall(number, at: time(4)), .answerCall(number, at: time(5), tag: 6),
            .endCall(number, CallEnd(status: .completed, endedAt: time(8), tag: -5)),
            .endCall(number, CallEnd(status: .failed, endedAt: time(9), reason: 3)))
        #expect(call.status == .completed && call.sipStatus == 200 && call.reason == nil)
        #expect(call.ringingAt == time(1) && call.answeredAt == time(3) && call.endedAt == time(8))
    }

    @Test("The tag of a second answer does not end the call")
    func secondTag() throws {
        let before = try call(
            .answerCall(number, at: time(3), tag: 5),
            .endCall(number, CallEnd(status: .completed, endedAt: time(4), tag: 6)))
        #expect(before.status == .inProgress && before.endedAt == nil)
        let after = try call(.endCall(number, CallEnd(status: .completed, endedAt: time(6), tag: 5)))
        #expect(after.status == .completed && after.endedAt == time(6))
    }

    @Test("A call that was not answered shows the final status and the reason, and is not answered afterwards")
    func unanswered() throws {
        let call = try call(
            .ringCall(number, at: time(1)),
            .endCall(number, CallEnd(status: .busy, endedAt: time(2), sipStatus: 486, reason: 12)),
            .answerCall(number, at: time(3), tag: 1), .ringCall(number, at: time(4)))
        #expect(call.status == .busy && call.sipStatus == 486 && call.reason == 12 && call.endedAt == time(2))
        #expect(call.answeredAt == nil)
    }

    @Test("An answer that is told after the BYE behind it is in the record of a call that stays over")
    func answerAfterEnd() throws {
        let call = try call(
            .endCall(number, CallEnd(status: .completed, endedAt: time(4), tag: 5)),
            .answerCall(number, at: time(3), tag: 5))
        #expect(call.status == .completed && call.answeredAt == time(3) && call.endedAt == time(4))
    }

    @Test("A call whose answer was not stored is ended by its BYE all the same")
    func lostAnswer() throws {
        let call = try call(.endCall(number, CallEnd(status: .completed, endedAt: time(2), tag: 4)))
        #expect(call.status == .completed && call.endedAt == time(2))
    }

    @Test("A late BYE corrects the end that the limit supposed, once")
    func lateEnd() throws {
        _ = try call(.answerCall(number, at: time(3), tag: 5))
        let store = try Store(path: scratch.path)
        var options = StoreOptions()
        options.recordLimits.callMilliseconds = 60_000
        options.callLimitReason = 40
        options.clock = { UnixTime(seconds: past.seconds + 1000) }
        let reports = Reports()
        let writer = try reports.writer(scratch.path, options: options)
        #expect(Reports.wait { (try? store.call(number)?.endedAt) == time(60) })
        #expect(try store.call(number)?.status == .completed && store.call(number)?.reason == 40)
        #expect(writer.statistics().callsEndedByLimit == 1)
        #expect(writer.enqueue(.endCall(number, CallEnd(status: .completed, endedAt: time(900), tag: 6))))
        writer.flush()
        #expect(try store.call(number)?.endedAt == time(60))
        #expect(writer.enqueue(.endCall(number, CallEnd(status: .completed, endedAt: time(901), tag: 5))))
        #expect(writer.enqueue(.endCall(number, CallEnd(status: .failed, endedAt: time(902), tag: 5))))
        writer.stop()
        let call = try #require(try store.call(number))
        #expect(call.status == .completed && call.endedAt == time(901) && call.reason == nil && call.sipStatus == 200)
    }

    @Test("A callee that is no UTF-8, or has NUL in it, is repaired; a client that is gone leaves no record")
    func repair() throws {
        let store = try Store(path: scratch.path)
        let client = try store.fill(clients: 1)[0]
        let reports = Reports()
        let writer = try reports.writer(scratch.path)
        #expect(writer.enqueue(start(client: client.id, to: [0x61, 0xff, 0x62, 0, 0x63]), receipt: 1))
        #expect(writer.enqueue(start(client: 99), receipt: 2))
        writer.stop()
        #expect(reports.good == [1, 2])
        #expect(try store.call(number)?.to == "a\u{fffd}b\u{fffd}c")
        #expect(try store.callCount(ofAccount: client.accountID) == 1)
        // What SQLite's own functions see is all of it.
        #expect(try store.connection.number("SELECT length(to_user) FROM call") == 5)
    }

    @Test("A text of a client is recorded with its end, and outlives the client")
    func message() throws {
        let store = try Store(path: scratch.path)
        let client = try store.fill(clients: 1)[0]
        let writer = try Reports().writer(scratch.path)
        let end = MessageEnd(status: .failed, endedAt: time(1), sipStatus: 404, reason: 8)
        #expect(
            writer.enqueue(
                .recordMessage(
                    ClientMessage(
                        number: number, clientID: client.id, to: Array("bob".utf8), body: Array("Grüße\0".utf8),
                        createdAt: past, end: end))))
        writer.stop()
        try store.removeClient(id: client.id)
        let expected = MessageRow(
            number: number, accountID: client.accountID, from: "client1", to: "bob", body: "Grüße\u{fffd}",
            direction: "outbound-call", status: .failed, createdAt: past, endedAt: time(1), sipStatus: 404, reason: 8)
        #expect(try store.message(number) == expected)
    }

    @Test("A text on its way ends once")
    func messageEnd() throws {
        let store = try Store(path: scratch.path)
        let text = MessageRow.sample(5, account: 1)
        try store.insertMessage(text)
        let writer = try Reports().writer(scratch.path)
        let first = MessageEnd(status: .delivered, endedAt: time(1), sipStatus: 202)
        let second = MessageEnd(status: .failed, endedAt: time(2), sipStatus: 500, reason: 1)
        #expect(writer.enqueue([.endMessage(text.number, first), .endMessage(text.number, second)]))
        writer.stop()
        let stored = try #require(try store.message(text.number))
        #expect(stored.status == .delivered && stored.endedAt == time(1) && stored.sipStatus == 202)
        #expect(stored.reason == nil)
    }
}
