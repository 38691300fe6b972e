import Primitives

@testable import HTTPMessage

/// Feeds a connection to the HTTP parser at once and in pieces, reads forms and targets, writes answers. What the parser
/// says must not depend on the pieces.
func fuzzHTTP(_ input: ByteSlice) {
    guard input.count > 2 else { return }
    var limits = HTTPLimits()
    if input[0] % 2 == 1 {
        limits.targetSize = 64
        limits.headerSize = 256
        limits.headerFields = 4
        limits.bodySize = 128
        limits.chunkLineSize = 16
        limits.queryFields = 3
    }
    let stream = input.from(2)
    let whole = requests(of: stream, limits, piece: stream.count)
    let split = requests(of: stream, limits, piece: Int(input[1] % 40) + 1)
    require(whole == split, "other pieces, other requests:\n\(whole)\n\(split)")
    readTexts(stream, limits)
}

private func readTexts(_ text: ByteSlice, _ limits: HTTPLimits) {
    if let form = try? FormFields(parsing: text) { for field in form.fields { _ = form[field.name] } }
    _ = try? HTTPTarget(parsing: text, method: .options, limits: limits)
    var headers = HTTPHeaders()
    headers.append("X-Forwarded-For", text.string)
    headers.append("Forwarded", text.string)
    _ = TrustedProxies([]).source(peer: IPAddress(ipv4: 1), headers: headers)
    if let line = ChunkLine(text) { require(line.extensionSize <= text.count, "an extension beyond its line") }
}

/// What the parser made of a stream that came in pieces of one size.
private func requests(of stream: ByteSlice, _ limits: HTTPLimits, piece: Int) -> [String] {
    var parser = HTTPRequestParser(limits: limits, source: IPAddress(ipv4: 0x7f00_0001))
    var result: [String] = []
    var offset = 0
    while offset < stream.count {
        let end = min(stream.count, offset + max(1, piece))
        parser.append(stream[offset..<end])
        offset = end
        reading: while true {
            switch parser.next() {
            case .incomplete: break reading
            // Who sends the body at once is not told to go on, so this does depend on the pieces.
            case .expectsContinue: continue
            case .request(let request, let isVersion10, let keepsAlive):
                require(request.body.count <= limits.bodySize, "a body over the limit")
                let form = request.wantsJSON == true ? nil : try? request.form
                result.append(
                    "\(request.method.name) \(request.rawPath) \(request.path) \(request.query) \(request.body) "
                        + "\(request.headers.fields) \(isVersion10) \(keepsAlive) \(form?.fields.count ?? 0)")
                answer(request, isVersion10, keepsAlive)
            case .failure(let failure, _):
                result.append("\(failure)")
                return result
            }
        }
    }
    return result
}

private func answer(_ request: HTTPRequest, _ isVersion10: Bool, _ keepsAlive: Bool) {
    let answers = HTTPResponseWriter(method: request.method, isVersion10: isVersion10, keepsAlive: keepsAlive)
    var response = HTTPResponse(status: 200)
    response.headers.append("Location", request.rawPath)
    var writer = ByteWriter(capacity: 512)
    _ = answers.appendHead(of: response, now: UnixTime(seconds: 1_700_000_000), to: &writer)
    var emptyLines = 0
    var index = 0
    while let lineEnd = writer.slice.firstIndex(of: ASCII.lineFeed, from: index) {
        if lineEnd - index == 1 { emptyLines += 1 }
        index = lineEnd + 1
    }
    require(emptyLines == 1, "a head has \(emptyLines) ends:\n\(writer.slice.string)")
}
