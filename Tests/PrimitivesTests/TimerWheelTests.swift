import Testing

@testable import Primitives

@Suite struct TimerWheelTests {
    private func instant(_ milliseconds: UInt64) -> Instant { Instant(milliseconds: milliseconds) }

    @Test(
        arguments: [
            0, 1, 9, 10, 11, 500, 630, 640, 650, 4000, 32_000, 40_950, 40_960, 40_970, 180_000, 2_621_440, 3_600_000,
            86_400_000, 167_772_160, 11_000_000_000, 400_000_000_000,
        ] as [UInt64])
    func aTimerFiresNeverEarlyAndAtMostOneTickLate(duration: UInt64) {
        for start in [0, 3, 10, 635, 12_345, 655_359, 167_772_155, 9_000_000_000_000] as [UInt64] {
            let wheel = Wheel(start)
            let reference = wheel.schedule(at: start + duration, 7)
            if duration > 0 {
                #expect(wheel.expired(start + duration - 1).isEmpty)
                #expect(wheel.contains(reference))
            }
            #expect(wheel.expired(start + duration + 10) == [7])
            #expect(wheel.isEmpty && !wheel.contains(reference))
        }
    }

    @Test func manyTimersAgreeWithASortedList() {
        var random = Pseudorandom(state: 42)
        let wheel = Wheel(5_000)
        var model: [UInt64: (deadline: UInt64, reference: TimerReference)] = [:]
        var now: UInt64 = 5_000
        var next: UInt64 = 0
        var seen = now / 10
        for _ in 0..<20_000 {
            switch random.next() % 8 {
            case 0...3:
                let spans: [UInt64] = [20, 700, 33_000, 200_000, 4_000_000, 300_000_000]
                let deadline = now + random.next() % spans[Int(random.next() % 6)]
                model[next] = (deadline, wheel.schedule(at: deadline, next))
                next += 1
            case 4:
                guard let (payload, entry) = model.first else { break }
                #expect(wheel.cancel(entry.reference))
                #expect(!wheel.cancel(entry.reference))
                model[payload] = nil
            case 5:
                guard let (payload, entry) = model.first else { break }
                let deadline = now + random.next() % 100_000
                #expect(wheel.reschedule(entry.reference, at: deadline))
                model[payload] = (deadline, entry.reference)
            default:
                let steps: [UInt64] = [1, 10, 35, 500, 2_000, 90_000, 3_000_000]
                now += random.next() % steps[Int(random.next() % 7)]
                if let wake = wheel.nextWake, let earliest = model.values.map(\.deadline).min() {
                    #expect(wake.milliseconds <= earliest + 9)
                }
                var last: UInt64 = 0
                for payload in wheel.expired(now) {
                    guard let entry = model.removeValue(forKey: payload) else {
                        Issue.record("fired twice, or after cancelling")
                        continue
                    }
                    #expect(entry.deadline <= now)
                    // What was due already when it was scheduled counts as of the last time that was looked at.
                    let tick = max((entry.deadline + 9) / 10, seen)
                    #expect(tick >= last, "out of order")
                    last = tick
                }
                for entry in model.values { #expect(entry.deadline + 10 > now) }
                seen = now / 10
            }
            #expect(wheel.count == model.count)
        }
    }

    @Test func timersOfOneTickFireInTheOrderInWhichTheyWereScheduled() {
        let wheel = Wheel(0)
        for payload in 0..<10 as Range<UInt64> { _ = wheel.schedule(at: 1_000, payload) }
        #expect(wheel.expired(1_000) == Array(0..<10))
    }

    @Test func earlierTimersFireFirst() {
        let wheel = Wheel(0)
        let deadlines: [UInt64] = [90_000, 20, 4_000_000, 500, 32_000, 30, 3_000_000]
        for deadline in deadlines { _ = wheel.schedule(at: deadline, deadline) }
        #expect(wheel.expired(5_000_000) == deadlines.sorted())
    }

    @Test func whileExpiringNewTimersMayBeScheduled() {
        let wheel = Wheel(0)
        _ = wheel.schedule(at: 500, 0)
        var sent: [UInt64] = []
        // A clock that jumps: each expiry is handled at the late time, the next timer counts from there.
        while let number = wheel.pop(500) {
            sent.append(number)
            if number < 3 { _ = wheel.schedule(at: 500, number + 1) }
        }
        #expect(sent == [0, 1, 2, 3])
        #expect(wheel.isEmpty)
    }

    @Test func anExpiredTimerThatWasNotTakenYetCanBeCancelledOrMoved() {
        let wheel = Wheel(0)
        _ = wheel.schedule(at: 100, 1)
        let second = wheel.schedule(at: 100, 2)
        let third = wheel.schedule(at: 100, 3)
        #expect(wheel.pop(100) == 1)
        #expect(wheel.cancel(second))
        #expect(wheel.reschedule(third, at: 300))
        #expect(wheel.pop(200) == nil)
        #expect(wheel.pop(300) == 3)
    }

    @Test func aStaleReferenceIsIgnoredAlsoWhenItsPlaceIsReused() {
        let wheel = Wheel(0)
        let first = wheel.schedule(at: 100, 1)
        wheel.cancel(first)
        let second = wheel.schedule(at: 100, 2)
        #expect(first != second)
        #expect(!wheel.contains(first) && !wheel.cancel(first) && !wheel.reschedule(first, at: 0))
        #expect(wheel.expired(100) == [2])
        #expect(!wheel.cancel(second))
    }

    @Test func noReferenceIsNeverGood() {
        let wheel = Wheel(0)
        #expect(!wheel.contains(.none) && !wheel.cancel(.none))
        _ = wheel.schedule(at: 100, 1)
        #expect(!wheel.contains(.none) && !wheel.cancel(.none))
        #expect(wheel.count == 1)
    }

    @Test func aClockThatGoesBackwardsOnlyWaits() {
        let wheel = Wheel(10_000)
        _ = wheel.schedule(at: 10_500, 1)
        #expect(wheel.expired(10_400).isEmpty)
        #expect(wheel.expired(200).isEmpty)
        _ = wheel.schedule(at: 300, 2)
        #expect(wheel.expired(300) == [2])
        #expect(wheel.expired(10_500) == [1])
    }

    @Test func aJumpOfTheClockOverYearsTakesNoTime() {
        let wheel = Wheel(0)
        var fired = 0
        for round in 0..<1_000 as Range<UInt64> {
            let day: UInt64 = 86_400_000
            _ = wheel.schedule(at: round * 400 * day + day, round)
            fired += wheel.expired((round + 1) * 400 * day).count
        }
        #expect(fired == 1_000)
    }

    @Test func theGreatestInstantsAreNoError() {
        let wheel = Wheel(0)
        _ = wheel.schedule(at: UInt64.max, 1)
        #expect(wheel.nextWake.map { $0 > instant(0) } == true)
        #expect(wheel.expired(400 * 365 * 86_400_000).isEmpty)
        #expect(wheel.count == 1)
        let late = Wheel(UInt64.max - 100)
        _ = late.schedule(at: UInt64.max - 50, 2)
        #expect(late.expired(UInt64.max) == [2])
    }

    @Test func nextWakeIsNilWithoutTimersAndNeverAfterTheEarliest() {
        let wheel = Wheel(0)
        #expect(wheel.nextWake == nil)
        let reference = wheel.schedule(at: 505, 1)
        #expect(wheel.nextWake == instant(510))
        wheel.cancel(reference)
        #expect(wheel.nextWake == nil)
        _ = wheel.schedule(at: 3_600_000, 1)
        // Sleeping by nextWake must reach the timer in a few steps.
        var now = instant(0)
        var steps = 0
        while let wake = wheel.nextWake, steps < 10 {
            #expect(wake > now && wake <= instant(3_600_000))
            now = wake
            steps += 1
            _ = wheel.pop(now.milliseconds)
        }
        #expect(wheel.isEmpty && now == instant(3_600_000))
    }
}

/// A wheel behind a reference, so that expectations can contain what changes it.
private final class Wheel {
    private var wheel: TimerWheel<UInt64>

    init(_ now: UInt64) { wheel = TimerWheel(now: Instant(milliseconds: now), capacity: 8) }

    var count: Int { wheel.count }
    var isEmpty: Bool { wheel.isEmpty }
    var nextWake: Instant? { wheel.nextWake }

    func schedule(at milliseconds: UInt64, _ payload: UInt64) -> TimerReference {
        wheel.schedule(at: Instant(milliseconds: milliseconds), payload)
    }

    func contains(_ reference: TimerReference) -> Bool { wheel.contains(reference) }

    @discardableResult
    func cancel(_ reference: TimerReference) -> Bool { wheel.cancel(reference) }

    func reschedule(_ reference: TimerReference, at milliseconds: UInt64) -> Bool {
        wheel.reschedule(reference, at: Instant(milliseconds: milliseconds))
    }

    func pop(_ now: UInt64) -> UInt64? { wheel.popExpired(Instant(milliseconds: now)) }

    func expired(_ now: UInt64) -> [UInt64] {
        var payloads: [UInt64] = []
        while let payload = pop(now) { payloads.append(payload) }
        return payloads
    }
}

/// A small generator with a fixed start, so that a failure can be repeated.
struct Pseudorandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 29) >> 7
    }
}
