import Primitives

/// How much strangers may send and how often they may guess: the settings of `Admission`.
public struct AdmissionPolicy: Sendable {
    /// False when nothing is limited or banned; delays of a login from one source are kept.
    public var isEnabled = true
    /// Networks that are never limited or banned.
    public var trusted: [IPNetwork] = []
    /// Packets a second that a source of no known client may send.
    public var packetsPerSource = 100
    /// Packets that it may send at once.
    public var burst = 200
    /// Packets a second more for each client that has authenticated from the source.
    public var packetsPerClient = 20
    /// Failures within the window after which a source without clients is banned.
    public var bannedAfter = 20
    /// How long the first ban lasts, in milliseconds; each further one lasts twice as long.
    public var banTime: UInt64 = 60_000
    /// How long a ban lasts at the most, in milliseconds.
    public var longestBan: UInt64 = 3_600_000
    /// Failures of one login from one source after which it has to wait; 0 for never.
    public var failuresBeforeDelay: UInt32 = 5
    /// For how long after the last one failures are remembered, in milliseconds.
    public var failureWindow: Int64 = 60_000

    /// The default settings.
    public init() {}

    /// Failures of one login, from sources where its client is not known, after which its attempts are thinned out.
    static let failuresOfLogin: UInt32 = 20
    /// Failures with nonces that were issued to another source, after which such nonces are not accepted from a source.
    static let foreignFailures: UInt32 = 10

    /// The pause after so many failures of a login from one source, in milliseconds: 1 s, 2 s, 4 s and so on up to 60 s.
    func pause(ofPair count: UInt32) -> Int64 {
        guard failuresBeforeDelay > 0, count > failuresBeforeDelay else { return 0 }
        return min(60_000, 1000 << Int64(min(6, count - failuresBeforeDelay - 1)))
    }

    /// The pause between attempts of a login from anywhere, in milliseconds: 1 s after 20 failures, then 2 s, up to 30 s.
    func pause(ofLogin count: UInt32) -> Int64 {
        guard isEnabled, count > Self.failuresOfLogin else { return 0 }
        return min(30_000, 1000 << Int64(min(5, (count - Self.failuresOfLogin - 1) / 5)))
    }
}
