import Primitives
import SIPAuthentication
import Testing

struct NonceAuthorityTests {
    private let authority = NonceAuthority(secret: HashKey(1, 2), realm: "example.com", lifetime: 300_000)
    private let start = UnixTime(seconds: 1_700_000_000)

    private func text(of authority: NonceAuthority, at time: UnixTime, counter: UInt32 = 7) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        authority.issue(now: time, counter: counter, into: &writer)
        return writer.slice.bytes
    }

    private func later(_ milliseconds: Int64) -> UnixTime {
        UnixTime(milliseconds: start.milliseconds + milliseconds)
    }

    @Test("A nonce is 32 letters that need no quoting, and tells when it was issued")
    func form() {
        var writer = ByteWriter(capacity: 64)
        writer.append(byte: UInt8(ascii: "x"))
        let identifier = authority.issue(now: start, counter: 0xffff_ffff, into: &writer)
        #expect(writer.count == 1 + Nonce.textLength)
        #expect(writer.slice.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == 45 || $0 == 95 })
        #expect(identifier.time == start)
        #expect(identifier.counter == 0xffff_ffff)
        #expect(authority.check(writer.slice(from: 1), now: start) == .valid(identifier))
    }

    @Test("RFC 7616 3.3: a nonce lives for its lifetime, then it is stale")
    func life() {
        let identifier = NonceIdentifier(time: start, counter: 7)
        text(of: authority, at: start).withSlice { nonce in
            #expect(authority.check(nonce, now: start) == .valid(identifier))
            #expect(authority.check(nonce, now: later(300_000)) == .valid(identifier))
            #expect(authority.check(nonce, now: later(300_001)) == .stale(identifier))
            #expect(authority.check(nonce, now: later(1_000_000_000_000)) == .stale(identifier))
        }
    }

    @Test("A clock set back a little is forgiven, a nonce from the future is not")
    func future() {
        let identifier = NonceIdentifier(time: start, counter: 7)
        text(of: authority, at: start).withSlice { nonce in
            #expect(authority.check(nonce, now: later(-5_000)) == .valid(identifier))
            #expect(authority.check(nonce, now: later(-5_001)) == .stale(identifier))
        }
    }

    @Test("A nonce of another secret or realm is forged")
    func otherAuthority() {
        let others = [
            NonceAuthority(secret: HashKey(1, 3), realm: "example.com", lifetime: 300_000),
            NonceAuthority(secret: HashKey(2, 2), realm: "example.com", lifetime: 300_000),
            NonceAuthority(secret: HashKey(1, 2), realm: "example.org", lifetime: 300_000),
        ]
        for other in others {
            #expect(text(of: other, at: start).withSlice { authority.check($0, now: start) } == .forged)
        }
    }

    @Test("Changing any bit of a nonce makes it forged")
    func changed() {
        let nonce = text(of: authority, at: start)
        for index in nonce.indices {
            for bit in 0..<8 {
                var changed = nonce
                changed[index] ^= 1 << UInt8(bit)
                #expect(changed.withSlice { authority.check($0, now: start) } == .forged)
            }
        }
    }

    @Test("Text of any other length or alphabet is forged")
    func otherText() {
        let nonce = text(of: authority, at: start)
        #expect(authority.check("", now: start) == .forged)
        #expect(authority.check("dcd98b7102dd2f0e8b11d0f600bfb0c093", now: start) == .forged)
        #expect(authority.check("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", now: start) == .forged)
        #expect(nonce.dropLast().withUnsafeBytes { authority.check(ByteSlice($0), now: start) } == .forged)
        #expect((nonce + [65]).withSlice { authority.check($0, now: start) } == .forged)
        #expect([UInt8](repeating: 65, count: 65_536).withSlice { authority.check($0, now: start) } == .forged)
    }

    @Test("Nonces differ by time and by counter")
    func distinct() {
        var seen: Set<[UInt8]> = []
        for counter in UInt32(0)..<50 {
            seen.insert(text(of: authority, at: start, counter: counter))
            seen.insert(text(of: authority, at: later(Int64(counter) + 1)))
        }
        #expect(seen.count == 100)
    }

    @Test("Identifiers are ordered by issue, and times beyond their range are cut without a trap")
    func identifiers() {
        #expect(NonceIdentifier(time: start, counter: 9) < NonceIdentifier(time: later(1), counter: 1))
        #expect(NonceIdentifier(time: start, counter: 1) < NonceIdentifier(time: start, counter: 2))
        #expect(NonceIdentifier(time: UnixTime(milliseconds: .min), counter: 1).milliseconds == 0)
        #expect(NonceIdentifier(time: UnixTime(milliseconds: .max), counter: 1).milliseconds == 0xffff_ffff_ffff)
        let nonce = text(of: authority, at: UnixTime(milliseconds: .max))
        for time in [Int64.min, 0, .max] {
            let verdict = nonce.withSlice { authority.check($0, now: UnixTime(milliseconds: time)) }
            #expect(verdict != .forged)
        }
    }
}
