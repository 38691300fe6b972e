import Glibc

/// Host names and addresses as they are written in the configuration.
enum HostText {
    /// True for an IPv4 or IPv6 address without brackets.
    static func isAddress(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

    static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    /// True for an address, or an address with the length of a network's prefix behind a slash.
    static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let address = String(parts[0])
        guard parts.count == 2 else { return isAddress(text) }
        guard isAddress(address), (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(isDigit),
            let length = Int(parts[1])
        else { return false }
        return length <= (isIPv4(address) ? 32 : 128)
    }

    /// True for an address, an IPv6 address in brackets, or a host name of RFC 1123 labels.
    static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("[") { return text.hasSuffix("]") && isIPv6(String(text.dropFirst().dropLast())) }
        if isAddress(text) { return true }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        // A last label of digits is a mistyped address, such as 192.168.1.300.
        guard text.utf8.count <= 253, let top = labels.last, top.utf8.contains(where: { !isDigit($0) }) else {
            return false
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { isDigit($0) || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2d || $0 == 0x5f }
        }
    }

    /// Host and port of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address (which gets its brackets).
    static func split(_ text: String) -> (host: String, port: UInt16?)? {
        if isIPv6(text) { return ("[\(text)]", nil) }
        if isHost(text) { return (text, nil) }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        guard isHost(host), !isIPv6(host), digits.utf8.allSatisfy(isDigit), let port = UInt16(digits), port > 0 else {
            return nil
        }
        return (host, port)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
