/// What answers the calls or texts of a client or a number: where its first document is fetched, and who is told.
public struct Application: Hashable, Sendable {
    /// The `AP...` sid; empty where the URLs are those of the client or number itself.
    public var sid = ""
    /// What answers a call; nil for nothing.
    public var voice: WebAddress?
    /// What is tried when the first document of a call cannot be had.
    public var voiceFallback: WebAddress?
    /// What answers a text; nil for nothing.
    public var sms: WebAddress?
    /// What is tried when the first document of a text cannot be had.
    public var smsFallback: WebAddress?
    /// Who is told once of each state of a call (numbers and applications only); nil for nobody.
    public var statusCallback: WebAddress?

    /// An application without any address.
    public init() {}
}
