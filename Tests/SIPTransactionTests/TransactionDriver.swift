import Primitives
import SIPTransaction
import Testing

/// What the four machines have in common, for the tests that treat them alike.
protocol TransactionMachine {
    associatedtype State: Hashable & CaseIterable
    associatedtype Event: Equatable

    init(isReliable: Bool)
    var state: State { get }
    mutating func handle(_ event: Event, _ settings: TransactionTimerSettings) -> TransactionEffects

    static var terminated: State { get }
    static var eventsButTimers: [Event] { get }
    static func fired(_ timer: TransactionTimer) -> Event
}

extension TransactionMachine {
    static var allEvents: [Event] { eventsButTimers + TransactionTimer.allCases.map(fired) }
}

extension ClientInviteTransaction: TransactionMachine {
    static var terminated: State { .terminated }
    static var eventsButTimers: [Event] { [.request, .transportError] + ResponseClass.allCases.map(Event.response) }
    static func fired(_ timer: TransactionTimer) -> Event { .timer(timer) }
}

extension ClientNonInviteTransaction: TransactionMachine {
    static var terminated: State { .terminated }
    static var eventsButTimers: [Event] { [.request, .transportError] + ResponseClass.allCases.map(Event.response) }
    static func fired(_ timer: TransactionTimer) -> Event { .timer(timer) }
}

extension ServerInviteTransaction: TransactionMachine {
    static var terminated: State { .terminated }
    static var eventsButTimers: [Event] {
        [.request, .acknowledgement, .transportError] + ResponseClass.allCases.map(Event.response)
    }
    static func fired(_ timer: TransactionTimer) -> Event { .timer(timer) }
}

extension ServerNonInviteTransaction: TransactionMachine {
    static var terminated: State { .terminated }
    static var eventsButTimers: [Event] {
        [.request, .abandoned, .transportError] + ResponseClass.allCases.map(Event.response)
    }
    static func fired(_ timer: TransactionTimer) -> Event { .timer(timer) }
}

extension TransactionEffects {
    /// The effects as an array, for comparison.
    var list: [TransactionEffect] { (0..<count).map { self[$0] } }
}

/// Runs a machine against a timer wheel in virtual time and records what it wants done when.
///
/// It holds every machine to the rules of timers: only a running timer is stopped, none is started twice, at most one
/// of each kind runs, and none runs after the end.
final class TransactionDriver<Machine: TransactionMachine> {
    private(set) var machine: Machine
    /// What was done, timers aside, and at how many milliseconds.
    private(set) var record: [Recorded] = []
    private(set) var running: [TransactionTimer: TimerReference] = [:]
    private var wheel: TimerWheel<TransactionTimer>
    private let settings: TransactionTimerSettings
    private var now: UInt64 = 0

    struct Recorded: Equatable, CustomStringConvertible {
        var milliseconds: UInt64
        var effect: TransactionEffect
        var description: String { "\(milliseconds) \(effect)" }
    }

    init(isReliable: Bool = false, settings: TransactionTimerSettings = .init(), _ events: [Machine.Event] = []) {
        machine = Machine(isReliable: isReliable)
        self.settings = settings
        wheel = TimerWheel(now: Instant(milliseconds: 0))
        for event in events { handle(event) }
    }

    /// Feeds an event; that of a running timer is taken as its firing.
    @discardableResult
    func handle(_ event: Machine.Event) -> [TransactionEffect] {
        for (timer, reference) in running where Machine.fired(timer) == event {
            wheel.cancel(reference)
            running[timer] = nil
        }
        let effects = machine.handle(event, settings).list
        for effect in effects { perform(effect) }
        return effects
    }

    /// Lets the time pass up to `milliseconds` since the start.
    func run(until milliseconds: UInt64) {
        while let wake = wheel.nextWake, wake.milliseconds <= milliseconds {
            now = wake.milliseconds
            while let timer = wheel.popExpired(wake) { handle(Machine.fired(timer)) }
        }
        now = milliseconds
    }

