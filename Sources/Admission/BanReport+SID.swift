import Primitives

/// How operators name a ban.
extension BanReport {
    /// `BN` and the digits of the key.
    public var sid: String {
        var writer = ByteWriter(capacity: 34)
        writer.append("BN")
        writer.append(hexadecimal: key.first, digits: 16)
        writer.append(hexadecimal: key.second, digits: 16)
        return writer.slice.string
    }

    /// The key in a sid; nil for text of another form.
    public static func key(of sid: String) -> HashValue? {
        // The digits as we write them: `UInt64` would take signs and capitals too.
        let digits = sid.utf8.dropFirst(2)
        guard sid.utf8.count == 34, sid.hasPrefix("BN"),
            digits.allSatisfy({ ASCII.isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }),
            let first = UInt64(sid.dropFirst(2).prefix(16), radix: 16),
            let second = UInt64(sid.dropFirst(18), radix: 16)
        else { return nil }
        return HashValue(first, second)
    }
}
