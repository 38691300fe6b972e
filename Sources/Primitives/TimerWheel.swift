/// A reference to a timer of a `TimerWheel`; once the timer fired or was cancelled it is recognised as stale.
@frozen
public struct TimerReference: Hashable, Sendable {
    @usableFromInline let position: UInt32
    @usableFromInline let generation: UInt32

    /// A reference to no timer.
    public static let none = TimerReference(position: 0, generation: 0)

    @inlinable
    init(position: UInt32, generation: UInt32) {
        self.position = position
        self.generation = generation
    }
}

/// Very many timers at constant cost each: a hierarchical wheel with a resolution of 10 ms.
///
/// A timer never fires early, and at most one tick (10 ms) after its time when `popExpired` is called in time. Five
/// levels of 64 slots: level 0 holds the next 0.64 s by single ticks, level 1 the next 41 s, level 2 the next 43 min,
/// level 3 two days, level 4 four months; a later timer waits in the last slot and is filed anew from there. A slot of
/// level 1 is only 0.64 s wide: refiling it never holds up a packet for long, however many 32 s timers run.
///
/// The entries are in one array with a free list: once that is warm, nothing is allocated.
public struct TimerWheel<Payload: BitwiseCopyable & Sendable>: Sendable {
    /// The number of timers that are neither fired nor cancelled.
    public private(set) var count = 0
    /// All timers due at this tick or before it are in the list of expired ones.
    private var clock: UInt64
    private var timers: [TimerEntry<Payload>] = []
    /// The slots, level by level, then the list of expired timers.
    private var lists = [TimerList](repeating: TimerList(), count: TimerList.expired + 1)
    private var free = TimerList.end
    /// One bit a slot that is not empty.
    private var occupied = InlineArray<5, UInt64>(repeating: 0)

    /// A wheel without timers, started at `now`, with room for `capacity` timers before it grows.
    public init(now: Instant, capacity: Int = 0) {
        clock = now.milliseconds / TimerList.tick
        timers.reserveCapacity(capacity)
    }

    /// True when no timer runs.
    public var isEmpty: Bool { count == 0 }

    /// Starts a timer that gives `payload` once `deadline` has come; a deadline in the past is due at once.
    public mutating func schedule(at deadline: Instant, _ payload: Payload) -> TimerReference {
        let tick = TimerList.tick(notBefore: deadline)
        count += 1
        if free != TimerList.end {
            let position = free
            free = timers[Int(position)].next
            timers[Int(position)].payload = payload
            timers[Int(position)].tick = tick
            file(position)
            return TimerReference(position: position, generation: timers[Int(position)].generation)
        }
        let position = UInt32(timers.count)
        timers.append(TimerEntry(tick: tick, payload: payload))
        file(position)
        return TimerReference(position: position, generation: 1)
    }

    /// True while the timer is neither fired nor cancelled.
    public func contains(_ reference: TimerReference) -> Bool {
        Int(reference.position) < timers.count && timers[Int(reference.position)].generation == reference.generation
            && timers[Int(reference.position)].list != TimerList.none
    }

    /// Ends a timer without firing; a stale reference is ignored.
    ///
    /// - Returns: whether the timer was still running.
    @discardableResult
    public mutating func cancel(_ reference: TimerReference) -> Bool {
        guard contains(reference) else { return false }
        unlink(reference.position)
        release(reference.position)
        return true
    }

    /// Moves a running timer to another time; its reference stays good. A stale reference is ignored.
    ///
    /// - Returns: whether the timer was still running.
    @discardableResult
    public mutating func reschedule(_ reference: TimerReference, at deadline: Instant) -> Bool {
        guard contains(reference) else { return false }
        unlink(reference.position)
        timers[Int(reference.position)].tick = TimerList.tick(notBefore: deadline)
        file(reference.position)
        return true
    }

    /// Takes one timer that is due at `now`, the earliest first (to a tick), or gives nil when there is none.
    ///
    /// Call it until it gives nil. Timers may be started, moved and cancelled between two calls. A jump of the clock
    /// costs by the timers that it passes, not by its length (but for one refiling a four months of a timer that is
    /// farther away); a clock that goes backwards only waits.
    public mutating func popExpired(_ now: Instant) -> Payload? {
        let target = now.milliseconds / TimerList.tick
        while lists[TimerList.expired].first == TimerList.end {
            if clock >= target { return nil }
            let next = nextOccupiedTick()
            if next > target {
                clock = target
                return nil
            }
            clock = next
            refileSlotsOfClock()
        }
        let position = lists[TimerList.expired].first
        unlink(position)
        release(position)
        return timers[Int(position)].payload
    }

