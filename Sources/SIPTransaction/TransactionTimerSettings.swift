/// The durations of the transactions' timers in milliseconds (RFC 3261 section 17.1.1.1 and table 4).
@frozen
public struct TransactionTimerSettings: Sendable, Equatable {
    /// T1, the estimate of the round-trip time.
    public var t1: UInt32 = 500
    /// T2, the longest interval between two retransmissions of a non-INVITE request or an INVITE response.
    public var t2: UInt32 = 4000
    /// T4, the longest time for which a message stays in the network.
    public var t4: UInt32 = 5000
    /// Timer D on an unreliable transport: at least 32 s.
    public var timerD: UInt32 = 32000

    /// The durations of RFC 3261.
    public init() {}

    /// The duration of timers B, F, H, J, L and M: 64 times T1.
    public var transactionTimeout: UInt32 { UInt32(clamping: 64 * UInt64(t1)) }

    /// How long a server must wait before it answers a non-INVITE request by 100 on an unreliable transport, and after
    /// which it must do so on any: when the client's timer E is reset to T2 (RFC 4320 section 4.1).
    public var nonInviteTryingDelay: UInt32 {
        var retransmission: UInt8 = 0
        var delay: UInt64 = 0
        while retransmission < 32, interval(beforeRetransmission: retransmission) < t2 {
            delay += UInt64(interval(beforeRetransmission: retransmission))
            retransmission += 1
        }
        return UInt32(clamping: delay)
    }

    /// The interval before a retransmission, which starts at T1 and doubles (timer A).
    public func interval(beforeRetransmission number: UInt8) -> UInt32 {
        UInt32(clamping: UInt64(t1) << UInt64(min(number, 31)))
    }

    /// The interval before a retransmission, which starts at T1 and doubles up to T2 (timers E and G).
    public func limitedInterval(beforeRetransmission number: UInt8) -> UInt32 {
        min(interval(beforeRetransmission: number), t2)
    }
}
