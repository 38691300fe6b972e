import CallControl
import Observability
import Primitives

/// Reads the input as a document, and runs it as a call and as a text.
func fuzzRCML(_ input: ByteSlice) {
    let url = "http://app.example/dir/voice?k=1"
    let document: RCMLDocument
    do throws(WebhookFailure) {
        document = try RCMLDocument(parsing: input.bytes, contentType: nil, url: url)
    } catch {
        require(!error.notification.message.isEmpty, "a fault without words")
        require(error.notification.line >= 0 && error.notification.column >= 0, "a fault before the beginning")
        return
    }
    let limits = RCMLLimits()
    require(document.verbs.count <= limits.verbs, "more verbs than the limit")
    require(document.remarks.count <= limits.remarks, "more remarks than the limit")
    for remark in document.remarks {
        require(remark.line >= 1 && remark.column >= 1, "a remark without a place: \(remark)")
        require(remark.message.utf8.count < 1_000, "a remark that is too long")
    }
    for verb in document.verbs { check(verb, limits) }
    runCall(document)
    runText(document)
}

private func check(_ verb: Verb, _ limits: RCMLLimits) {
    switch verb {
    case .redirect(let address): check(address)
    case .sms(let sms):
        require(!sms.body.isEmpty && sms.body.utf8.count <= limits.smsBody, "a text that cannot be sent")
        check(sms.action)
        check(sms.statusCallback)
    case .pause(let seconds): require(seconds <= 3600, "a Pause of \(seconds)")
    case .dial(let dial):
        require((1...600).contains(dial.timeout) && (1...86_400).contains(dial.timeLimit), "a time out of bounds")
        require(dial.parties.count <= limits.parties, "more parties than the limit")
        check(dial.action)
        for party in dial.parties {
            require(!party.name.isEmpty && !hasControls(party.name), "a name with control characters")
            require(party.headers.count <= limits.headers, "more headers than the limit")
            check(party.screening)
            check(party.statusCallback)
            for header in party.headers {
                require(header.name.lowercased().hasPrefix("x-"), "a header that is not X-: \(header.name)")
                require(!hasControls(header.name) && !hasControls(header.value), "a header on several lines")
            }
        }
    case .reject, .hangUp, .unsupported: break
    }
}

private func check(_ address: WebAddress?) {
    guard let address else { return }
    require(
        address.url.hasPrefix("http://") || address.url.hasPrefix("https://"), "a URL that is none: \(address.url)")
    require(address.url.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "a URL with \(address.url)")
}

private func hasControls(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
}

private func facts() -> CallFacts {
    CallFacts(
        number: RecordNumber(1 << 20), accountID: 1, accountSID: "AC", authToken: "t", from: "alice", to: "1",
        startedAt: UnixTime(seconds: 1))
}

/// The document is the answer to everything that is asked, and what is awaited comes.
private func runCall(_ document: RCMLDocument) {
    var application = Application()
    application.voice = WebAddress("http://app.example/")
    var settings = CallProgram.Settings()
    settings.documents = 5
    var program = CallProgram(application: application, facts: facts(), settings: settings)
    var pending: [CallEvent] = [.began]
    var steps = 0
    while let event = pending.popLast(), steps < 2_000 {
        steps += 1
        for action in program.handle(event, at: UnixTime(seconds: Int64(steps)), makeNumber: { RecordNumber(1) }) {
            switch action {
            case .fetch(let request): pending.append(.fetched(request.id, .document(document, headers: [])))
            case .dial(_, let first, let records):
                pending.append(steps % 2 == 0 ? .legAnswered(first) : .timer(.ringing))
                require(!records.isEmpty, "a Dial of nobody")
            case .connect(let leg): pending.append(.legHungUp(leg))
            case .startTimer(.pause, _): pending.append(.timer(.pause))
            case .send(let text): pending.insert(.textEnded(text.id, status: 200, nil), at: 0)
            case .tell, .endLegs, .reject, .hangUp, .startTimer, .stopTimer, .note: break
            }
        }
    }
    require(program.isOver || steps >= 2_000, "a call that waits for nothing")
}

private func runText(_ document: RCMLDocument) {
    var application = Application()
    application.sms = WebAddress("http://app.example/")
    var settings = CallProgram.Settings()
    settings.documents = 5
    var program = TextProgram(application: application, facts: facts(), settings: settings)
    var pending: [CallEvent] = [.began]
    while let event = pending.popLast() {
        for action in program.handle(event, at: UnixTime(seconds: 1), makeNumber: { RecordNumber(1) }) {
            switch action {
            case .fetch(let request): pending.append(.fetched(request.id, .document(document, headers: [])))
            case .send(let text): pending.insert(.textEnded(text.id, status: 200, nil), at: 0)
            default: break
            }
        }
    }
    require(program.isOver, "a text that waits for nothing")
}