    /// A time at which `popExpired` should be called at the latest, nil without timers: how long the caller may sleep.
    ///
    /// It is never after the earliest timer's tick, but can be before it, when a slot of a higher level is to be refiled.
    public var nextWake: Instant? {
        if count == 0 { return nil }
        let tick = lists[TimerList.expired].first == TimerList.end ? nextOccupiedTick() : clock
        let (milliseconds, overflow) = tick.multipliedReportingOverflow(by: TimerList.tick)
        return Instant(milliseconds: overflow ? UInt64.max : milliseconds)
    }

    /// The first tick after the clock whose slots, on any level, hold a timer; the greatest number without timers.
    private func nextOccupiedTick() -> UInt64 {
        var nearest = UInt64.max
        for level in 0..<TimerList.levels where occupied[level] != 0 {
            let shift = UInt64(6 * level)
            let turn = clock >> shift
            // The slot of the current position comes last: what is in it belongs to the next turn of the wheel.
            let start = (turn &+ 1) & 63
            let rotated = occupied[level] >> start | occupied[level] << ((64 &- start) & 63)
            nearest = min(nearest, (turn &+ 1 &+ UInt64(rotated.trailingZeroBitCount)) << shift)
        }
        return nearest
    }

    /// Files the timers of all slots that begin at the clock's tick anew: into lower levels, or as expired.
    private mutating func refileSlotsOfClock() {
        var level = TimerList.levels
        while level > 0 {
            level -= 1
            let shift = UInt64(6 * level)
            let slot = clock >> shift & 63
            if clock & ((1 << shift) &- 1) != 0 || occupied[level] >> slot & 1 == 0 { continue }
            let list = level * 64 + Int(slot)
            // The last timer is fixed first: one that is too far away can come back into the same slot.
            let last = lists[list].last
            var moved = TimerList.end
            while moved != last {
                moved = lists[list].first
                unlink(moved)
                file(moved)
            }
        }
    }

    /// Appends a timer to the list that its tick belongs to.
    private mutating func file(_ position: UInt32) {
        let tick = timers[Int(position)].tick
        if tick <= clock {
            append(position, to: TimerList.expired)
            return
        }
        let farthest: UInt64 = 1 << UInt64(6 * TimerList.levels)
        let distance = min(tick - clock, farthest - 1)
        let level = (63 - (distance | 1).leadingZeroBitCount) / 6
        let slot = (clock &+ distance) >> UInt64(6 * level) & 63
        append(position, to: level * 64 + Int(slot))
        occupied[level] |= 1 << slot
    }

    private mutating func append(_ position: UInt32, to list: Int) {
        let last = lists[list].last
        timers[Int(position)].list = UInt16(list)
        timers[Int(position)].previous = last
        timers[Int(position)].next = TimerList.end
        if last == TimerList.end {
            lists[list].first = position
        } else {
            timers[Int(last)].next = position
        }
        lists[list].last = position
    }

    private mutating func unlink(_ position: UInt32) {
        let entry = timers[Int(position)]
        let list = Int(entry.list)
        if entry.previous == TimerList.end {
            lists[list].first = entry.next
        } else {
            timers[Int(entry.previous)].next = entry.next
        }
        if entry.next == TimerList.end {
            lists[list].last = entry.previous
        } else {
            timers[Int(entry.next)].previous = entry.previous
        }
        if lists[list].first == TimerList.end, list < TimerList.expired {
            occupied[list / 64] &= ~(1 << UInt64(list % 64))
        }
    }

    private mutating func release(_ position: UInt32) {
        let index = Int(position)
        // Generation 0 belongs to `TimerReference.none`.
        timers[index].generation = timers[index].generation == UInt32.max ? 1 : timers[index].generation + 1
        timers[index].list = TimerList.none
        timers[index].next = free
        free = position
        count -= 1
    }
}

/// A timer in one of the doubly linked lists of a wheel, or in the free list.
private struct TimerEntry<Payload: BitwiseCopyable & Sendable>: Sendable {
    var tick: UInt64
    var payload: Payload
    var previous = TimerList.end
    var next = TimerList.end
    var generation: UInt32 = 1
    var list = TimerList.none
}

/// The ends of a list of timers, and the numbers that wheels are made of.
private struct TimerList: Sendable {
    var first = TimerList.end
    var last = TimerList.end

    /// No position.
    static let end = UInt32.max
    /// The list of a timer that is in none.
    static let none = UInt16.max
    /// Milliseconds a tick.
    static let tick: UInt64 = 10
    static let levels = 5
    /// The index of the list of expired timers.
    static let expired = levels * 64

    /// The first tick that is not before `deadline`: rounded up, for a timer must not fire early.
    static func tick(notBefore deadline: Instant) -> UInt64 {
        deadline.milliseconds / tick + (deadline.milliseconds % tick == 0 ? 0 : 1)
    }
}
