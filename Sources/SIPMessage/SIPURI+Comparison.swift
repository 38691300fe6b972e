import Primitives

extension SIPURI {
    /// True when two URIs are equivalent by the rules of RFC 3261 19.1.4.
    public func isEquivalent(to other: SIPURI) -> Bool {
        guard isSecure == other.isSecure, hasUser == other.hasUser,
            user.isEquivalentURIPart(to: other.user, ignoringCase: false),
            (password == nil) == (other.password == nil),
            (password ?? .empty).isEquivalentURIPart(to: other.password ?? .empty, ignoringCase: false),
            hasEquivalentHost(other), port == other.port
        else { return false }
        if parameters.text == other.parameters.text, headers == other.headers { return true }
        // Each parameter is looked for in the other URI: only strangers who want to keep us busy send so many.
        if isLarge || other.isLarge { return false }
        return hasEquivalentParameters(other) && other.hasEquivalentParameters(self)
            && hasEquivalentHeaders(other) && other.hasEquivalentHeaders(self)
    }

    /// Names are compared without case, IPv6 addresses as numbers: they can be written in several ways.
    private func hasEquivalentHost(_ other: SIPURI) -> Bool {
        if host.equalsIgnoringCase(other.host) { return true }
        guard host.first == UInt8(ascii: "["), let address = IPAddress(host), let otherAddress = IPAddress(other.host)
        else { return false }
        return address == otherAddress
    }

    private var isLarge: Bool { parameters.exceeds(64) || headers.count > 1024 }

    /// A parameter in both must match; user, ttl, method, maddr and transport must match even when in one only.
    private func hasEquivalentParameters(_ other: SIPURI) -> Bool {
        var offset = 0
        while let parameter = parameters.next(from: &offset) {
            if let value = other.parameter(parameter.name) {
                if !value.isEquivalentURIPart(to: parameter.value, ignoringCase: true) { return false }
            } else if SIPURI.mustAppearInBoth(parameter.name) {
                return false
            }
        }
        return true
    }

    private static func mustAppearInBoth(_ name: ByteSlice) -> Bool {
        name.isEquivalentURIPart(to: "user", ignoringCase: true)
            || name.isEquivalentURIPart(to: "ttl", ignoringCase: true)
            || name.isEquivalentURIPart(to: "method", ignoringCase: true)
            || name.isEquivalentURIPart(to: "maddr", ignoringCase: true)
            || name.isEquivalentURIPart(to: "transport", ignoringCase: true)
    }

    /// Header components are never ignored: each must be in the other, in any order.
    private func hasEquivalentHeaders(_ other: SIPURI) -> Bool {
        var start = 0
        while start < headers.count {
            let end = headers.firstIndex(of: UInt8(ascii: "&"), from: start) ?? headers.count
            if !other.hasHeader(headers[start..<end]) { return false }
            start = end + 1
        }
        return true
    }

    private func hasHeader(_ wanted: ByteSlice) -> Bool {
        let wantedName = wanted.firstIndex(of: UInt8(ascii: "=")) ?? wanted.count
        var start = 0
        while start < headers.count {
            let end = headers.firstIndex(of: UInt8(ascii: "&"), from: start) ?? headers.count
            let header = headers[start..<end]
            let name = header.firstIndex(of: UInt8(ascii: "=")) ?? header.count
            if header[0..<name].equalsIgnoringCase(wanted[0..<wantedName]),
                header.from(name).isEquivalentURIPart(to: wanted.from(wantedName), ignoringCase: false)
            {
                return true
            }
            start = end + 1
        }
        return false
    }
}
