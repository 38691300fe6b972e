import Primitives
import SIPAuthentication
import SIPMessage

@testable import SIPProxy

/// Reads a message as a datagram and as a stream's, reads all that can be read in it, and writes what the server would:
/// an answer and a forwarded copy, which must be messages again and say the same.
func fuzzSIPMessage(_ input: ByteSlice) {
    var message = SIPMessage()
    _ = message.parse(input, isStream: true)
    let fault = message.parse(input)
    readHeaders(of: message)
    if message.isAnswerable { checkAnswer(to: message, fault) }
    if fault == nil {
        if message.isRequest { checkForwarded(message) } else { checkForwardedResponse(message) }
    }
}

private let source = Flow(
    transport: .udp, listener: 0,
    remote: SocketAddress(address: IPAddress(ipv4: 0xc633_6401), port: 5060))

private let listeners = [
    Listener(transport: .udp, address: SocketAddress(address: IPAddress(ipv4: 0xc000_0201), port: 5060))
]

private func readHeaders(of message: borrowing SIPMessage) {
    for index in 0..<message.fieldCount {
        let field = message.field(index)
        require(message.line(field).count >= message.name(field).count, "a line is shorter than its name")
        require(HeaderName(message.name(field)) == field.name, "a name reads differently the second time")
        readValue(message.value(field))
    }
    for name in HeaderName.allCases {
        var values = message.values(of: name)
        var count = 0
        while let value = values.next(in: message) {
            count += 1
            require(count <= message.bytes.count + 1, "the values of a header have no end")
            readAddress(value)
            if name == .reason { _ = ReasonValue(value) }
            if name == .warning { _ = WarningValue(value) }
        }
        if let first = message.firstIndex(of: name), let last = message.lastIndex(of: name) {
            require(first <= last, "the first header is behind the last")
        }
        var tags = message.optionTags(of: name)
        while tags.next(in: message) != nil {}
    }
    _ = (message.expires, message.minExpires, message.contentType, message.retryAfter, message.firstWarning)
    _ = (message.reason("SIP"), message.supports("path"), message.requires("outbound"))
    _ = (message.digestChallenge(.server) != nil, message.digestChallenge(.proxy) != nil)
    for products in [message.userAgent, message.server] {
        var offset = 0
        while products?.next(from: &offset) != nil {}
    }
    readAddress(message.requestURI)
    _ = message.topVia.responseFlow(source: source)
    _ = LoopDetection.hash(of: message, key: HashKey(1, 2))
}

private func readValue(_ value: ByteSlice) {
    if let credentials = try? DigestCredentials(value) { _ = credentials.admitsAnything }
    _ = (CSeq(value), Via(firstOf: value), DeltaSeconds(value), ContentType(value), ProductList(value))
    _ = (RetryAfter(value), ReasonValue(value), WarningValue(value))
}

private func readAddress(_ value: ByteSlice) {
    for text in [NameAddress(value)?.uri, value] {
        guard let text else { continue }
        if let uri = SIPURI(text) {
            _ = (uri.transport, uri.isLooseRouter, Host(uri.host) == nil)
            require(uri.isEquivalent(to: uri), "a URI is not itself: \(text.string)")
        }
        if let uri = TelURI(text) { require(!uri.plainNumber.isEmpty, "a number without digits") }
    }
}

/// Gives the essentials of two messages that must be the same.
private func requireSame(_ one: borrowing SIPMessage, _ other: borrowing SIPMessage, _ what: String) {
    let text = other.bytes.string
    require(one.callID == other.callID, "\(what) has another Call-ID:\n\(text)")
    require(one.fromTag == other.fromTag, "\(what) has another From:\n\(text)")
    require(one.sequenceNumber == other.sequenceNumber, "\(what) has another CSeq:\n\(text)")
    require(one.method == other.method, "\(what) has another method:\n\(text)")
    require(one.from.uri == other.from.uri, "\(what) has another From:\n\(text)")
    require(one.to.uri == other.to.uri, "\(what) has another To:\n\(text)")
}

private func vias(in message: borrowing SIPMessage) -> Int {
    var values = message.values(of: .via)
    var count = 0
    while values.next(in: message) != nil { count += 1 }
    return count
}

private func checkAnswer(to request: borrowing SIPMessage, _ fault: Fault?) {
    var writer = ByteWriter(capacity: 512)
    writer.beginResponse(to: request, status: fault?.status ?? 200, source: source.remote, toTag: "rc1")
    writer.endResponse()
    // An answer of this size is what a stranger can send elsewhere.
    require(writer.count <= request.bytes.count + 128, "an answer is much larger than its request")
    var answer = SIPMessage()
    let found = answer.parse(writer.slice, isStream: true)
    require(!answer.isRequest && answer.status >= 100, "an answer is no answer:\n\(writer.slice.string)")
    if fault == nil {
        require(
            found == nil, "an answer to a good request is bad (\(found.map { "\($0)" } ?? "")):\n\(answer.bytes.string)"
        )
        requireSame(request, answer, "an answer")
        require(!answer.toTag.isEmpty, "an answer has no tag of To")
        require(vias(in: request) == vias(in: answer), "an answer has other Vias")
        require(request.topVia.branch == answer.topVia.branch, "an answer has another branch")
    }
}

private func checkForwarded(_ request: borrowing SIPMessage) {
    var writer = ByteWriter(capacity: 1024)
    let forwarded = ForwardedRequest(requestURI: request.requestURI, listener: 0, source: source)
    writer.beginForwarded(request, forwarded, listeners)
    writer.append("0123456789abcdef0123456789abcdef\r\n")
    writer.appendForwardedHeaders(of: request, forwarded)
    var copy = SIPMessage()
    var found = copy.parse(writer.slice, isStream: true)
    // At the limit the headers that we add are over it; the next hop may think otherwise, and we read it all.
    if found == .tooManyHeaders, request.fieldCount + 4 > SIPMessage.headerCapacity { found = nil }
    require(found == nil, "a forwarded request is bad (\(found.map { "\($0)" } ?? "")):\n\(writer.slice.string)")
    requireSame(request, copy, "a forwarded request")
    require(copy.requestURI == request.requestURI, "a forwarded request has another Request-URI")
    require(copy.body == request.body, "a forwarded request has another body")
    require(copy.toTag == request.toTag, "a forwarded request has another tag of To")
    require(vias(in: copy) == vias(in: request) + 1, "a forwarded request has not one Via more")
    require(copy.maxForwards == max(1, request.maxForwards ?? 71) - 1, "a forwarded request may go on for longer")
}

private func checkForwardedResponse(_ response: borrowing SIPMessage) {
    guard response.hasLowerVia else { return }
    var writer = ByteWriter(capacity: 1024)
    writer.appendForwardedResponse(response)
    var copy = SIPMessage()
    let found = copy.parse(writer.slice)
    // What was below our Via was not read before: only its own faults may show.
    if found == .malformedVia { return }
    require(found == nil, "a forwarded response is bad (\(found.map { "\($0)" } ?? "")):\n\(writer.slice.string)")
    requireSame(response, copy, "a forwarded response")
    require(copy.status == response.status, "a forwarded response has another status")
    require(copy.body == response.body, "a forwarded response has another body")
    require(vias(in: copy) == vias(in: response) - 1, "a forwarded response has not one Via less")
}
