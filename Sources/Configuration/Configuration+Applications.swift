extension Configuration {
    /// What may be asked of the applications of clients and numbers, and how long calls wait for them.
    public struct Applications: Equatable, Sendable {
        /// Where the texts of a client with an application go.
        public var messages = Messages.application
        /// How long a document may take, redirects and fallback included.
        public var deadline = Duration.seconds(6)
        /// How long an answered call of an application goes on at the most.
        public var longestCall = Duration.seconds(4 * 3600)
        /// Documents that one call may fetch.
        public var documents = 100
        /// Redirects (3xx) that one request follows.
        public var redirects = 5
        /// The largest document in bytes.
        public var bodySize = 262_144
        /// Requests that are under way at a time.
        public var concurrent = 1000
        /// Networks that applications may be in, though `deny` has them.
        public var allow: [String] = []
        /// Networks that no request of an application goes to.
        public var deny = [
            "127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "::", "224.0.0.0/4", "ff00::/8",
            "240.0.0.0/4", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
        ]

        /// Where the texts of a client with an application go.
        public enum Messages: String, CaseIterable, Sendable {
            /// To the application.
            case application
            /// To the client or number that they are addressed to.
            case direct
        }
    }

    /// A SIP trunk to the outside.
    public struct Gateway: Equatable, Sendable {
        /// What a number must begin with, and how it is changed on its way out.
        public struct Rule: Equatable, Sendable {
            /// The beginning that is matched; empty matches every number.
            public var prefix = ""
            /// Characters taken away in front.
            public var strip = 0
            /// What is then put in front.
            public var prepend = ""

            /// A rule that every number goes by, unchanged.
            public init() {}
        }

        /// Names it in the log.
        public var name = ""
        /// Where it is: a SIP URI without user.
        public var uri = ""
        /// What it is authenticated with when it asks; empty for none.
        public var user = ""
        /// The password that goes with it.
        public var password = ""
        /// Networks that its calls and texts to us may come from.
        public var inbound: [String] = []
        /// The rules, of which the one with the longest matching prefix counts.
        public var rules = [Rule()]

        /// A gateway as an empty object in the file describes it; name and URI must be given.
        public init() {}

        /// True for `sip:host`, `sip:host:port`, with `;transport=udp` or `;transport=tcp` behind it.
        static func isURI(_ text: String) -> Bool {
            guard text.lowercased().hasPrefix("sip:") else { return false }
            let parts = text.dropFirst(4).split(separator: ";", omittingEmptySubsequences: false).map(String.init)
            guard let place = parts.first, HostText.split(place) != nil, !HostText.isIPv6(place) else { return false }
            return parts.dropFirst().allSatisfy { ["transport=udp", "transport=tcp"].contains($0.lowercased()) }
                && parts.count <= 2
        }

        /// True for a name of letters, digits, `-`, `_` and `.`.
        static func isName(_ text: String) -> Bool {
            (1...64).contains(text.utf8.count)
                && text.utf8.allSatisfy { byte in
                    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || [0x2d, 0x2e, 0x5f].contains(byte)
                }
        }

        /// True for what can stand in the user part of a dialled number.
        static func isDigits(_ text: String) -> Bool {
            text.utf8.count <= 32
                && text.utf8.allSatisfy { byte in
                    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || Array("+*#-._".utf8).contains(byte)
                }
        }

        /// True for a user name or password: anything on one line.
        static func isCredential(_ text: String) -> Bool {
            text.utf8.count <= 256 && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        }
    }
}
