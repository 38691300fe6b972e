/// What a status code means to a transaction: the three cases that the figures of RFC 3261 section 17 tell apart.
public enum ResponseClass: UInt8, Sendable, CaseIterable {
    /// 1xx.
    case provisional
    /// 2xx.
    case success
    /// 300 to 699: final, and acknowledged by the transaction itself when it is an INVITE's.
    case failure

    /// The class of a status code; what is below 100 counts as provisional, what is above 699 as failure.
    @inlinable
    public init(status: UInt16) {
        self = status < 200 ? .provisional : status < 300 ? .success : .failure
    }
}
