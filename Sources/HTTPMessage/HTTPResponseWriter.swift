import Primitives

/// Writes responses (RFC 9112 sections 4 to 7): what a handler gives, framed so that the peer sees where it ends.
public struct HTTPResponseWriter: Sendable {
    /// What follows a head.
    public enum Framing: Hashable, Sendable {
        /// Nothing: the body is empty, or the response has none.
        case none
        /// So many bytes.
        case length(Int)
        /// Chunks and a last chunk.
        case chunked
        /// All until the connection is closed, as HTTP/1.0 knows no chunks.
        case untilClose
    }

    /// The method of the request: HEAD gets no body.
    public let method: HTTPMethod
    /// True when the request came in HTTP/1.0.
    public let isVersion10: Bool
    /// Whether the connection is to stay for another request.
    public let keepsAlive: Bool

    /// A writer for the response to a request with these properties.
    public init(method: HTTPMethod, isVersion10: Bool, keepsAlive: Bool) {
        self.method = method
        self.isVersion10 = isVersion10
        self.keepsAlive = keepsAlive
    }

    /// Whether the connection may stay after this response.
    public func keepsAlive(after response: HTTPResponse) -> Bool {
        guard keepsAlive else { return false }
        if case .stream = response.body, isVersion10, allowsBody(response.status) { return false }
        return true
    }

    /// Writes the head of `response`, and says what is to follow it.
    ///
    /// The fields that are ours (Date, Content-Length, Transfer-Encoding, Connection) are left out of the handler's.
    public func appendHead(of response: HTTPResponse, now: UnixTime, to writer: inout ByteWriter) -> Framing {
        // A status beyond three digits would be no status line any more.
        let status = (200...599).contains(response.status) ? response.status : 500
        writer.append("HTTP/1.1 ")
        writer.append(decimal: UInt64(status))
        writer.append(byte: ASCII.space)
        writer.append(HTTPStatusPhrase.phrase(of: status))
        writer.append("\r\nDate: ")
        HTTPDate.append(now, to: &writer)
        for (name, value) in response.headers.fields { Self.append(name, value, to: &writer) }
        let framing = framing(of: response.body, status: status, &writer)
        if !keepsAlive(after: response) {
            writer.append("\r\nConnection: close")
        } else if isVersion10 {
            writer.append("\r\nConnection: keep-alive")
        }
        writer.append("\r\n\r\n")
        return framing
    }

    /// Writes a part of a body as a chunk; nothing for an empty one, which would be the last chunk.
    public static func appendChunk(_ part: [UInt8], to writer: inout ByteWriter) {
        if part.isEmpty { return }
        let bits = UInt64.bitWidth - part.count.leadingZeroBitCount
        writer.append(hexadecimal: UInt64(part.count), digits: (bits + 3) / 4)
        writer.append("\r\n")
        writer.append(part)
        writer.append("\r\n")
    }

    /// What ends a body in chunks.
    public static func appendLastChunk(to writer: inout ByteWriter) { writer.append("0\r\n\r\n") }

    /// What tells a peer to send the body that it announced (RFC 9110 section 10.1.1).
    public static let continuation: ByteSlice = "HTTP/1.1 100 Continue\r\n\r\n"

    /// RFC 9110 sections 15.3.5 and 15.4.5: these have no body, whatever the handler gives.
    private func allowsBody(_ status: Int) -> Bool { status != 204 && status != 304 }

    private func framing(of body: HTTPBody, status: Int, _ writer: inout ByteWriter) -> Framing {
        guard allowsBody(status) else { return .none }
        let count: Int
        switch body {
        case .none:
            count = 0
        case .bytes(let bytes):
            count = bytes.count
        case .stream:
            if !isVersion10 { writer.append("\r\nTransfer-Encoding: chunked") }
            if method == .head { return .none }
            return isVersion10 ? .untilClose : .chunked
        }
        writer.append("\r\nContent-Length: ")
        writer.append(decimal: UInt64(count))
        return method == .head || count == 0 ? .none : .length(count)
    }

    /// Writes a field of a handler. One whose name is no token is left out, and a control character in a value becomes a
    /// space, so that no handler can be made to split a response.
    private static func append(_ name: String, _ value: String, to writer: inout ByteWriter) {
        name.withSlice { name in
            guard !name.isEmpty, name.allSatisfy(ASCII.isToken), !ours.contains(where: name.equalsIgnoringCase) else {
                return
            }
            writer.append("\r\n")
            writer.append(name)
            writer.append(": ")
            value.withSlice { value in
                if value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) {
                    writer.append(value)
                } else {
                    for index in 0..<value.count {
                        writer.append(byte: value[index] < 0x20 || value[index] == 0x7f ? ASCII.space : value[index])
                    }
                }
            }
        }
    }

    private static let ours: [ByteSlice] = ["Date", "Content-Length", "Transfer-Encoding", "Connection"]
}
