import Primitives
import Testing

@testable import SIPProxy

@Suite("A trickle") struct TrickleTests {
    @Test("As many pass at once as in a second, then by the time")
    func passes() {
        var trickle = Trickle(rate: 20)
        var now = Instant(milliseconds: 5)
        func count(_ tries: Int, at now: Instant) -> Int { (0..<tries).count { _ in trickle.passes(at: now) } }
        #expect(count(100, at: now) == 20)
        now = now.advanced(byMilliseconds: 49)
        #expect(count(100, at: now) == 0)
        now = now.advanced(byMilliseconds: 1)
        #expect(count(100, at: now) == 1)
        now = now.advanced(byMilliseconds: .max / 2)
        #expect(count(100, at: now) == 20, "a long pause is worth a second")
        #expect(count(100, at: Instant(milliseconds: 0)) == 0, "a clock that goes back gives nothing")
    }

    @Test("Of a flood some 20 a second pass")
    func flood() {
        var trickle = Trickle(rate: 20)
        let passed = (0..<10_000).count { trickle.passes(at: Instant(milliseconds: UInt64($0))) }
        #expect((210...221).contains(passed))
    }
}
