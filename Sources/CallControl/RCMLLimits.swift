/// What a document may be at most: applications are not trusted.
public struct RCMLLimits: Sendable {
    /// Its bytes.
    public var bytes = 262_144
    /// Elements within each other.
    public var depth = 32
    /// Elements in all.
    public var elements = 2_000
    /// Verbs that are run; what follows is left out.
    public var verbs = 200
    /// Parties of one Dial.
    public var parties = 20
    /// Headers of one party.
    public var headers = 20
    /// Bytes of an attribute, a URL, or a name.
    public var value = 4_096
    /// Bytes of a text to send.
    public var smsBody = 4_096
    /// Remarks that are kept.
    public var remarks = 50

    /// With the defaults.
    public init() {}
}
