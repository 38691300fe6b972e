import Primitives
import SIPMessage

/// What changes in a request on its way through the proxy (RFC 3261 16.6).
struct ForwardedRequest {
    /// The new Request-URI.
    var requestURI: ByteSlice
    /// The index of the listener that it leaves by.
    var listener: Int
    /// Where it came from.
    var source: Flow
    /// Route values put on top, for a target that was registered with Path (RFC 3327); empty for none.
    var path: ByteSlice = .empty
    /// How often the peer is to send keepalives if it offers to, in seconds (RFC 6223); 0 for a request in a dialog.
    var keepalive: UInt32 = 0
    /// What else is changed.
    var plan = ForwardingPlan()
}

extension ByteWriter {
    /// Writes the start line and our Via up to its branch; the caller appends the branch and CRLF, then any
    /// Record-Route, then `appendForwardedHeaders`.
    mutating func beginForwarded(
        _ request: borrowing SIPMessage, _ forwarded: ForwardedRequest, _ listeners: [Listener]
    ) {
        append(request.methodText)
        append(byte: ASCII.space)
        append(forwarded.requestURI)
        append(" SIP/2.0\r\n")
        append(listeners[forwarded.listener].viaStart)
    }

    /// Writes all headers of the request but the changed ones, and the body. Unchanged neighbours go in one copy.
    mutating func appendForwardedHeaders(of request: borrowing SIPMessage, _ forwarded: ForwardedRequest) {
        let plan = forwarded.plan
        if !forwarded.path.isEmpty { appendHeader("Route", forwarded.path) }
        if let breadth = plan.maxBreadth { appendHeader("Max-Breadth", number: UInt64(breadth)) }
        if request.maxForwards == nil { append("Max-Forwards: 70\r\n") }
        if request.firstIndex(of: .contentLength) == nil {
            appendHeader("Content-Length", number: UInt64(request.body.count))
        }
        var unchanged = request.fieldCount > 0 ? Int(request.field(0).lineStart) : 0
        var routesToSkip = plan.ownRoutes
        let lastRoute = plan.isLastRouteTarget ? request.lastIndex(of: .route) : nil
        var isTopVia = true
        for index in 0..<request.fieldCount {
            let field = request.field(index)
            switch field.name {
            case .via where isTopVia:
                isTopVia = false
                append(request.bytes[unchanged..<Int(field.lineStart)])
                appendTopVia(
                    of: request, field, receivedFrom: forwarded.source.remote, keepalive: forwarded.keepalive)
            case .maxForwards:
                append(request.bytes[unchanged..<Int(field.lineStart)])
                appendHeader("Max-Forwards", number: UInt64(max(1, request.maxForwards ?? 70) - 1))
            case .route where routesToSkip > 0 || index == lastRoute:
                append(request.bytes[unchanged..<Int(field.lineStart)])
                appendRoutes(request.value(field), skipping: &routesToSkip, withoutLast: index == lastRoute)
            case .maxBreadth where plan.maxBreadth != nil:
                append(request.bytes[unchanged..<Int(field.lineStart)])
            case .proxyAuthorization where index == plan.credentials:
                append(request.bytes[unchanged..<Int(field.lineStart)])
            default: continue
            }
            unchanged = Int(field.lineEnd)
        }
        append(request.bytes.from(unchanged))
    }

    /// Writes what is left of a Route line once its first values, or its last one, are taken away: in one line, as many
    /// lines of a long one would be more than the table of a message holds.
    private mutating func appendRoutes(_ value: ByteSlice, skipping routes: inout Int, withoutLast: Bool) {
        var start = 0
        while start < value.count, routes > 0 {
            start = value.endOfValue(from: start) + 1
            routes -= 1
        }
        var end = value.count
        if withoutLast {
            var offset = start
            end = start
            while offset < value.count {
                let next = value.endOfValue(from: offset)
                if next < value.count { end = next }
                offset = next + 1
            }
        }
        if start < end { appendHeader("Route", value[start..<end].trimmed()) }
    }

    /// Writes a response on its way back: without its topmost Via value, which is ours (16.7 step 3).
    mutating func appendForwardedResponse(_ response: borrowing SIPMessage) {
        guard let index = response.firstIndex(of: .via) else { return }
        let field = response.field(index)
        append(response.bytes[0..<Int(field.lineStart)])
        let value = response.value(field)
        let end = value.endOfValue(from: 0)
        let rest = value.from(end + 1).trimmed()
        if !rest.isEmpty { appendHeader("Via", rest) }
        append(response.bytes.from(Int(field.lineEnd)))
    }
}
