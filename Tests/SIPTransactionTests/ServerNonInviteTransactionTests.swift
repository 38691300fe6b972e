import SIPTransaction
import Testing

/// RFC 3261 figure 8.
@Suite struct ServerNonInviteTransactionTests {
    private typealias Driver = TransactionDriver<ServerNonInviteTransaction>

    @Test func figure8OnUnreliableTransport() {
        let complete: [TransactionEffect] = [.sendResponse, .start(.j, milliseconds: 32_000)]
        let arrows: [Arrow<ServerNonInviteTransaction>] = [
            Arrow(.initial, .request, [.passToUser], .trying),
            Arrow(.trying, .response(.provisional), [.sendResponse], .proceeding),
            Arrow(.trying, .response(.success), complete, .completed),
            Arrow(.trying, .response(.failure), complete, .completed),
            Arrow(.trying, .abandoned, [.terminate], .terminated),
            Arrow(.proceeding, .request, [.sendLastResponse], .proceeding),
            Arrow(.proceeding, .response(.provisional), [.sendResponse], .proceeding),
            Arrow(.proceeding, .response(.success), complete, .completed),
            Arrow(.proceeding, .response(.failure), complete, .completed),
            Arrow(.proceeding, .transportError, [.transportFailed, .terminate], .terminated),
            Arrow(.proceeding, .abandoned, [.terminate], .terminated),
            Arrow(.completed, .request, [.sendLastResponse], .completed),
            Arrow(.completed, .transportError, [.stop(.j), .transportFailed, .terminate], .terminated),
            Arrow(.completed, .timer(.j), [.terminate], .terminated),
        ]
        expectExactly(
            arrows, isReliable: false,
            ways: [
                .initial: [],
                .trying: [.request],
                .proceeding: [.request, .response(.provisional)],
                .completed: [.request, .response(.success)],
                .terminated: [.request, .response(.provisional), .transportError],
            ])
    }

    @Test func figure8OnReliableTransportHasATimerJOfZero() {
        let complete: [TransactionEffect] = [.sendResponse, .terminate]
        let arrows: [Arrow<ServerNonInviteTransaction>] = [
            Arrow(.initial, .request, [.passToUser], .trying),
            Arrow(.trying, .response(.provisional), [.sendResponse], .proceeding),
            Arrow(.trying, .response(.success), complete, .terminated),
            Arrow(.trying, .response(.failure), complete, .terminated),
            Arrow(.trying, .abandoned, [.terminate], .terminated),
            Arrow(.proceeding, .request, [.sendLastResponse], .proceeding),
            Arrow(.proceeding, .response(.provisional), [.sendResponse], .proceeding),
            Arrow(.proceeding, .response(.success), complete, .terminated),
            Arrow(.proceeding, .response(.failure), complete, .terminated),
            Arrow(.proceeding, .transportError, [.transportFailed, .terminate], .terminated),
            Arrow(.proceeding, .abandoned, [.terminate], .terminated),
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

    @Test func rfc3261Section1722ARetransmittedRequestGetsTheSameAnswerUntilTimerJ() {
        let driver = Driver([.request])
        driver.run(until: 500)
        #expect(driver.handle(.request).isEmpty)
        driver.run(until: 700)
        driver.handle(.response(.success))
        for time in [1_500, 3_500, 32_600] as [UInt64] {
            driver.run(until: time)
            driver.handle(.request)
        }
        driver.run(until: 100_000)
        #expect(driver.times(of: .passToUser) == [0])
        #expect(driver.times(of: .sendResponse) == [700])
        #expect(driver.times(of: .sendLastResponse) == [1_500, 3_500, 32_600])
        #expect(driver.times(of: .terminate) == [32_700])
    }

    @Test func rfc3261Section1722ASecondFinalResponseIsDiscarded() {
        let driver = Driver([.request, .response(.success)])
        #expect(driver.handle(.response(.failure)).isEmpty)
        #expect(driver.times(of: .sendResponse) == [0])
    }

    @Test func rfc4320Section42WhatIsAbandonedIsNeverAnswered() {
        let driver = Driver([.request, .abandoned])
        #expect(driver.handle(.response(.failure)).isEmpty)
        #expect(driver.handle(.request).isEmpty)
        #expect(driver.times(of: .sendResponse).isEmpty)
    }

    @Test(arguments: [false, true])
    func noTimerRunsAfterTheEnd(isReliable: Bool) {
        expectOrderlyTimers(of: ServerNonInviteTransaction.self, isReliable: isReliable)
    }
}
