import Primitives

/// Reads the parts of a message; every reading function gives nil instead of reading beyond the end.
struct DNSReader {
    let bytes: ByteSlice
    var offset: Int

    /// Pointers of a name; it has at most 127 labels.
    private static let pointerLimit = 128

    mutating func byte() -> UInt8? {
        guard offset < bytes.count else { return nil }
        offset += 1
        return bytes[offset - 1]
    }

    mutating func short() -> UInt16? {
        guard bytes.count - offset >= 2 else { return nil }
        offset += 2
        return UInt16(bytes[offset - 2]) << 8 | UInt16(bytes[offset - 1])
    }

    mutating func long() -> UInt32? {
        guard let high = short(), let low = short() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    mutating func text() -> ByteSlice? {
        guard let length = byte(), bytes.count - offset >= Int(length) else { return nil }
        offset += Int(length)
        return bytes[offset - Int(length)..<offset]
    }

    /// Reads a name, compressed or not (RFC 1035 section 4.1.4).
    ///
    /// A pointer must lead to before the place where the last one led, so that no loop can be: what leads forwards is not
    /// written by any server. Nor is a chain that is longer than a name has labels; each record could begin with one.
    mutating func name() -> DNSName? {
        var labels: [UInt8] = []
        var pointers = 0
        var position = offset
        var end: Int?
        var limit = offset
        while position < bytes.count {
            let length = Int(bytes[position])
            switch length & 0xc0 {
            case 0 where length == 0:
                offset = end ?? position + 1
                return DNSName(labels: labels)
            case 0:
                let next = position + 1 + length
                guard next <= bytes.count, labels.count + 1 + length <= DNSName.limit else { return nil }
                labels.append(UInt8(length))
                for index in position + 1..<next { labels.append(ASCII.lowercase(bytes[index])) }
                position = next
            case 0xc0:
                guard position + 1 < bytes.count else { return nil }
                let target = (length & 0x3f) << 8 | Int(bytes[position + 1])
                pointers += 1
                guard target < limit, pointers <= Self.pointerLimit else { return nil }
                end = end ?? position + 2
                limit = target
                position = target
            default: return nil
            }
        }
        return nil
    }

    /// Reads a record; `.some(nil)` for one of a type or class that is not understood, nil for one that is broken.
    mutating func record() -> DNSRecord?? {
        guard let name = name(), let type = short(), let kind = short(), let time = long(), let length = short(),
            bytes.count - offset >= Int(length)
        else { return nil }
        let end = offset + Int(length)
        defer { offset = end }
        guard kind == 1, let type = RecordType(rawValue: type) else { return .some(nil) }
        guard let value = value(type, end: end), offset <= end else { return nil }
        // RFC 2181 section 8: a time with the highest bit set is 0.
        return DNSRecord(name: name, type: type, timeToLive: time > UInt32.max >> 1 ? 0 : time, value: value)
    }

    private mutating func value(_ type: RecordType, end: Int) -> RecordValue? {
        switch type {
        case .a:
            guard end - offset == 4, let address = long() else { return nil }
            return .address(IPAddress(ipv4: address))
        case .aaaa:
            guard end - offset == 16, let first = long(), let second = long(), let third = long(), let fourth = long()
            else { return nil }
            return .address(
                IPAddress(
                    high: UInt64(first) << 32 | UInt64(second), low: UInt64(third) << 32 | UInt64(fourth)))
        case .cname: return name().map { .alias($0) }
        case .soa:
            guard name() != nil, name() != nil, long() != nil, long() != nil, long() != nil, long() != nil,
                let minimum = long()
            else { return nil }
            return .startOfAuthority(minimum: minimum)
        case .srv:
            guard let priority = short(), let weight = short(), let port = short(), let target = name() else {
                return nil
            }
            return .service(ServiceRecord(priority: priority, weight: weight, port: port, target: target))
        case .naptr:
            guard let order = short(), let preference = short(), let flags = text(), let services = text(),
                let expression = text(), let replacement = name()
            else { return nil }
            return .namingAuthority(
                NamingAuthorityRecord(
                    order: order, preference: preference, flags: flags.bytes.map(ASCII.lowercase),
                    services: services.bytes.map(ASCII.lowercase), hasExpression: !expression.isEmpty,
                    replacement: replacement))
        }
    }
}
