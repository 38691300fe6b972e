import Admission
import Observability
import Primitives

/// An `Admission` in virtual time.
final class World {
    let admission: Admission
    private(set) var now = Now(instant: Instant(milliseconds: 5_000_000), unix: UnixTime(seconds: 1_700_000_000))

    init(_ change: (inout AdmissionPolicy) -> Void = { _ in }) {
        var policy = AdmissionPolicy()
        change(&policy)
        admission = Admission(policy: policy, key: HashKey(1, 2))
        _ = admission.sweep(at: now)
    }

    static func address(_ text: String) -> IPAddress {
        text.withSlice { IPAddress($0) } ?? IPAddress(high: 0, low: 0)
    }

    func wait(milliseconds: Int64) {
        now.unix.milliseconds += milliseconds
        now.instant.milliseconds += UInt64(max(0, milliseconds))
    }

    /// Lets time go by as the daemon does: with a sweep a second. Gives what was told.
    @discardableResult
    func wait(seconds: Int) -> [BanChange] {
        var changes: [BanChange] = []
        for _ in 0..<seconds {
            wait(milliseconds: 1000)
            changes += admission.sweep(at: now)
        }
        return changes
    }

    /// How many of so many packets are admitted at once.
    func admitted(_ count: Int, from source: String) -> Int {
        let address = World.address(source)
        return (0..<count).count { _ in admission.admits(address, at: now.instant) }
    }

    /// Makes so many clients known by a source.
    func add(clients: Int, to source: String) {
        for _ in 0..<clients { admission.move(from: .none, to: Source(World.address(source))) }
    }

    static func login(_ text: String) -> HashValue {
        var hash = SipHash(key: HashKey(8, 9))
        text.withSlice { hash.update($0) }
        return hash.finalize()
    }

    func attempt(_ login: String, from source: String, isOwnNonce: Bool = true) -> Attempt {
        admission.attempt(from: World.address(source), login: World.login(login), isOwnNonce: isOwnNonce)
    }

    /// An attempt with a wrong password; gives how it was judged, and when it was checked the seconds of its 403.
    @discardableResult
    func fail(
        _ login: String, from source: String, isOwnNonce: Bool = true, isKnown: Bool = false
    ) -> (judgement: Judgement, seconds: UInt32?) {
        let attempt = attempt(login, from: source, isOwnNonce: isOwnNonce)
        let judgement = admission.judge(attempt, at: now.unix)
        guard judgement == .check else { return (judgement, nil) }
        let seconds = login.withSlice {
            admission.failed(attempt, $0, .wrongPassword, isKnown: isKnown, at: now.unix)
        }
        return (judgement, seconds)
    }
}
