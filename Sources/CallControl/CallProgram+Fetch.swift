import Observability
import Primitives

extension CallProgram {
    typealias Parameter = WebhookRequest.Parameter

    mutating func begin() {
        if isFixed {
            state = .running
            return
        }
        tell(status: statusWord)
        guard let address = application.voice else {
            note(
                CallNotification.Code.badURL, .error,
                "The application has no voice URL, so nothing can answer the call; set one.")
            conclude(500, .applicationUnreachable)
            return
        }
        fetch(address, .first)
    }

    /// Asks for a document. One deadline holds for the first, of which it can take half when there is a fallback, for that
    /// fallback, and for all that they redirect to; each that comes after a Pause, a Dial or the caller's answer has its own.
    mutating func fetch(_ address: WebAddress, _ which: Awaited, _ more: [Parameter] = []) {
        guard let request = request(address, CallParameters.voice(facts, status: statusWord, outbound: outbound) + more)
        else {
            let refusal = lastRefusal ?? DialRun.Refusal(status: 500, reason: .applicationUnreachable)
            conclude(refusal.status, refusal.reason)
            return
        }
        awaited = which
        state = .fetching
        switch which {
        case .first:
            firstAskedAt = now
            start(.deadline, milliseconds: settings.deadline(hasFallback: application.voiceFallback != nil))
        case .fallback:
            stop(.deadline)
            start(.deadline, milliseconds: settings.deadline(after: firstAskedAt, at: now))
        case .later:
            let isFirstWait = !isAnswered && patience == CallProgram.longestWait
            start(
                .deadline,
                milliseconds: isFirstWait ? settings.rest(after: firstAskedAt, at: now) : settings.deadline)
        }
        actions.append(.fetch(request))
    }

    /// A request that is answered; nil, with a notification, when there were too many.
    mutating func request(_ address: WebAddress, _ parameters: [Parameter]) -> WebhookRequest? {
        guard documents < settings.documents else {
            note(
                CallNotification.Code.tooManyDocuments, .error,
                "The call has fetched \(documents) documents, which is the limit: it ends here. "
                    + "Look for Redirect or action URLs that lead in a circle.", url: address.url)
            return nil
        }
        documents += 1
        awaitedID = UInt32(clamping: documents)
        awaitedURL = address.url
        return WebhookRequest(id: awaitedID, address: address, parameters: parameters, secret: facts.authToken)
    }

    private var outbound: String? { lastLeg.map { $0.sid(prefix: "CA") } }

    mutating func came(_ answer: WebhookAnswer) {
        switch answer {
        case .document(let document, _):
            stop(.deadline)
            for remark in document.remarks { actions.append(.note(remark)) }
            verbs = document.verbs
            nextVerb = 0
            state = .running
        case .failed(let failure):
            actions.append(.note(failure.notification))
            fetchFailed(failure.kind)
        }
    }

    private mutating func fetchFailed(_ kind: WebhookFailure.Kind) {
        if case .first = awaited, let fallback = application.voiceFallback {
            fetch(fallback, .fallback)
        } else {
            stop(.deadline)
            conclude(afterFetch: kind)
        }
    }

    /// Only an application whose first document cannot be had is an error of its own; later the last Dial says more.
    private mutating func conclude(afterFetch kind: WebhookFailure.Kind) {
        if let lastRefusal {
            conclude(lastRefusal.status, lastRefusal.reason)
            return
        }
        switch (awaited, kind) {
        case (.first, .status(404)): conclude(404, .applicationNotFound)
        case (_, .timeout): conclude(504, .applicationTooSlow)
        default: conclude(500, .applicationUnreachable)
        }
    }

    mutating func waitedTooLong() {
        noteDeadline()
        fetchFailed(.timeout)
    }

    mutating func noteDeadline() {
        note(
            CallNotification.Code.fetchFailed, .error,
            CallProgram.tooSlow, url: awaitedURL)
    }

    static let tooSlow =
        "No document came within the time that there was for it, so the wait was given up. "
        + "Make the application answer faster, or raise applications.deadline."
}

extension CallProgram.Settings {
    /// Milliseconds for the first document: half of all when a fallback is to have the rest.
    func deadline(hasFallback: Bool) -> UInt64 { hasFallback ? max(deadline / 2, 1) : deadline }

    /// Milliseconds left for a fallback.
    func deadline(after start: UnixTime, at now: UnixTime) -> UInt64 {
        // The clock may have been set; no more than the half is ever gone.
        let gone = UInt64(max(0, now.milliseconds &- start.milliseconds))
        return max(deadline - min(gone, deadline / 2), 1)
    }

    /// Milliseconds left of one deadline for all that is fetched before anything else is done.
    func rest(after start: UnixTime, at now: UnixTime) -> UInt64 {
        max(deadline - min(UInt64(max(0, now.milliseconds &- start.milliseconds)), deadline), 1)
    }
}
