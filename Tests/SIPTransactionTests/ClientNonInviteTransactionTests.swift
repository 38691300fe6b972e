import SIPTransaction
import Testing

/// RFC 3261 figure 6.
@Suite struct ClientNonInviteTransactionTests {
    private typealias Driver = TransactionDriver<ClientNonInviteTransaction>

    @Test func figure6OnUnreliableTransport() {
        let stop: [TransactionEffect] = [.stop(.e), .stop(.f)]
        let complete = stop + [.passToUser, .start(.k, milliseconds: 5_000)]
        let arrows: [Arrow<ClientNonInviteTransaction>] = [
            Arrow(
                .initial, .request,
                [.sendRequest, .start(.e, milliseconds: 500), .start(.f, milliseconds: 32_000)], .trying),
            Arrow(.trying, .timer(.e), [.sendRequest, .start(.e, milliseconds: 1_000)], .trying),
            Arrow(.trying, .timer(.f), [.stop(.e), .timedOut, .terminate], .terminated),
            Arrow(.trying, .transportError, stop + [.transportFailed, .terminate], .terminated),
            Arrow(.trying, .response(.provisional), [.passToUser], .proceeding),
            Arrow(.trying, .response(.success), complete, .completed),
            Arrow(.trying, .response(.failure), complete, .completed),
            Arrow(.proceeding, .timer(.e), [.sendRequest, .start(.e, milliseconds: 4_000)], .proceeding),
            Arrow(.proceeding, .timer(.f), [.stop(.e), .timedOut, .terminate], .terminated),
            Arrow(.proceeding, .transportError, stop + [.transportFailed, .terminate], .terminated),
            Arrow(.proceeding, .response(.provisional), [.passToUser], .proceeding),
            Arrow(.proceeding, .response(.success), complete, .completed),
            Arrow(.proceeding, .response(.failure), complete, .completed),
            Arrow(.completed, .timer(.k), [.terminate], .terminated),
        ]
        expectExactly(
            arrows, isReliable: false,
            ways: [
                .initial: [],
                .trying: [.request],
                .proceeding: [.request, .response(.provisional)],
                .completed: [.request, .response(.provisional), .response(.success)],
                .terminated: [.request, .timer(.f)],
            ])
    }

    @Test func figure6OnReliableTransportHasNoTimerEAndATimerKOfZero() {
        let complete: [TransactionEffect] = [.stop(.f), .passToUser, .terminate]
        let arrows: [Arrow<ClientNonInviteTransaction>] = [
            Arrow(.initial, .request, [.sendRequest, .start(.f, milliseconds: 32_000)], .trying),
            Arrow(.trying, .timer(.f), [.timedOut, .terminate], .terminated),
            Arrow(.trying, .transportError, [.stop(.f), .transportFailed, .terminate], .terminated),
            Arrow(.trying, .response(.provisional), [.passToUser], .proceeding),
            Arrow(.trying, .response(.success), complete, .terminated),
            Arrow(.trying, .response(.failure), complete, .terminated),
            Arrow(.proceeding, .timer(.f), [.timedOut, .terminate], .terminated),
            Arrow(.proceeding, .transportError, [.stop(.f), .transportFailed, .terminate], .terminated),
            Arrow(.proceeding, .response(.provisional), [.passToUser], .proceeding),
            Arrow(.proceeding, .response(.success), complete, .terminated),
            Arrow(.proceeding, .response(.failure), complete, .terminated),
        ]
        expectExactly(
            arrows, isReliable: true,
            ways: [
                .initial: [],
                .trying: [.request],
                .proceeding: [.request, .response(.provisional)],
                .terminated: [.request, .response(.success)],
            ])
    }

    @Test func rfc3261Section17122TimerEDoublesUpToT2UntilTimerF() {
        let driver = Driver([.request])
        driver.run(until: 100_000)
        #expect(
            driver.times(of: .sendRequest) == [
                0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
            ])
        #expect(driver.times(of: .timedOut) == [32_000])
        #expect(driver.times(of: .terminate) == [32_000])
    }

    @Test func rfc3261Section17122InProceedingTimerEIsResetToT2WhenItNextFires() {
        let driver = Driver([.request])
        driver.run(until: 600)
        driver.handle(.response(.provisional))
        driver.run(until: 100_000)
        #expect(
            driver.times(of: .sendRequest) == [
                0, 500, 1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500,
            ])
        #expect(driver.times(of: .timedOut) == [32_000])
    }

    @Test func onReliableTransportTheRequestIsSentOnceAndTimerFStillRuns() {
        let driver = Driver(isReliable: true, [.request])
        driver.run(until: 100_000)
        #expect(driver.times(of: .sendRequest) == [0])
        #expect(driver.times(of: .timedOut) == [32_000])
    }

    @Test func repeatedFinalResponsesAreAbsorbedUntilTimerK() {
        let driver = Driver([.request])
        driver.run(until: 1_000)
        driver.handle(.response(.success))
        for time in [1_100, 3_000, 5_900] as [UInt64] {
            driver.run(until: time)
            driver.handle(.response(.success))
        }
        driver.run(until: 100_000)
        #expect(driver.times(of: .passToUser) == [1_000])
        #expect(driver.times(of: .terminate) == [6_000])
    }

    @Test func rfc4320Section42AResponseAfterTheTimeoutIsNotPassedUp() {
        let driver = Driver([.request])
        driver.run(until: 33_000)
        #expect(driver.handle(.response(.success)).isEmpty)
        #expect(driver.times(of: .passToUser).isEmpty)
    }

    @Test(arguments: [false, true])
    func noTimerRunsAfterTheEnd(isReliable: Bool) {
        expectOrderlyTimers(of: ClientNonInviteTransaction.self, isReliable: isReliable)
    }
}
