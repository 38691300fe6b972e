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

    /// Asks for a document. One deadline holds for the first and its fallback together, and one for each that comes later.
    mutating func fetch(_ address: WebAddress, _ which: Awaited, _ more: [Parameter] = []) {
        guard let request = request(address, CallParameters.voice(facts, status: statusWord, outbound: outbound) + more)
        else {
            let refusal = lastRefusal ?? DialRun.Refusal(status: 500, reason: .applicationUnreachable)
            conclude(refusal.status, refusal.reason)
            return
        }
        awaited = which
        state = .fetching
        if !timers.contains(.deadline) { start(.deadline, milliseconds: settings.deadline) }
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
            if case .first = awaited, let fallback = application.voiceFallback {
                fetch(fallback, .fallback)
                return
            }
            stop(.deadline)
            conclude(afterFetch: failure.kind)
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
        conclude(afterFetch: .timeout)
    }

    mutating func noteDeadline() {
        note(
            CallNotification.Code.fetchFailed, .error,
            "No document came within \(settings.deadline) ms, so the wait was given up. "
                + "Make the application answer faster, or raise applications.deadline.")
    }
}
