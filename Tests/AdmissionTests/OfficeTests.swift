import Admission
import Primitives
import Testing

/// 5,000 phones behind one address after a power cut: each sends REGISTER, answers the 401, and retransmits what is
/// lost as RFC 3261 17.1.2.2 says.
struct Office {
    /// Timer E from its start: 0.5 s, doubled up to 4 s, until Timer F.
    private static let retransmissions: [Int64] = [
        500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ]
    private static let timerF: Int64 = 32_000
    private static let roundTrip: Int64 = 20

    private struct Phone {
        /// Which request is on its way: 0 for the first, 1 for that with credentials, 2 for none any more.
        var step = 0
        /// The transaction, so that timers of earlier ones are told.
        var transaction = 0
    }

    /// How it ended.
    struct Outcome {
        /// Milliseconds until the last phone was registered; nil when some were not within two minutes.
        var time: Int64?
        var registered = 0
        var sent = 0
    }

    /// Registers the phones, which begin within `spread` milliseconds.
    ///
    /// - Parameter capacity: Packets a second that the server answers; more are lost.
    static func register(_ count: Int, in world: World, from source: String, within spread: Int64, capacity: Int)
        -> Outcome
    {
        var phones = [Phone](repeating: Phone(), count: count)
        // By millisecond: phone, transaction, number of the transmission.
        var events: [Int64: [(phone: Int, transaction: Int, transmission: Int)]] = [:]
        var random = UInt64(42)
        func draw(_ limit: Int64) -> Int64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(random >> 33) % max(1, limit)
        }
        for index in 0..<count { events[draw(spread), default: []].append((index, 0, 0)) }
        let address = World.address(source)
        var outcome = Outcome()
        var served = 0
        for time in Int64(0)..<120_000 {
            if time % 1000 == 0 { _ = world.admission.sweep(at: world.now) }
            if time % 10 == 0 { served = 0 }
            for (index, transaction, transmission) in events.removeValue(forKey: time) ?? [] {
                guard phones[index].step < 2, phones[index].transaction == transaction else { continue }
                if transmission > 10 {
                    // Timer F: it gives up, and starts again soon.
                    phones[index].step = 0
                    phones[index].transaction += 1
                    events[time + 1000 + draw(4000), default: []].append((index, phones[index].transaction, 0))
                    continue
                }
                let start = transmission == 0 ? time : time - Self.retransmissions[transmission - 1]
                let next = transmission < 10 ? Self.retransmissions[transmission] : Self.timerF
                events[start + next, default: []].append((index, transaction, transmission + 1))
                outcome.sent += 1
                guard world.admission.admits(address, at: world.now.instant), served < capacity / 100 else { continue }
                served += 1
                if phones[index].step == 1 { world.add(clients: 1, to: source) }
                phones[index].step += 1
                phones[index].transaction += 1
                if phones[index].step == 1 {
                    events[time + Self.roundTrip, default: []].append((index, phones[index].transaction, 0))
                } else {
                    outcome.registered += 1
                    if outcome.registered == count {
                        outcome.time = time
                        return outcome
                    }
                }
            }
            world.wait(milliseconds: 1)
        }
        return outcome
    }
}

@Suite struct OfficeTests {
    @Test(arguments: [1, 100, 2000, 20_000] as [Int64])
    func `5,000 phones behind one address register within 60 s at a server that knows nobody`(spread: Int64) {
        let outcome = Office.register(5000, in: World(), from: "203.0.113.7", within: spread, capacity: 10_000)
        print("office", spread, outcome)
        #expect((outcome.time ?? .max) < 60_000, "\(outcome)")
    }

    @Test func `They register at once at a server that knows them`() {
        let world = World()
        world.add(clients: 5000, to: "203.0.113.7")
        let outcome = Office.register(5000, in: world, from: "203.0.113.7", within: 1000, capacity: 1_000_000)
        #expect((outcome.time ?? .max) < 2000, "\(outcome)")
        #expect(outcome.sent == 10_000)
    }

    @Test func `A source that never authenticates stays at the base rate for as long as it tries`() {
        let world = World()
        var admitted = 0
        for _ in 0..<60_000 {
            admitted += world.admitted(20, from: "203.0.113.8")
            world.wait(milliseconds: 1)
        }
        #expect((6000...6300).contains(admitted), "\(admitted)")
    }
}
