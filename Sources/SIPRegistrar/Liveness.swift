import Primitives
import SIPMessage

/// What is known of the device behind a binding: when it was heard last, whether it answers pings, and by which flows it
/// was reached before. In memory only, 19 bytes.
public struct Liveness: Sendable {
    /// When it was heard last, in seconds since 1970.
    private var heard: UInt32
    /// When it was pinged last, or came by its flow: a `Tick`.
    private var pinged: UInt32
    /// The flows before the present one, as `Flow.mark`; 0 for none. The last one first.
    private(set) var previousFlow: UInt32 = 0
    private(set) var flowBefore: UInt32 = 0
    /// Pings in a row that were not answered.
    private(set) var unanswered: UInt8 = 0
    private var flags: UInt8 = 0

    private enum Flag {
        static let isNatted: UInt8 = 1
        static let isAwaited: UInt8 = 2
        static let answersPings: UInt8 = 4
        static let isUnreachable: UInt8 = 8
        static let wasPinged: UInt8 = 16
        static let isAbandoned: UInt8 = 32
        static let isShared: UInt8 = 64
    }

    init(since time: UnixTime) {
        heard = UInt32(clamping: time.seconds)
        pinged = Liveness.tick(time)
    }

    /// When the device was heard last on its flow.
    public var lastHeard: UnixTime { UnixTime(seconds: Int64(heard)) }
    /// True when the contact names another address than the REGISTER came from, so that a NAT is between.
    public internal(set) var isNatted: Bool {
        get { flags & Flag.isNatted != 0 }
        set { set(Flag.isNatted, newValue) }
    }
    /// True when the device has answered before, and now several pings in a row were not answered.
    public var isUnreachable: Bool { flags & Flag.isUnreachable != 0 }
    /// True for a binding whose connection was closed, and that goes unless its device comes back soon.
    public internal(set) var isAbandoned: Bool {
        get { flags & Flag.isAbandoned != 0 }
        set { set(Flag.isAbandoned, newValue) }
    }

    /// True when more than one device may have made the binding, so that its contact does not tell which one it is.
    public var isShared: Bool { flags & Flag.isShared != 0 }

    private mutating func set(_ flag: UInt8, _ value: Bool) { flags = value ? flags | flag : flags & ~flag }

    // MARK: Events

    /// The device was heard on its flow.
    ///
    /// - Returns: True when it was unreachable before.
    mutating func heard(at now: UnixTime, isAnswer: Bool) -> Bool {
        let wasUnreachable = isUnreachable
        heard = UInt32(clamping: now.seconds)
        unanswered = 0
        set(Flag.isAwaited | Flag.isUnreachable, false)
        if isAnswer { set(Flag.answersPings, true) }
        return wasUnreachable
    }

    /// The binding has another flow than `old` from now on: what was known of that one says nothing of this one.
    mutating func flowChanged(from old: Flow, at now: UnixTime) {
        let mark = old.mark
        if mark != previousFlow { (flowBefore, previousFlow) = (previousFlow, mark) }
        pinged = Liveness.tick(now)
        flags &= Flag.isNatted | Flag.isShared
        unanswered = 0
    }

    /// Another device may have the binding now: nothing for the one before may come by its flow.
    mutating func forgetFlows() {
        (previousFlow, flowBefore) = (0, 0)
        set(Flag.isShared, true)
    }

    /// True when a ping is due: within `interval`, when the next look comes after `step`. The first one is spread over
    /// three quarters of the interval, so that devices which registered together are not pinged together.
    func isDue(_ spread: UInt32, interval: Int64, step: Int64, now: UnixTime) -> Bool {
        var wait = interval &- step
        if flags & Flag.wasPinged == 0 {
            wait = interval / 4 &+ (interval &* 3 / 4 &- step) &* Int64(spread & 1023) / 1024
        }
        let passed = Int64(Int32(bitPattern: Liveness.tick(now) &- pinged)) &* Liveness.tickLength
        // A clock that was put back must not end the pings.
        return passed >= wait || passed < -interval
    }

