import Primitives
import Testing

@testable import Observability

struct LogLimiterTests {
    private let scanner = IPAddress(ipv4: 0xc633_6407)
    private let phone = IPAddress(ipv4: 0xcb00_7107)

    private func time(_ seconds: UInt64) -> Instant { Instant(milliseconds: 1_000_000 + seconds * 1000) }

    @Test func `A source causes so many lines a window, then none`() {
        var limiter = LogLimiter(key: HashKey(1, 2))
        var admitted = 0
        for _ in 0..<1000 where limiter.admits(scanner, at: time(0)) { admitted += 1 }
        #expect(admitted == Int(LogLimiter.linesPerWindow))
        let isPhoneAdmitted = limiter.admits(phone, at: time(0))
        #expect(isPhoneAdmitted)
    }

    @Test func `What was left out is told once, with its source and number`() {
        var limiter = LogLimiter(key: HashKey(1, 2))
        let early = limiter.takeSuppressions(at: time(0))
        #expect(early.isEmpty)
        for _ in 0..<1000 { _ = limiter.admits(scanner, at: time(0)) }
        _ = limiter.admits(phone, at: time(0))
        let told = limiter.takeSuppressions(at: time(1))
        #expect(told == [.init(source: scanner, lines: 1000 - LogLimiter.linesPerWindow)])
        let again = limiter.takeSuppressions(at: time(100))
        #expect(again.isEmpty)
    }

    @Test func `A told source stays quiet for the rest of its window and is heard in the next`() {
        var limiter = LogLimiter(key: HashKey(1, 2))
        for _ in 0..<100 { _ = limiter.admits(scanner, at: time(0)) }
        _ = limiter.takeSuppressions(at: time(1))
        let inSameWindow = limiter.admits(scanner, at: time(2))
        #expect(!inSameWindow)
        // What was not told yet keeps the place closed.
        let beforeTold = limiter.admits(scanner, at: time(70))
        #expect(!beforeTold)
        let told = limiter.takeSuppressions(at: time(71))
        #expect(told == [.init(source: scanner, lines: 2)])
        let inNextWindow = limiter.admits(scanner, at: time(140))
        #expect(inNextWindow)
    }

    @Test func `A flood of a million refusals makes few lines`() {
        var limiter = LogLimiter(key: HashKey(3, 4))
        var lines = 0
        for step in 0..<1_000_000 {
            let now = Instant(milliseconds: 1_000_000 + UInt64(step) / 10)
            if limiter.admits(scanner, at: now) { lines += 1 }
            if step % 1000 == 0 { lines += limiter.takeSuppressions(at: now).count }
        }
        #expect(lines < 100)
        #expect(lines > 20)
    }
}
