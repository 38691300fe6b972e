import SIPTransaction
import Testing

/// RFC 3261 figure 7 as replaced by figure 7 of RFC 6026.
@Suite struct ServerInviteTransactionTests {
    private typealias Driver = TransactionDriver<ServerInviteTransaction>

    @Test func figure7OnUnreliableTransport() {
        let arrows: [Arrow<ServerInviteTransaction>] = [
            Arrow(.initial, .request, [.passToUser], .proceeding),
            Arrow(.proceeding, .request, [.sendLastResponse], .proceeding),
            Arrow(.proceeding, .response(.provisional), [.sendResponse], .proceeding),
            Arrow(.proceeding, .response(.success), [.sendResponse, .start(.l, milliseconds: 32_000)], .accepted),
            Arrow(
                .proceeding, .response(.failure),
                [.sendResponse, .start(.g, milliseconds: 500), .start(.h, milliseconds: 32_000)], .completed),
            Arrow(.proceeding, .transportError, [.transportFailed], .proceeding),
            Arrow(.accepted, .response(.success), [.sendResponse], .accepted),
            Arrow(.accepted, .acknowledgement, [.passToUser], .accepted),
            Arrow(.accepted, .transportError, [.transportFailed], .accepted),
            Arrow(.accepted, .timer(.l), [.terminate], .terminated),
            Arrow(.completed, .request, [.sendLastResponse], .completed),
            Arrow(.completed, .timer(.g), [.sendLastResponse, .start(.g, milliseconds: 1_000)], .completed),
            Arrow(.completed, .timer(.h), [.stop(.g), .timedOut, .terminate], .terminated),
            Arrow(.completed, .transportError, [.transportFailed], .completed),
            Arrow(
                .completed, .acknowledgement, [.stop(.g), .stop(.h), .start(.i, milliseconds: 5_000)], .confirmed),
            Arrow(.confirmed, .timer(.i), [.terminate], .terminated),
        ]
        expectExactly(
            arrows, isReliable: false,
            ways: [
                .initial: [],
                .proceeding: [.request, .response(.provisional)],
                .accepted: [.request, .response(.success)],
                .completed: [.request, .response(.failure)],
                .confirmed: [.request, .response(.failure), .acknowledgement],
                .terminated: [.request, .response(.failure), .timer(.h)],
            ])
    }

    @Test func figure7OnReliableTransportHasNoTimerGAndATimerIOfZero() {
        let arrows: [Arrow<ServerInviteTransaction>] = [
            Arrow(.initial, .request, [.passToUser], .proceeding),
            Arrow(.proceeding, .request, [.sendLastResponse], .proceeding),
            Arrow(.proceeding, .response(.provisional), [.sendResponse], .proceeding),
            Arrow(.proceeding, .response(.success), [.sendResponse, .start(.l, milliseconds: 32_000)], .accepted),
            Arrow(.proceeding, .response(.failure), [.sendResponse, .start(.h, milliseconds: 32_000)], .completed),
            Arrow(.proceeding, .transportError, [.transportFailed], .proceeding),
            Arrow(.accepted, .response(.success), [.sendResponse], .accepted),
            Arrow(.accepted, .acknowledgement, [.passToUser], .accepted),
            Arrow(.accepted, .transportError, [.transportFailed], .accepted),
            Arrow(.accepted, .timer(.l), [.terminate], .terminated),
            Arrow(.completed, .request, [.sendLastResponse], .completed),
            Arrow(.completed, .timer(.h), [.timedOut, .terminate], .terminated),
            Arrow(.completed, .transportError, [.transportFailed], .completed),
            Arrow(.completed, .acknowledgement, [.stop(.h), .terminate], .terminated),
        ]
        expectExactly(
            arrows, isReliable: true,
            ways: [
                .initial: [],
                .proceeding: [.request],
                .accepted: [.request, .response(.success)],
                .completed: [.request, .response(.failure)],
                .terminated: [.request, .response(.success), .timer(.l)],
            ])
    }

    @Test func rfc3261Section1721TimerGDoublesUpToT2UntilTimerH() {
        let driver = Driver([.request, .response(.failure)])
        driver.run(until: 100_000)
        #expect(driver.times(of: .sendResponse) == [0])
        #expect(
            driver.times(of: .sendLastResponse) == [
                500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
            ])
        #expect(driver.times(of: .timedOut) == [32_000])
        #expect(driver.times(of: .terminate) == [32_000])
    }

    @Test func onReliableTransportARejectionIsSentOnceAndTimerHStillRuns() {
        let driver = Driver(isReliable: true, [.request, .response(.failure)])
        driver.run(until: 100_000)
        #expect(driver.times(of: .sendResponse) == [0])
        #expect(driver.times(of: .sendLastResponse).isEmpty)
        #expect(driver.times(of: .timedOut) == [32_000])
    }

    @Test func theACKEndsRetransmissionAndFurtherACKsAreAbsorbedUntilTimerI() {
        let driver = Driver([.request, .response(.failure)])
        driver.run(until: 700)
        driver.handle(.acknowledgement)
        driver.run(until: 1_600)
        driver.handle(.acknowledgement)
        driver.handle(.request)
        driver.run(until: 100_000)
        #expect(driver.times(of: .sendLastResponse) == [500])
        #expect(driver.times(of: .timedOut).isEmpty)
        #expect(driver.times(of: .passToUser) == [0])
        #expect(driver.times(of: .terminate) == [5_700])
    }

    @Test func rfc6026Section71AfterA2xxRetransmittedINVITEsAreAbsorbedUntilTimerL() {
        let driver = Driver([.request, .response(.provisional), .response(.success)])
        for time in [500, 1_500, 31_900] as [UInt64] {
            driver.run(until: time)
            #expect(driver.handle(.request).isEmpty)
        }
        driver.run(until: 100_000)
        #expect(driver.times(of: .passToUser) == [0])
        #expect(driver.times(of: .terminate) == [32_000])
    }

    @Test func rfc6026Section71The2xxOfOtherForksAndRetransmissionsAreSent() {
        let driver = Driver([.request, .response(.success)])
        driver.run(until: 500)
        driver.handle(.response(.success))
        #expect(driver.handle(.response(.failure)).isEmpty)
        #expect(driver.handle(.response(.provisional)).isEmpty)
        #expect(driver.times(of: .sendResponse) == [0, 500])
    }

    @Test(arguments: [false, true])
    func noTimerRunsAfterTheEnd(isReliable: Bool) {
        expectOrderlyTimers(of: ServerInviteTransaction.self, isReliable: isReliable)
    }
}
