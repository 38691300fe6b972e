import HTTPMessage
import Primitives

/// The way of a connection from request to response.
extension HTTPLoop {
    /// Goes on with a connection as far as it can be done now.
    func proceed(_ connection: HTTPConnection, _ now: Instant) {
        while true {
            guard connection.write(now) else { return end(connection) }
            // Nothing new is begun for a peer that does not take what it asked for.
            if connection.output.count > HTTPConnection.lowWater { break }
            if case .reading = connection.phase {
                if takeRequest(connection, now) { continue }
                break
            }
            if case .streaming(let source) = connection.phase {
                connection.phase = .answering
                _ = jobs.submit(.parts(source, connection: connection.identifier))
                break
            }
            guard case .closing(let lingers) = connection.phase, connection.output.count == 0 else { break }
            if !lingers || connection.inputEnded { return end(connection) }
            connection.endOutput()
            connection.phase = .lingering(until: now.advanced(byMilliseconds: settings.farewellTime))
            break
        }
        connection.updateInterest(poller)
    }

    /// Takes what a handler thread made.
    func take(_ answer: HTTPAnswer, on connection: HTTPConnection, _ now: Instant) {
        for piece in answer.pieces { connection.append(piece, now) }
        switch answer.sequel {
        case .keep where stopsAt == nil:
            connection.phase = .reading
        case .keep, .close:
            connection.phase = .closing(lingers: connection.parser.bufferedCount > 0)
        case .more(let source):
            connection.phase = .streaming(source)
        case .reset:
            connection.reset()
        }
    }

    /// Answers what no handler sees, and has the connection end after it.
    func fail(_ connection: HTTPConnection, _ failure: HTTPFailure, wantsJSON: Bool?, _ now: Instant) {
        let writer = HTTPResponseWriter(method: .get, isVersion10: false, keepsAlive: false)
        connection.append(written(failure, connection.peer.address, wantsJSON: wantsJSON, writer), now)
        connection.phase = .closing(lingers: true)
        connection.requestIsComplete()
    }

    /// Takes the next request, if it is complete; true when there may be more to do.
    private func takeRequest(_ connection: HTTPConnection, _ now: Instant) -> Bool {
        switch connection.parser.next() {
        case .incomplete:
            connection.requestIsIncomplete(now)
            guard connection.inputEnded else { return false }
            connection.phase = .closing(lingers: false)
        case .expectsContinue:
            connection.append(HTTPResponseWriter.continuation.bytes, now)
        case .request(var request, let isVersion10, let keepsAlive):
            connection.requestIsComplete()
            tally.requests.count()
            request.source = settings.trustedProxies.source(peer: connection.peer.address, headers: request.headers)
            let writer = HTTPResponseWriter(
                method: request.method, isVersion10: isVersion10, keepsAlive: keepsAlive && stopsAt == nil)
            if jobs.submit(.request(request, writer, connection: connection.identifier)) {
                connection.phase = .answering
                return false
            }
            tally.saturated.count()
            let failure = HTTPFailure(503, "Too many requests are waiting.")
            connection.append(written(failure, request.source, wantsJSON: request.wantsJSON, writer), now)
            if !writer.keepsAlive { connection.phase = .closing(lingers: connection.parser.bufferedCount > 0) }
        case .failure(let failure, let wantsJSON):
            fail(connection, failure, wantsJSON: wantsJSON, now)
        }
        return true
    }

    private func written(
        _ failure: HTTPFailure, _ source: IPAddress, wantsJSON: Bool?, _ writer: HTTPResponseWriter
    ) -> [UInt8] {
        tally.count(status: failure.status)
        refused(source, failure.status, failure.message)
        let (contentType, body) = errorBody(failure.status, failure.message, wantsJSON)
        var response = HTTPResponse(status: failure.status, body: .bytes(body))
        response.headers.append("Content-Type", contentType)
        if failure.status == 503 { response.headers.append("Retry-After", "1") }
        var bytes = ByteWriter(capacity: 512 + body.count)
        let framing = writer.appendHead(of: response, now: System.now().unix, to: &bytes)
        if framing != .none { bytes.append(body) }
        return bytes.slice.bytes
    }
}
