import CallControl
import Observability
import Primitives
import Testing

/// A call in virtual time: hands events to a program, and keeps what it has asked for.
struct VirtualCall {
    private(set) var program: CallProgram
    private(set) var actions: [CallAction] = []
    private(set) var now = UnixTime(milliseconds: 1_383_582_819_250)
    /// Timers that run, and when they end.
    private(set) var timers: [CallTimer: Int64] = [:]
    private var records: UInt64 = 0

    /// The request that was made last, of those whose answer is awaited.
    private(set) var asked: WebhookRequest?

    static let voice = WebAddress("http://app.example/voice")
    static let fallback = WebAddress("http://app.example/fallback", .get)
    static let status = WebAddress("http://app.example/status")

    static var facts: CallFacts {
        CallFacts(
            number: RecordNumber(at: UnixTime(milliseconds: 1_383_582_819_000), counter: 7), accountID: 1,
            accountSID: "AC1", authToken: "secret", from: "alice", to: "+15550100",
            startedAt: UnixTime(milliseconds: 1_383_582_819_000))
    }

    /// An application with a voice URL, and what else is asked for.
    static func application(fallback: Bool = false, status: Bool = false) -> Application {
        var result = Application()
        result.voice = voice
        if fallback { result.voiceFallback = VirtualCall.fallback }
        if status { result.statusCallback = VirtualCall.status }
        return result
    }

    init(
        _ application: Application = application(), facts: CallFacts = facts,
        settings: CallProgram.Settings = CallProgram.Settings()
    ) {
        program = CallProgram(application: application, facts: facts, settings: settings)
    }

    init(dial: Dial) {
        program = CallProgram(dial: dial, facts: VirtualCall.facts, settings: CallProgram.Settings())
    }

    /// Hands over an event; the actions are what it gave, and replace those of the one before.
    @discardableResult
    mutating func take(_ event: CallEvent) -> [CallAction] {
        if case .timer(let timer) = event { timers[timer] = nil }
        var counter = records
        actions = program.handle(event, at: now) {
            counter += 1
            return RecordNumber(at: UnixTime(milliseconds: 1_383_582_820_000), counter: counter)
        }
        records = counter
        for action in actions {
            switch action {
            case .fetch(let request): asked = request
            case .startTimer(let timer, let milliseconds): timers[timer] = now.milliseconds + Int64(milliseconds)
            case .stopTimer(let timer): timers[timer] = nil
            default: break
            }
        }
        return actions
    }

    /// Hands over an event that must change nothing.
    mutating func ignore(_ event: CallEvent, _ location: SourceLocation = #_sourceLocation) {
        take(event)
        #expect(actions.isEmpty, "\(event)", sourceLocation: location)
    }

    /// Lets time pass without an event.
    mutating func wait(_ milliseconds: Int64) { now.milliseconds += milliseconds }

    /// Lets time pass up to the end of a timer, which must run.
    @discardableResult
    mutating func expire(_ timer: CallTimer, _ location: SourceLocation = #_sourceLocation) -> [CallAction] {
        guard let end = timers[timer] else {
            Issue.record("\(timer) does not run", sourceLocation: location)
            return []
        }
        now.milliseconds = max(now.milliseconds, end)
        return take(.timer(timer))
    }

    /// Answers the request that is awaited with the verbs in `<Response>`.
    @discardableResult
    mutating func answer(_ verbs: String, _ location: SourceLocation = #_sourceLocation) -> [CallAction] {
        guard let asked else {
            Issue.record("nothing was asked", sourceLocation: location)
            return []
        }
        do throws(WebhookFailure) {
            let document = try RCMLDocument(
                parsing: Array("<Response>\(verbs)</Response>".utf8), contentType: "text/xml", url: asked.address.url)
            return take(.fetched(asked.id, .document(document, headers: [])))
        } catch {
            Issue.record("\(error)", sourceLocation: location)
            return []
        }
    }

    /// Answers the request that is awaited with a failure.
    @discardableResult
    mutating func fail(_ kind: WebhookFailure.Kind) -> [CallAction] {
        take(.fetched(asked?.id ?? 0, .failed(WebhookFailure(kind, CallNotification(11_206, .error, "failed")))))
    }

    /// Begins, and answers the first request.
    mutating func begin(_ verbs: String) {
        take(.began)
        answer(verbs)
    }
}

extension [CallAction] {
    /// Requests that were told.
    var told: [WebhookRequest] { compactMap { if case .tell(let request) = $0 { request } else { nil } } }
    /// Notifications.
    var notes: [CallNotification] { compactMap { if case .note(let note) = $0 { note } else { nil } } }
    /// Without notifications, timers and what is told.
    var deeds: [CallAction] {
        filter {
            switch $0 {
            case .note, .startTimer, .stopTimer, .tell: false
            default: true
            }
        }
    }
    /// The URLs that were asked, with the method.
    var fetches: [String] {
        compactMap { if case .fetch(let r) = $0 { r.address.method.rawValue + " " + r.address.url } else { nil } }
    }
}

extension WebhookRequest {
    /// The value of a parameter.
    subscript(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
    /// All, one a line.
    var lines: [String] { parameters.map { $0.name + "=" + $0.value } }
}
