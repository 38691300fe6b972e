import Primitives

extension SIPURI {
    /// True when two URIs are equivalent by the rules of RFC 3261 19.1.4.
    public func isEquivalent(to other: SIPURI) -> Bool {
        guard isSecure == other.isSecure, hasUser == other.hasUser, user.equalsUnescaped(other.user),
            (password == nil) == (other.password == nil),
            (password ?? .empty).equalsUnescaped(other.password ?? .empty),
            host.equalsIgnoringCase(other.host), port == other.port
        else { return false }
        return hasEquivalentParameters(other) && other.hasEquivalentParameters(self)
            && hasEquivalentHeaders(other) && other.hasEquivalentHeaders(self)
    }

    /// A parameter in both must match; user, ttl, method, maddr and transport must match even when in one only.
    private func hasEquivalentParameters(_ other: SIPURI) -> Bool {
        var offset = 0
        while let parameter = parameters.next(from: &offset) {
            if let value = other.parameters[parameter.name] {
                if !value.equalsIgnoringCase(parameter.value) { return false }
            } else if SIPURI.mustAppearInBoth(parameter.name) {
                return false
            }
        }
        return true
    }

    private static func mustAppearInBoth(_ name: ByteSlice) -> Bool {
        name.equalsIgnoringCase("user") || name.equalsIgnoringCase("ttl") || name.equalsIgnoringCase("method")
            || name.equalsIgnoringCase("maddr") || name.equalsIgnoringCase("transport")
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
                header.from(name).equalsUnescaped(wanted.from(wantedName))
            {
                return true
            }
            start = end + 1
        }
        return false
    }
}
