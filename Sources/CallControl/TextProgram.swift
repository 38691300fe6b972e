import Observability
import Primitives

/// What decides on one text that came to an application.
///
/// Its actions are `fetch`, `tell`, `send`, `note`, `startTimer` and `stopTimer` only; its events `began`, `fetched`,
/// `textEnded` and `timer(.deadline)`. Others change nothing.
public struct TextProgram: Sendable {
    private enum State {
        case new
        case fetching(CallProgram.Awaited)
        /// Texts whose callbacks wait for their end are under way.
        case settling
        case over
    }

    /// True when nothing more will come of it.
    public private(set) var isOver = false

    private let facts: CallFacts
    private let settings: CallProgram.Settings
    private let address: WebAddress?
    private let fallback: WebAddress?
    private var state = State.new
    private var documents = 0
    private var awaitedURL = ""
    private var isTimed = false
    private var firstAskedAt: UnixTime
    private var now: UnixTime
    private var texts: [UInt32: CallProgram.Sending] = [:]
    private var textCount: UInt32 = 0
    private var actions: [CallAction] = []

    /// A text that an application gets; its `sms` addresses count, else its `voice` ones.
    public init(application: Application, facts: CallFacts, settings: CallProgram.Settings) {
        self.facts = facts
        self.settings = settings
        address = application.sms ?? application.voice
        firstAskedAt = facts.startedAt
        now = facts.startedAt
        fallback = application.sms != nil ? application.smsFallback : application.voiceFallback
    }

    /// Takes an event.
    public mutating func handle(
        _ event: CallEvent, at now: UnixTime, makeNumber: () -> RecordNumber
    ) -> [CallAction] {
        self.now = now
        switch (state, event) {
        case (.over, _): return []
        case (_, .textEnded(let id, let status, let reason)): textEnded(id, status, reason)
        case (.new, .began): begin()
        case (.fetching(let which), .fetched(let id, let answer)):
            if id == UInt32(clamping: documents) { came(answer, which, makeNumber) }
        case (.fetching(let which), .timer(.deadline)):
            guard isTimed else { return [] }
            isTimed = false
            note(CallNotification.Code.fetchFailed, .error, CallProgram.tooSlow, url: awaitedURL)
            fetchFailed(which)
        case (.settling, .timer(.deadline)):
            guard isTimed else { return [] }
            isTimed = false
            state = .over
        case (.new, _), (.fetching, _), (.settling, _): break
        }
        if case .over = state { isOver = true }
        defer { actions = [] }
        return actions
    }

    private mutating func begin() {
        guard let address else {
            note(
                CallNotification.Code.badURL, .error,
                "The application has no SMS URL, so nothing can take the text; set one.")
            state = .over
            return
        }
        fetch(address, .first)
    }

    private mutating func fetch(
        _ address: WebAddress, _ which: CallProgram.Awaited = .later, _ more: [WebhookRequest.Parameter] = []
    ) {
        guard documents < settings.documents else {
            note(
                CallNotification.Code.tooManyDocuments, .error,
                "The text has fetched \(documents) documents, which is the limit: it ends here. "
                    + "Look for Redirect or action URLs that lead in a circle.", url: address.url)
            finish()
            return
        }
        documents += 1
        awaitedURL = address.url
        state = .fetching(which)
        stopTimer()
        switch which {
        case .first:
            firstAskedAt = now
            start(settings.deadline(hasFallback: fallback != nil))
        case .fallback: start(settings.deadline(after: firstAskedAt, at: now))
        case .later: start(settings.deadline)
        }
        actions.append(
            .fetch(
                WebhookRequest(
                    id: UInt32(clamping: documents), address: address, parameters: CallParameters.text(facts) + more,
                    secret: facts.authToken)))
    }

    private mutating func fetchFailed(_ which: CallProgram.Awaited) {
        if case .first = which, let fallback { fetch(fallback, .fallback) } else { finish() }
    }

    private mutating func start(_ milliseconds: UInt64) {
        isTimed = true
        actions.append(.startTimer(.deadline, milliseconds: milliseconds))
    }

    private mutating func came(_ answer: WebhookAnswer, _ which: CallProgram.Awaited, _ makeNumber: () -> RecordNumber)
    {
        switch answer {
        case .failed(let failure):
            actions.append(.note(failure.notification))
            fetchFailed(which)
        case .document(let document, let headers):
            stopTimer()
            for remark in document.remarks { actions.append(.note(remark)) }
            run(document.verbs, headers, makeNumber)
        }
    }

    /// Runs verbs until one fetches another document.
    private mutating func run(
        _ verbs: [Verb], _ headers: [WebhookRequest.Parameter], _ makeNumber: () -> RecordNumber
    ) {
        for verb in verbs {
            switch verb {
            case .sms(let sms):
                guard let text = send(sms, headers, makeNumber) else { continue }
                if let action = sms.action {
                    fetch(action, .later, CallParameters.sent(text, facts, status: "sending", error: nil))
                    return
                }
            case .redirect(let address):
                fetch(address)
                return
            case .hangUp:
                finish()
                return
            case .dial: noteMisplaced("Dial")
            case .reject: noteMisplaced("Reject")
            case .pause: noteMisplaced("Pause")
            case .unsupported(let notification): actions.append(.note(notification))
            }
        }
        finish()
    }

    private mutating func send(
        _ sms: Sms, _ headers: [WebhookRequest.Parameter], _ makeNumber: () -> RecordNumber
    ) -> CallText? {
        guard textCount < CallProgram.mostTexts else {
            note(
                CallNotification.Code.tooManyTexts, .error,
                "Sms was skipped: the application has sent \(textCount) texts in answer to one, which is the limit.")
            return nil
        }
        textCount += 1
        var text = CallText(
            id: textCount, number: makeNumber(), from: sms.from ?? facts.to, to: sms.to ?? facts.from, body: sms.body)
        text.headers = Array(headers.filter(\.canBeHeader).prefix(RCMLLimits().headers))
        texts[text.id] = CallProgram.Sending(text: text, callback: sms.statusCallback)
        actions.append(.send(text))
        return text
    }

    private mutating func textEnded(_ id: UInt32, _ status: UInt16, _ reason: Reason?) {
        guard let sending = texts.removeValue(forKey: id) else { return }
        if let callback = sending.callback {
            actions.append(.tell(.textEnded(sending.text, facts, callback, status, reason)))
        }
        if case .settling = state, texts.isEmpty {
            stopTimer()
            state = .over
        }
    }

    private mutating func finish() {
        stopTimer()
        texts = texts.filter { $0.value.callback != nil }
        if texts.isEmpty {
            state = .over
        } else {
            start(CallProgram.longestSettling)
            state = .settling
        }
    }

    private mutating func stopTimer() {
        if isTimed { actions.append(.stopTimer(.deadline)) }
        isTimed = false
    }

    private mutating func noteMisplaced(_ verb: String) {
        note(
            CallNotification.Code.misplacedVerb, .warning,
            "\(verb) was skipped: a text is answered, not a call. Use Sms or Redirect there.")
    }

    private mutating func note(
        _ code: Int64, _ level: CallNotification.Level, _ message: String, url: String = ""
    ) {
        actions.append(.note(CallNotification(code, level, message, url: WebAddress.withoutCredentials(url))))
    }
}
