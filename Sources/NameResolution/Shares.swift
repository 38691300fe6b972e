import Primitives

/// Places that all requesters share: while more than half of them are in use, one may have no more than an eighth, so
/// that nobody alone can take them from the others.
///
/// The addresses of an IPv6 network of 64 bits are one requester, as one host has any number of them (RFC 4291 section
/// 2.5.1).
struct Shares: Sendable {
    /// How many places there are.
    private let limit: Int
    /// How many are in use.
    private(set) var used = 0
    private var usedBy: [IPAddress: Int] = [:]

    init(limit: Int) { self.limit = limit }

    /// True when there is a place for a requester.
    func hasPlace(for requester: IPAddress) -> Bool {
        if used >= limit { return false }
        return used < limit - used || 8 * (usedBy[Self.network(requester)] ?? 0) < limit
    }

    /// Takes a place.
    mutating func take(for requester: IPAddress) {
        used += 1
        usedBy[Self.network(requester), default: 0] += 1
    }

    /// Gives a place back that was taken.
    mutating func release(for requester: IPAddress) {
        used -= 1
        let network = Self.network(requester)
        let left = (usedBy[network] ?? 1) - 1
        usedBy[network] = left > 0 ? left : nil
    }

    private static func network(_ address: IPAddress) -> IPAddress {
        address.isIPv4 ? address : IPAddress(high: address.high, low: 0)
    }
}
