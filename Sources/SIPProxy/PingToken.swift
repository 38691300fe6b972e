import Primitives
import SIPRegistrar

/// What the branch of a ping of ours carries: whose device it is for, over which flow, and when, signed.
///
/// So an answer is recognised at any worker and without a table of pings, and nobody can make one who has not seen the ping.
struct PingToken: Equatable {
    /// The client.
    var client: LoginKey
    /// The mark of the flow (`Flow.mark`).
    var flow: UInt32
    /// When it was sent, in units of 64 ms, without the highest bits.
    var time: UInt32

    /// What the branches of our pings begin with, behind the magic cookie.
    private static let prefix: ByteSlice = "rcp"
    private typealias Bytes = InlineBytes<32>
    /// The length of a branch: cookie, prefix, 32 bytes in base64url.
    private static let branchLength = 7 + 3 + 43

    init(client: LoginKey, flow: UInt32, time: UnixTime) {
        self.client = client
        self.flow = flow
        self.time = PingToken.ticks(time)
    }

    /// Appends the token as the rest of a branch behind the magic cookie.
    func write(to writer: inout ByteWriter, key: HashKey) {
        var bytes = Bytes()
        bytes.append(client.hash.first, length: 8)
        bytes.append(client.hash.second, length: 8)
        bytes.append(UInt64(flow), length: 4)
        bytes.append(UInt64(time), length: 4)
        bytes.append(signature(key), length: 8)
        writer.append(PingToken.prefix)
        bytes.writeBase64URL(to: &writer)
    }

    /// True for a branch that looks like one of a ping of ours; a cheap look at each response.
    @inline(__always)
    static func isLikely(branch: ByteSlice) -> Bool {
        branch.count == branchLength && branch[7..<10] == prefix
    }

    /// Reads the branch of a message; nil when it is no ping of ours.
    init?(branch: ByteSlice, key: HashKey) {
        guard PingToken.isLikely(branch: branch), let bytes = Bytes(base64URL: branch.from(10)),
            let first = bytes.number(at: 0, length: 8), let second = bytes.number(at: 8, length: 8),
            let flow = bytes.number(at: 16, length: 4), let time = bytes.number(at: 20, length: 4),
            let signature = bytes.number(at: 24, length: 8)
        else { return nil }
        client = LoginKey(hash: HashValue(first, second))
        self.flow = UInt32(truncatingIfNeeded: flow)
        self.time = UInt32(truncatingIfNeeded: time)
        if signature != self.signature(key) { return nil }
    }

    /// True while an answer may still come; afterwards somebody repeats one that he has seen.
    func isFresh(at now: UnixTime, interval: Int64) -> Bool {
        let age = Int64(Int32(bitPattern: PingToken.ticks(now) &- time)) &* 64
        return age >= -2000 && age <= max(32_000, 2 &* interval)
    }

    private static func ticks(_ time: UnixTime) -> UInt32 { UInt32(truncatingIfNeeded: time.milliseconds / 64) }

    private func signature(_ key: HashKey) -> UInt64 {
        var hash = SipHash(key: key)
        hash.update("ping")
        hash.update(client.hash.first)
        hash.update(client.hash.second)
        hash.update(UInt64(flow) << 32 | UInt64(time))
        return hash.finalize().first
    }
}
