import HTTPMessage
import Primitives
import Testing

private final class NoParts: HTTPBodyStream {
    func next() throws -> [UInt8]? { nil }
}

@Suite struct HTTPResponseWriterTests {
    static func head(
        _ response: HTTPResponse, method: HTTPMethod = .get, isVersion10: Bool = false, keepsAlive: Bool = true
    ) -> (text: String, framing: HTTPResponseWriter.Framing) {
        var writer = ByteWriter(capacity: 512)
        let framing = HTTPResponseWriter(method: method, isVersion10: isVersion10, keepsAlive: keepsAlive)
            .appendHead(of: response, now: UnixTime(seconds: 784_111_777), to: &writer)
        return (writer.slice.string, framing)
    }

    static let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    @Test("9112 4: a response has its status line, Date, fields and length")
    func responseIsWritten() {
        var response = HTTPResponse(status: 201, body: .bytes([1, 2, 3]))
        response.headers.append("Content-Type", "text/plain")
        let (text, framing) = Self.head(response)
        #expect(
            text == "HTTP/1.1 201 Created\r\n\(Self.date)Content-Type: text/plain\r\nContent-Length: 3\r\n\r\n")
        #expect(framing == .length(3))
    }

    @Test("9110 9.3.2: HEAD has the same fields and no body")
    func headHasNoBody() {
        let response = HTTPResponse(status: 200, body: .bytes([1, 2, 3]))
        #expect(Self.head(response, method: .head).text == Self.head(response).text)
        #expect(Self.head(response, method: .head).framing == .none)
        let stream = HTTPResponse(status: 200, body: .stream(NoParts()))
        #expect(Self.head(stream, method: .head).text == Self.head(stream).text)
        #expect(Self.head(stream, method: .head).framing == .none)
    }

    @Test("9112 6.3: 204 and 304 have neither length nor body", arguments: [204, 304])
    func someHaveNoBody(status: Int) {
        for body in [HTTPBody.bytes([1]), .none, .stream(NoParts())] {
            let (text, framing) = Self.head(HTTPResponse(status: status, body: body), isVersion10: true)
            #expect(!text.contains("Content-Length") && !text.contains("Transfer-Encoding"))
            #expect(text.contains("Connection: keep-alive"))
            #expect(framing == .none)
        }
    }

    @Test("9112 6.3, 7: a stream is chunked in HTTP/1.1, and ended by closing in HTTP/1.0")
    func streamIsFramed() {
        let response = HTTPResponse(status: 200, body: .stream(NoParts()))
        #expect(Self.head(response).framing == .chunked)
        #expect(Self.head(response).text.contains("\r\nTransfer-Encoding: chunked\r\n\r\n"))
        let old = Self.head(response, isVersion10: true)
        #expect(old.framing == .untilClose)
        #expect(old.text.contains("Connection: close") && !old.text.contains("Transfer-Encoding"))
    }

    @Test("9112 9.3: the connection is said to close, or in HTTP/1.0 to stay")
    func connectionIsSaid() {
        let response = HTTPResponse(status: 200)
        #expect(Self.head(response, keepsAlive: false).text.contains("\r\nConnection: close\r\n"))
        #expect(!Self.head(response).text.contains("Connection"))
        #expect(Self.head(response, isVersion10: true).text.contains("\r\nConnection: keep-alive\r\n"))
    }

    @Test("9112 11.1: no field of a handler splits a response or takes over its framing")
    func responseIsNotSplit() {
        var response = HTTPResponse(status: 1000)
        response.headers.append("Location", "/a\r\nSet-Cookie: x\0y\u{7f}z")
        response.headers.append("B\r\nC", "1")
        response.headers.append("D e", "1")
        response.headers.append("", "1")
        response.headers.append("content-length", "99")
        response.headers.append("Transfer-Encoding", "chunked")
        response.headers.append("F", "é")
        #expect(
            Self.head(response).text
                == "HTTP/1.1 500 Internal Server Error\r\n\(Self.date)Location: /a  Set-Cookie: x y z\r\nF: é\r\n"
                + "Content-Length: 0\r\n\r\n")
    }

    @Test("9112 7.1: a chunk has its size in hexadecimal, and an empty part is none")
    func chunksAreFramed() {
        var writer = ByteWriter(capacity: 512)
        HTTPResponseWriter.appendChunk([], to: &writer)
        HTTPResponseWriter.appendChunk(Array("abc".utf8), to: &writer)
        HTTPResponseWriter.appendChunk([UInt8](repeating: 120, count: 16), to: &writer)
        HTTPResponseWriter.appendLastChunk(to: &writer)
        #expect(writer.slice.string == "3\r\nabc\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n")
    }
}
