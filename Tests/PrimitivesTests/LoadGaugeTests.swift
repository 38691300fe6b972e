import Primitives
import Testing

@Suite struct LoadGaugeTests {
    private var gauge = LoadGauge()
    private var now: UInt64 = 1_000

    /// Adds turns of 5 ms each for a time; gives the changes.
    private mutating func run(
        milliseconds: UInt64, handled: Int = 64, waiting: Int = 0, lost: Int = 0
    ) -> [LoadGauge.Change] {
        var changes: [LoadGauge.Change] = []
        for _ in 0..<milliseconds / 5 {
            now += 5
            var sample = LoadSample()
            sample.handled = handled
            sample.waiting = waiting
            sample.lost = lost
            if let change = gauge.add(sample, at: Instant(milliseconds: now)) { changes.append(change) }
        }
        return changes
    }

    @Test mutating func `full batches with an empty queue are no load`() {
        #expect(run(milliseconds: 5_000) == [])
        #expect(gauge.level == .normal)
    }

    @Test mutating func `a closed loop of 64 that all wait here is no load`() {
        // 64 in 5 ms: 64 waiting wait 5 ms.
        #expect(run(milliseconds: 5_000, waiting: 64) == [])
    }

    @Test mutating func `a queue of 60 ms at its best moment is load, and is told once`() {
        #expect(run(milliseconds: 2_000, waiting: 770) == [.began])
        #expect(gauge.level == .busy)
        #expect((55...65).contains(gauge.worstDelay))
    }

    @Test mutating func `a queue of more than 200 ms is overload`() {
        #expect(run(milliseconds: 1_000, waiting: 3_000) == [.began])
        #expect(gauge.level == .overloaded)
    }

    @Test mutating func `a burst that is worked off within the window is no load`() {
        for _ in 0..<10 {
            #expect(run(milliseconds: 150, waiting: 3_000) == [])
            #expect(run(milliseconds: 50) == [])
        }
        #expect(gauge.level == .normal)
    }

    @Test mutating func `lost datagrams of a queue that is never empty are load`() {
        #expect(run(milliseconds: 1_000, waiting: 300, lost: 1) == [.began])
        #expect(gauge.level == .busy)
        #expect(gauge.lost > 0)
        _ = run(milliseconds: 1_000, waiting: 300, lost: 64)
        #expect(gauge.level == .overloaded)
    }

    @Test mutating func `losses with a short wait are load only when they last for a second`() {
        // 100 of 64 in 5 ms wait 8 ms.
        for _ in 0..<5 {
            #expect(run(milliseconds: 600, waiting: 100, lost: 100) == [])
            #expect(run(milliseconds: 400) == [])
        }
        #expect(gauge.level == .normal)
        #expect(run(milliseconds: 2_000, waiting: 100, lost: 100) == [.began])
        #expect(gauge.level == .overloaded)
    }

    @Test mutating func `a pulse every eight seconds is load for some two seconds of them`() {
        var busy = 0
        for _ in 0..<4 {
            _ = run(milliseconds: 600, waiting: 3_000, lost: 100)
            for _ in 0..<74 {
                _ = run(milliseconds: 100)
                if gauge.level != .normal { busy += 100 }
            }
        }
        #expect((4 * 1_500...4 * 2_500).contains(busy))
    }

    @Test mutating func `overload falls after a second, and load after two, and that is told once`() {
        _ = run(milliseconds: 1_000, waiting: 3_000)
        #expect(run(milliseconds: 700) == [])
        #expect(gauge.level == .overloaded)
        #expect(run(milliseconds: 700) == [])
        #expect(gauge.level == .busy)
        #expect(run(milliseconds: 1_000) == [.ended])
        #expect(gauge.level == .normal)
        #expect(gauge.worstLevel == .overloaded)
        gauge.forget()
        #expect(gauge.worstDelay == 0)
    }

    @Test mutating func `a pause of the process is no load`() {
        _ = run(milliseconds: 100)
        now += 30_000
        #expect(run(milliseconds: 5, waiting: 4_000) == [])
        #expect(run(milliseconds: 1_000) == [])
        #expect(gauge.level == .normal)
    }

    @Test mutating func `a loop without anything to do is at rest`() {
        #expect(run(milliseconds: 1_000, handled: 0) == [])
        _ = run(milliseconds: 1_000, handled: 64, waiting: 3_000)
        // Ticks of 100 ms: two turns a window.
        for _ in 0..<200 {
            now += 100
            _ = gauge.add(LoadSample(), at: Instant(milliseconds: now))
        }
        #expect(gauge.level == .normal)
    }
}
