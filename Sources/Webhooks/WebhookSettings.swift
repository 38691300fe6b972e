import Primitives

/// What requests to applications may cost, and where they may go.
public struct WebhookSettings: Sendable {
    /// Milliseconds that one request may take in all: its turn, names, redirects and the body.
    public var deadline: UInt64 = 6_000
    /// The largest body of an answer in bytes.
    public var bodySize = 262_144
    /// Redirects that one request follows.
    public var redirects = 5
    /// Requests under way at a time; as many more wait.
    public var concurrent = 1000
    /// Where they may go.
    public var rules = AddressRules()
    /// The value of User-Agent.
    public var userAgent = "Rollcall"

    /// The defaults.
    public init() {}
}

/// Which addresses requests to applications may go to: those that are allowed, else those that are not denied.
public struct AddressRules: Equatable, Sendable {
    /// Networks that are allowed, though they are denied.
    public var allow: [IPNetwork] = []
    /// Networks that are denied.
    public var deny: [IPNetwork] = []

    /// Every address is allowed.
    public init() {}

    /// With these networks.
    public init(allow: [IPNetwork], deny: [IPNetwork]) {
        self.allow = allow
        self.deny = deny
    }

    /// True when a request may go to this address.
    public func permits(_ address: IPAddress) -> Bool {
        if allow.contains(where: { $0.contains(address) }) { return true }
        if deny.contains(where: { $0.contains(address) }) { return false }
        return AddressRules.embedded(in: address).map(permits) ?? true
    }

    /// The IPv4 address that an IPv6 address leads to by translation: 64:ff9b::/96 (RFC 6052), 2002::/16 (RFC 3056), and the
    /// old IPv4-compatible form.
    private static func embedded(in address: IPAddress) -> IPAddress? {
        if address.high == 0x0064_ff9b_0000_0000, address.low >> 32 == 0 {
            return IPAddress(ipv4: UInt32(truncatingIfNeeded: address.low))
        }
        if address.high >> 48 == 0x2002 { return IPAddress(ipv4: UInt32(truncatingIfNeeded: address.high >> 16)) }
        if address.high == 0, address.low >> 32 == 0, address.low > 1 {
            return IPAddress(ipv4: UInt32(truncatingIfNeeded: address.low))
        }
        return nil
    }
}
