/// An address that an application is fetched from, with its method.
public struct WebAddress: Hashable, Sendable {
    /// The methods that an application is asked with.
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// The absolute URL, or a relative one until it is resolved.
    public var url: String
    /// How it is asked.
    public var method: Method

    /// An address.
    public init(_ url: String, _ method: Method = .post) {
        self.url = url
        self.method = method
    }
}
