import HTTPMessage

/// Work for a handler thread.
enum HTTPJob: Sendable {
    /// A request to be answered.
    case request(HTTPRequest, HTTPResponseWriter, connection: UInt64)
    /// A body of which the next parts are wanted.
    case parts(HTTPBodySource, connection: UInt64)
    /// A body that nobody wants any more; its end may take time.
    case release(HTTPBodySource)
}

/// What a handler thread made: bytes for a connection, and how it goes on after them.
struct HTTPAnswer: Sendable {
    /// What follows the bytes.
    enum Sequel: Sendable {
        /// The next request.
        case keep
        /// The end of the connection.
        case close
        /// More of this body.
        case more(HTTPBodySource)
        /// The end of the connection at once, so that the peer sees that something is missing.
        case reset
    }

    /// The connection.
    let connection: UInt64
    /// The bytes.
    let pieces: [[UInt8]]
    /// The status when these are the first bytes of a response.
    let status: Int?
    /// What follows.
    let sequel: Sequel
}

/// A body in parts on its way between the loop and the handler threads.
final class HTTPBodySource: @unchecked Sendable {
    // Unchecked: it is handed on through the queues, whose locks order the accesses, and only one side holds it.
    let stream: any HTTPBodyStream
    /// Whether the parts are sent as chunks.
    let isChunked: Bool
    /// Whether the connection stays after the body.
    let keepsAlive: Bool

    /// A body that was begun.
    init(_ stream: any HTTPBodyStream, isChunked: Bool, keepsAlive: Bool) {
        self.stream = stream
        self.isChunked = isChunked
        self.keepsAlive = keepsAlive
    }
}
