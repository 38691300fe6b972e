/// A timer of a transaction, by its letter in RFC 3261 section 17 (table 4 of its appendix A) and RFC 6026.
public enum TransactionTimer: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// INVITE client: the request is sent again.
    case a
    /// INVITE client: no response came.
    case b
    /// The proxy's own limit for an INVITE that has only got provisional responses (section 16.6 step 11); no transaction
    /// of this module starts it.
    case c
    /// INVITE client: waits for retransmissions of a final response other than 2xx.
    case d
    /// Non-INVITE client: the request is sent again.
    case e
    /// Non-INVITE client: no final response came.
    case f
    /// INVITE server: the final response other than 2xx is sent again.
    case g
    /// INVITE server: no ACK came.
    case h
    /// INVITE server: waits for retransmissions of the ACK.
    case i
    /// Non-INVITE server: waits for retransmissions of the request.
    case j
    /// Non-INVITE client: waits for retransmissions of the final response.
    case k
    /// INVITE server: waits for retransmissions of a request that was answered with 2xx (RFC 6026).
    case l
    /// INVITE client: waits for further 2xx responses (RFC 6026).
    case m

    /// True for A, E and G, which send again; false for those that end a state.
    ///
    /// A transaction never has more than one timer of either kind running: two references hold them all.
    @inlinable
    public var isRetransmission: Bool { self == .a || self == .e || self == .g }
}