    /// A ping is sent now. The one before counts as unanswered when the device has answered any on this flow.
    ///
    /// - Returns: True when the device is unreachable from now on.
    mutating func ping(at now: UnixTime, limit: UInt8, expectsAnswer: Bool) -> Bool {
        pinged = Liveness.tick(now)
        let isMissing = flags & Flag.isAwaited != 0 && flags & Flag.answersPings != 0
        set(Flag.wasPinged, true)
        set(Flag.isAwaited, expectsAnswer)
        return isMissing && miss(limit)
    }

    /// The network has said that a ping did not arrive.
    ///
    /// - Returns: True when the device is unreachable from now on.
    mutating func pingFailed(limit: UInt8) -> Bool {
        guard flags & Flag.isAwaited != 0 else { return false }
        set(Flag.isAwaited, false)
        return miss(limit)
    }

    /// No answer is expected any more: the device counts as reachable.
    mutating func forgetSilence() {
        unanswered = 0
        set(Flag.isAwaited | Flag.isUnreachable, false)
    }

    private mutating func miss(_ limit: UInt8) -> Bool {
        if unanswered < UInt8.max { unanswered += 1 }
        guard unanswered >= limit, !isUnreachable else { return false }
        set(Flag.isUnreachable, true)
        return true
    }

    /// Moves what was noted before a step of the clock, so that pings come when they are due.
    mutating func move(by step: ClockStep) {
        if step.isBefore(lastHeard) { heard = UInt32(clamping: step.moved(lastHeard).seconds) }
        let age = Int64(Int32(bitPattern: Liveness.tick(step.expected) &- pinged)) &* Liveness.tickLength
        let time = UnixTime(milliseconds: step.expected.milliseconds &- age)
        if step.isBefore(time) { pinged = Liveness.tick(step.moved(time)) }
    }

    /// A point of time in few bits, for differences up to four years.
    private static let tickLength: Int64 = 64
    private static func tick(_ time: UnixTime) -> UInt32 {
        UInt32(truncatingIfNeeded: time.milliseconds / tickLength)
    }
}

extension Flow {
    /// A short mark that tells the flows of one client apart; never 0.
    public var mark: UInt32 {
        var hash = SipHash(key: HashKey(0x666c_6f77, 0x6d61_726b))
        if connection != 0 {
            hash.update(connection)
        } else {
            hash.update(remote.address.high)
            hash.update(remote.address.low)
            hash.update(UInt64(remote.port) << 16 | UInt64(listener))
        }
        return UInt32(truncatingIfNeeded: hash.finalize().first) | 1
    }
}

extension IPAddress {
    /// True when a contact names another host than this address: another address, or a name, as browsers and some phones
    /// behind NAT write it.
    func isForeign(to contact: ByteSlice) -> Bool {
        guard let uri = SIPURI(contact) else { return false }
        guard case .address(let address) = Host(uri.host) else { return true }
        return address != self
    }
}

extension Binding {
    /// Spreads the pings of bindings that were made at the same time.
    var spread: UInt32 { UInt32(truncatingIfNeeded: callIDHash.second) }

    /// The binding is reached by another flow from now on.
    mutating func move(to flow: Flow, at now: UnixTime) {
        let old = self.flow
        self.flow = flow
        if flow == old, !liveness.isAbandoned { return }
        // A stream without a connection was marked when it lost that.
        if !old.transport.isReliable || old.connection != 0 { liveness.flowChanged(from: old, at: now) }
        liveness.isAbandoned = false
        if flow.remote.address != old.remote.address {
            liveness.isNatted = isReachedByFlow && withText { flow.remote.address.isForeign(to: $0.contact) }
        }
    }

    /// Takes over from the binding that this one replaces what is known of its device, and by which flows that was reached
    /// before when it is certain to be the same one.
    mutating func succeed(_ old: Binding, at now: UnixTime, isSameDevice: Bool) {
        let isNatted = liveness.isNatted
        liveness = old.liveness
        if flow != old.flow, old.hasFlow { liveness.flowChanged(from: old.flow, at: now) }
        liveness.isAbandoned = false
        liveness.isNatted = isNatted
        if !isSameDevice { liveness.forgetFlows() }
        _ = liveness.heard(at: now, isAnswer: false)
    }

    /// True when the binding was reached by this flow before its device came by another.
    public func replaced(_ flow: Flow) -> Bool {
        if liveness.previousFlow == 0 { return false }
        let mark = flow.mark
        return liveness.previousFlow == mark || liveness.flowBefore == mark
    }
}