    /// The times at which `effect` was wanted.
    func times(of effect: TransactionEffect) -> [UInt64] {
        record.filter { $0.effect == effect }.map(\.milliseconds)
    }

    private func perform(_ effect: TransactionEffect) {
        switch effect {
        case .start(let timer, let milliseconds):
            #expect(running[timer] == nil, "started twice: \(timer)")
            #expect(
                running.keys.allSatisfy { $0.isRetransmission != timer.isRetransmission }, "two of a kind: \(timer)")
            let deadline = Instant(milliseconds: now + UInt64(milliseconds))
            running[timer] = wheel.schedule(at: deadline, timer)
        case .stop(let timer):
            guard let reference = running.removeValue(forKey: timer) else {
                Issue.record("stopped though not running: \(timer)")
                return
            }
            wheel.cancel(reference)
        case .terminate:
            #expect(running.isEmpty && wheel.isEmpty, "still running: \(running.keys)")
            #expect(machine.state == Machine.terminated)
            record.append(Recorded(milliseconds: now, effect: effect))
        default:
            record.append(Recorded(milliseconds: now, effect: effect))
        }
    }
}

/// One arrow of a figure: an event in a state, what is to be done and the state after it.
struct Arrow<Machine: TransactionMachine> {
    var state: Machine.State
    var event: Machine.Event
    var effects: [TransactionEffect]
    var next: Machine.State

    init(_ state: Machine.State, _ event: Machine.Event, _ effects: [TransactionEffect], _ next: Machine.State) {
        self.state = state
        self.event = event
        self.effects = effects
        self.next = next
    }
}

/// Holds every pair of state and event of a machine against the figure's arrows: a pair without arrow does nothing.
///
/// - Parameter ways: the events that lead from the start into each state.
func expectExactly<Machine: TransactionMachine>(
    _ arrows: [Arrow<Machine>], isReliable: Bool, ways: [Machine.State: [Machine.Event]],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    for (state, way) in ways {
        for event in Machine.allEvents {
            let driver = TransactionDriver<Machine>(isReliable: isReliable, way)
            #expect(driver.machine.state == state, sourceLocation: sourceLocation)
            let arrow = arrows.first { $0.state == state && $0.event == event }
            let effects = driver.handle(event)
            #expect(effects == arrow?.effects ?? [], "\(state), \(event)", sourceLocation: sourceLocation)
            #expect(driver.machine.state == arrow?.next ?? state, "\(state), \(event)", sourceLocation: sourceLocation)
            // Whatever comes next: the driver checks the timers to the end.
            driver.run(until: 1_000_000)
        }
    }
    for arrow in arrows { #expect(ways[arrow.state] != nil, "untested: \(arrow)", sourceLocation: sourceLocation) }
}

/// Feeds random events and lets random times pass; the driver checks the timers.
func expectOrderlyTimers<Machine: TransactionMachine>(of _: Machine.Type, isReliable: Bool) {
    var random = Pseudorandom()
    var ended = 0
    for _ in 0..<3_000 {
        let driver = TransactionDriver<Machine>(isReliable: isReliable)
        var time: UInt64 = 0
        for _ in 0..<12 {
            if let event = Machine.allEvents.randomElement(using: &random) { driver.handle(event) }
            time += UInt64.random(in: 0...9_000, using: &random)
            driver.run(until: time)
        }
        guard driver.machine.state == Machine.terminated else { continue }
        ended += 1
        let before = driver.record
        for event in Machine.allEvents { #expect(driver.handle(event).isEmpty) }
        #expect(driver.record == before && driver.running.isEmpty)
    }
    #expect(ended > 0)
}

/// A small generator with a fixed start, so that a failure can be repeated.
private struct Pseudorandom: RandomNumberGenerator {
    var state: UInt64 = 42

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
