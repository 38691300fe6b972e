import SIPTransaction
import Testing

/// RFC 3261 figure 5 as replaced by figure 5 of RFC 6026.
@Suite struct ClientInviteTransactionTests {
    private typealias Driver = TransactionDriver<ClientInviteTransaction>

    @Test func figure5OnUnreliableTransport() {
        let accept: [TransactionEffect] = [.passToUser, .start(.m, milliseconds: 32_000)]
        let complete: [TransactionEffect] = [.sendAcknowledgement, .passToUser, .start(.d, milliseconds: 32_000)]
        let stop: [TransactionEffect] = [.stop(.a), .stop(.b)]
        let arrows: [Arrow<ClientInviteTransaction>] = [
            Arrow(
                .initial, .request,
                [.sendRequest, .start(.a, milliseconds: 500), .start(.b, milliseconds: 32_000)], .calling),
            Arrow(.calling, .timer(.a), [.sendRequest, .start(.a, milliseconds: 1_000)], .calling),
            Arrow(.calling, .timer(.b), [.stop(.a), .timedOut, .terminate], .terminated),
            Arrow(.calling, .transportError, stop + [.transportFailed, .terminate], .terminated),
            Arrow(.calling, .response(.provisional), stop + [.passToUser], .proceeding),
            Arrow(.calling, .response(.success), stop + accept, .accepted),
            Arrow(.calling, .response(.failure), stop + complete, .completed),
            Arrow(.proceeding, .response(.provisional), [.passToUser], .proceeding),
            Arrow(.proceeding, .response(.success), accept, .accepted),
            Arrow(.proceeding, .response(.failure), complete, .completed),
            Arrow(.accepted, .response(.success), [.passToUser], .accepted),
            Arrow(.accepted, .timer(.m), [.terminate], .terminated),
            Arrow(.completed, .response(.failure), [.sendAcknowledgement], .completed),
            Arrow(.completed, .timer(.d), [.terminate], .terminated),
            Arrow(.completed, .transportError, [.stop(.d), .transportFailed, .terminate], .terminated),
        ]
        expectExactly(
            arrows, isReliable: false,
            ways: [
                .initial: [],
                .calling: [.request],
                .proceeding: [.request, .response(.provisional)],
                .accepted: [.request, .response(.success)],
                .completed: [.request, .response(.provisional), .response(.failure)],
                .terminated: [.request, .transportError],
            ])
    }

    @Test func figure5OnReliableTransportHasNoTimerAAndATimerDOfZero() {
        let accept: [TransactionEffect] = [.passToUser, .start(.m, milliseconds: 32_000)]
        let complete: [TransactionEffect] = [.sendAcknowledgement, .passToUser, .terminate]
        let arrows: [Arrow<ClientInviteTransaction>] = [
            Arrow(.initial, .request, [.sendRequest, .start(.b, milliseconds: 32_000)], .calling),
            Arrow(.calling, .timer(.b), [.timedOut, .terminate], .terminated),
            Arrow(.calling, .transportError, [.stop(.b), .transportFailed, .terminate], .terminated),
            Arrow(.calling, .response(.provisional), [.stop(.b), .passToUser], .proceeding),
            Arrow(.calling, .response(.success), [.stop(.b)] + accept, .accepted),
            Arrow(.calling, .response(.failure), [.stop(.b)] + complete, .terminated),
            Arrow(.proceeding, .response(.provisional), [.passToUser], .proceeding),
            Arrow(.proceeding, .response(.success), accept, .accepted),
            Arrow(.proceeding, .response(.failure), complete, .terminated),
            Arrow(.accepted, .response(.success), [.passToUser], .accepted),
            Arrow(.accepted, .timer(.m), [.terminate], .terminated),
        ]
        expectExactly(
            arrows, isReliable: true,
            ways: [
                .initial: [],
                .calling: [.request],
                .proceeding: [.request, .response(.provisional)],
                .accepted: [.request, .response(.provisional), .response(.success)],
                .terminated: [.request, .response(.failure)],
            ])
    }

    @Test func rfc3261Section17112TimerADoublesWithoutLimitUntilTimerB() {
        let driver = Driver([.request])
        driver.run(until: 100_000)
        #expect(driver.times(of: .sendRequest) == [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500])
        #expect(driver.times(of: .timedOut) == [32_000])
        #expect(driver.times(of: .terminate) == [32_000])
    }

    @Test func onReliableTransportTheRequestIsSentOnceAndTimerBStillRuns() {
        let driver = Driver(isReliable: true, [.request])
        driver.run(until: 100_000)
        #expect(driver.times(of: .sendRequest) == [0])
        #expect(driver.times(of: .timedOut) == [32_000])
    }

    @Test func aProvisionalResponseEndsRetransmissionAndTimerB() {
        let driver = Driver([.request])
        driver.run(until: 700)
        driver.handle(.response(.provisional))
        driver.run(until: 3_600_000)
        #expect(driver.times(of: .sendRequest) == [0, 500])
        #expect(driver.times(of: .timedOut).isEmpty)
        #expect(driver.machine.state == .proceeding)
    }

    @Test func rfc6026Section72Every2xxWithinTimerMIsPassedUp() {
        let driver = Driver([.request, .response(.success)])
        for time in [500, 1_500, 31_900] as [UInt64] {
            driver.run(until: time)
            driver.handle(.response(.success))
        }
        driver.run(until: 100_000)
        driver.handle(.response(.success))
        #expect(driver.times(of: .passToUser) == [0, 500, 1_500, 31_900])
        #expect(driver.times(of: .terminate) == [32_000])
        #expect(driver.times(of: .sendAcknowledgement).isEmpty)
    }

    @Test func rfc3261Section17112EveryRetransmissionOfARejectionIsAcknowledgedAndNotPassedUp() {
        let driver = Driver([.request, .response(.failure)])
        for time in [500, 1_500, 31_500] as [UInt64] {
            driver.run(until: time)
            driver.handle(.response(.failure))
        }
        driver.run(until: 100_000)
        #expect(driver.times(of: .sendAcknowledgement) == [0, 500, 1_500, 31_500])
        #expect(driver.times(of: .passToUser) == [0])
        #expect(driver.times(of: .terminate) == [32_000])
    }

    @Test func timersFollowTheSettings() {
        var settings = TransactionTimerSettings()
        settings.t1 = 100
        settings.timerD = 40_000
        let silent = Driver(settings: settings, [.request])
        silent.run(until: 100_000)
        #expect(silent.times(of: .sendRequest) == [0, 100, 300, 700, 1_500, 3_100, 6_300])
        #expect(silent.times(of: .timedOut) == [6_400])
        let rejected = Driver(settings: settings, [.request, .response(.failure)])
        rejected.run(until: 100_000)
        #expect(rejected.times(of: .terminate) == [40_000])
    }

    @Test(arguments: [false, true])
    func noTimerRunsAfterTheEnd(isReliable: Bool) {
        expectOrderlyTimers(of: ClientInviteTransaction.self, isReliable: isReliable)
    }

    @Test func aMachineIsAFewBytes() {
        #expect(MemoryLayout<ClientInviteTransaction>.size <= 4)
        #expect(MemoryLayout<ClientNonInviteTransaction>.size <= 4)
        #expect(MemoryLayout<ServerInviteTransaction>.size <= 4)
        #expect(MemoryLayout<ServerNonInviteTransaction>.size <= 4)
    }
}
