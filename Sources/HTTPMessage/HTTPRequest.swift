import Primitives

/// A request as its handler sees it (RFC 9110, RFC 9112): complete, within all limits, free of ambiguity.
public struct HTTPRequest: Sendable {
    /// The method.
    public var method: HTTPMethod
    /// The path of the target between its slashes, each segment percent-decoded: `/a/b%20c` is `["a", "b c"]`.
    public var path: [String]
    /// The path as sent, without the query.
    public var rawPath: String
    /// The fields of the query.
    public var query: FormFields
    /// The header fields.
    public var headers: HTTPHeaders
    /// The body, decoded when it was chunked.
    public var body: [UInt8]
    /// Where the request comes from: the peer, or what a trusted proxy says (X-Forwarded-For).
    public var source: IPAddress

    /// A request with these parts.
    public init(
        method: HTTPMethod, path: [String], rawPath: String, query: FormFields = FormFields(),
        headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [], source: IPAddress
    ) {
        self.method = method
        self.path = path
        self.rawPath = rawPath
        self.query = query
        self.headers = headers
        self.body = body
        self.source = source
    }
}

/// A method of RFC 9110; its name is case-sensitive.
public struct HTTPMethod: Hashable, Sendable {
    /// The name as sent.
    public let name: String

    /// The method of this name.
    public init(_ name: String) { self.name = name }

    /// GET.
    public static let get = HTTPMethod("GET")
    /// HEAD.
    public static let head = HTTPMethod("HEAD")
    /// POST.
    public static let post = HTTPMethod("POST")
    /// PUT.
    public static let put = HTTPMethod("PUT")
    /// DELETE.
    public static let delete = HTTPMethod("DELETE")
    /// OPTIONS.
    public static let options = HTTPMethod("OPTIONS")
}
