import Primitives
import Testing

@testable import Observability

struct LogLimiterTests {
    private let scanner = IPAddress(ipv4: 0xc633_6407)
    private let phone = IPAddress(ipv4: 0xcb00_7107)

    private func time(_ seconds: UInt64) -> Instant { Instant(milliseconds: 1_000_000 + seconds * 1000) }

    /// Asks for `count` lines about different subjects, or about one; gives how many were admitted.
    private func admitted(
        _ limiter: inout LogLimiter, _ count: Int, about subject: String? = nil, from source: IPAddress? = nil,
        at now: Instant
    ) -> Int {
        var lines = 0
        for number in 0..<count {
            (subject ?? "\(number)").withSlice { subject in
                if limiter.admits(source ?? scanner, .authenticationFail, subject, at: now) { lines += 1 }
            }
        }
        return lines
    }

    @Test func `A source causes so many lines a window, then none, and others are not touched`() {
        var limiter = LogLimiter(key: HashKey(1, 2))
        #expect(admitted(&limiter, 1000, at: time(0)) == Int(LogLimiter.linesPerWindow))
        #expect(admitted(&limiter, 1, from: phone, at: time(0)) == 1)
    }

    @Test func `One phone that tries again and again leaves lines for others behind its address`() {
        var limiter = LogLimiter(key: HashKey(1, 2))
        #expect(admitted(&limiter, 1000, about: "alice", at: time(0)) == Int(LogLimiter.linesPerSubject))
        #expect(admitted(&limiter, 1, about: "bob", at: time(0)) == 1)
    }

    @Test func `What was left out is told once, with its source and number`() {
        var limiter = LogLimiter(key: HashKey(1, 2))
        let early = limiter.takeSuppressions(at: time(0))
        #expect(early.isEmpty)
        _ = admitted(&limiter, 1000, about: "alice", at: time(0))
        _ = admitted(&limiter, 1, from: phone, at: time(0))
        let told = limiter.takeSuppressions(at: time(1))
        #expect(told == [.init(source: scanner, lines: 1000 - LogLimiter.linesPerSubject)])
        let again = limiter.takeSuppressions(at: time(100))
        #expect(again.isEmpty)
    }

    @Test func `A source is heard again in its next window, and nothing untold is forgotten`() {
        var limiter = LogLimiter(key: HashKey(1, 2))
        _ = admitted(&limiter, 10, about: "alice", at: time(0))
        #expect(admitted(&limiter, 1, about: "alice", at: time(59)) == 0)
        #expect(admitted(&limiter, 1, about: "alice", at: time(60)) == 1)
        let told = limiter.takeSuppressions(at: time(61))
        #expect(told == [.init(source: scanner, lines: 6)])
    }

    @Test func `A flood of a million refusals makes few lines`() {
        var limiter = LogLimiter(key: HashKey(3, 4))
        var lines = 0
        for step in 0..<1_000_000 {
            let now = Instant(milliseconds: 1_000_000 + UInt64(step) / 10)
            lines += admitted(&limiter, 1, about: "100", at: now)
            if step % 1000 == 0 { lines += limiter.takeSuppressions(at: now).count }
        }
        #expect(lines < 100)
        #expect(lines >= 10)
    }

    @Test func `Sources without clients share their lines, also in several limiters, and are told of in one line`() {
        let shared = SharedLines()
        var limiters = [LogLimiter(key: HashKey(1, 2), shared: shared), LogLimiter(key: HashKey(3, 4), shared: shared)]
        var lines = 0
        for number in 0..<10_000 {
            let source = IPAddress(ipv4: 0xc633_6400 + UInt32(number % 50))
            "\(number)".withSlice { subject in
                if limiters[number % 2].admits(source, .authenticationFail, subject, isKnown: false, at: time(0)) {
                    lines += 1
                }
            }
        }
        #expect(lines == Int(SharedLines.linesPerWindow))
        // Some of its subjects have the places of the scanner's.
        #expect(admitted(&limiters[0], 20, from: phone, at: time(0)) > 10, "one with clients has its own")
        let told = (limiters[0].takeSuppressions(at: time(1)) + limiters[1].takeSuppressions(at: time(1)))
            .filter { $0.source != phone }
        #expect(told.map(\.source) == [nil, nil])
        #expect(told.reduce(0) { $0 + $1.lines } == 10_000 - SharedLines.linesPerWindow)
        let next = limiters[0].admits(scanner, .authenticationFail, "new", isKnown: false, at: time(61))
        #expect(next)
    }
}
