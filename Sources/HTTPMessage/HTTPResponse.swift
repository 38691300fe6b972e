/// A response as its handler gives it. The server adds Date, Content-Length or Transfer-Encoding, and Connection.
public struct HTTPResponse {
    /// The status code, 200 to 599.
    public var status: Int
    /// The header fields but for those that the server adds.
    public var headers = HTTPHeaders()
    /// The body; what a HEAD does not send is left out by the server.
    public var body: HTTPBody

    /// A response with this status and body.
    public init(status: Int, body: HTTPBody = .none) {
        self.status = status
        self.body = body
    }
}

/// The body of a response.
public enum HTTPBody {
    /// No body.
    case none
    /// A body that is whole.
    case bytes([UInt8])
    /// A body that is made while it is sent: one whose length is not known, or that would fill the memory.
    case stream(any HTTPBodyStream)
}

/// A body in parts. The server asks for the next part when the peer has taken enough of the ones before, one call at a
/// time, perhaps from several threads.
public protocol HTTPBodyStream: AnyObject {
    /// The next part, nil after the last one. An error breaks the connection off, so that the peer sees the loss.
    func next() throws -> [UInt8]?
}

/// Answers requests. One thread uses a handler at a time.
public protocol HTTPHandler: AnyObject {
    /// The response to a request.
    func respond(to request: HTTPRequest) -> HTTPResponse
}
