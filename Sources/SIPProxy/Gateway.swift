import Primitives

/// A SIP trunk to the outside: calls and texts to numbers that nobody here has go there.
public struct Gateway: Equatable, Sendable {
    /// What a number must begin with, and how it is changed on its way out.
    public struct Rule: Equatable, Sendable {
        /// The beginning that is matched; empty matches every number.
        public var prefix: [UInt8]
        /// Characters taken away in front.
        public var strip: Int
        /// What is then put in front.
        public var prepend: [UInt8]

        /// With these parts.
        public init(prefix: [UInt8], strip: Int = 0, prepend: [UInt8] = []) {
            self.prefix = prefix
            self.strip = strip
            self.prepend = prepend
        }
    }

    /// Names it in logs and in `rollcall route`.
    public var name: [UInt8]
    /// Where it is: a SIP URI without user; host, port and transport are resolved by RFC 3263.
    public var uri: [UInt8]
    /// What it is authenticated with when it asks; empty for none.
    public var user: [UInt8] = []
    /// The password that goes with it.
    public var password: [UInt8] = []
    /// The rules, of which the one with the longest matching prefix counts.
    public var rules: [Rule] = [Rule(prefix: [])]
    /// Where its calls and texts to us may come from; empty for nowhere.
    public var inbound: [IPNetwork] = []

    /// With these parts.
    public init(name: [UInt8], uri: [UInt8]) {
        self.name = name
        self.uri = uri
    }
}
