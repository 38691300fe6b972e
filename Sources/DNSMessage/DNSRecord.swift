import Primitives

/// The types of records that are asked for or understood.
public enum RecordType: UInt16, Sendable, Hashable {
    case a = 1
    case cname = 5
    case soa = 6
    case aaaa = 28
    case srv = 33
    case naptr = 35
}

/// What is asked: a name and a type, of class IN.
public struct Question: Hashable, Sendable {
    /// The name.
    public var name: DNSName
    /// The type.
    public var type: RecordType

    /// The records of `type` that `name` has.
    public init(_ name: DNSName, _ type: RecordType) {
        self.name = name
        self.type = type
    }
}

/// Where a service is (SRV, RFC 2782).
public struct ServiceRecord: Hashable, Sendable {
    /// Lower ones are tried first.
    public var priority: UInt16
    /// The share among records of one priority.
    public var weight: UInt16
    /// The port.
    public var port: UInt16
    /// The host; the root says that there is no such service.
    public var target: DNSName

    /// All parts of the record.
    public init(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// A service of a domain (NAPTR, RFC 3403), as far as RFC 3263 needs it.
public struct NamingAuthorityRecord: Hashable, Sendable {
    /// Lower ones first.
    public var order: UInt16
    /// Lower ones first within an order.
    public var preference: UInt16
    /// What the replacement is, in lower case: `s` for a name to ask SRV of.
    public var flags: [UInt8]
    /// The service in lower case, such as `sip+d2u`.
    public var services: [UInt8]
    /// True when there is a regular expression, which RFC 3263 does not use.
    public var hasExpression: Bool
    /// The next name.
    public var replacement: DNSName

    /// All parts of the record.
    public init(
        order: UInt16, preference: UInt16, flags: [UInt8], services: [UInt8], hasExpression: Bool = false,
        replacement: DNSName
    ) {
        self.order = order
        self.preference = preference
        self.flags = flags
        self.services = services
        self.hasExpression = hasExpression
        self.replacement = replacement
    }

    private static let udp = Array("sip+d2u".utf8)
    private static let tcp = Array("sip+d2t".utf8)
    private static let service = Array("s".utf8)

    /// True for a SIP service over UDP or TCP whose replacement has SRV records: all else is discarded (RFC 3263 section
    /// 4.1), so it need not be kept.
    public var isUsed: Bool {
        flags == Self.service && !hasExpression && (services == Self.udp || services == Self.tcp)
    }
}

/// The content of a record.
public enum RecordValue: Hashable, Sendable {
    /// A or AAAA.
    case address(IPAddress)
    /// CNAME.
    case alias(DNSName)
    /// SRV.
    case service(ServiceRecord)
    /// NAPTR.
    case namingAuthority(NamingAuthorityRecord)
    /// SOA, of which only the time of negative answers matters (RFC 2308).
    case startOfAuthority(minimum: UInt32)
}

/// A record of an answer.
public struct DNSRecord: Hashable, Sendable {
    /// The owner.
    public var name: DNSName
    /// The type.
    public var type: RecordType
    /// The time to live in seconds.
    public var timeToLive: UInt32
    /// The content.
    public var value: RecordValue
}
