/// How large the parts of a request may be, in bytes where nothing else is said.
public struct HTTPLimits: Hashable, Sendable {
    /// The target of the request line; more is 414.
    public var targetSize = 8_192
    /// All header lines together; more is 431. The same bound holds for the trailers of a chunked body.
    public var headerSize = 32_768
    /// Header fields, a number; more is 431.
    public var headerFields = 100
    /// The body after decoding; more is 413.
    public var bodySize = 1_048_576
    /// The line with the size of a chunk and its extensions; more is 400.
    public var chunkLineSize = 1_024
    /// Fields of a query, a number; more is 400.
    public var queryFields = 200

    /// The defaults.
    public init() {}
}
