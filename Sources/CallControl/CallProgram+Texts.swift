import Observability
import Primitives

extension CallProgram {
    /// A text under way.
    struct Sending: Sendable {
        let text: CallText
        /// Told at its end.
        let callback: WebAddress?
    }

    /// Sends a text.
    ///
    /// - Returns: What is to be fetched now, and what it is told besides; nil goes on with the next verb.
    mutating func send(_ sms: Sms, _ makeNumber: () -> RecordNumber) -> (WebAddress, [Parameter])? {
        guard textCount < CallProgram.mostTexts else {
            note(
                CallNotification.Code.tooManyTexts, .error,
                "Sms was skipped: the call has sent \(textCount) texts, which is the limit.")
            return nil
        }
        textCount += 1
        let text = CallText(
            id: textCount, number: makeNumber(), from: sms.from ?? facts.to, to: sms.to ?? facts.from, body: sms.body)
        texts[text.id] = Sending(text: text, callback: sms.statusCallback)
        actions.append(.send(text))
        return sms.action.map { ($0, CallParameters.sent(text, facts, status: "sending", error: nil)) }
    }

    mutating func textEnded(_ id: UInt32, _ status: UInt16, _ reason: Reason?) {
        guard let sending = texts.removeValue(forKey: id) else { return }
        if let callback = sending.callback {
            actions.append(.tell(.textEnded(sending.text, facts, callback, status, reason)))
        }
        if case .settling = state, texts.isEmpty {
            stop(.deadline)
            state = .over
        }
    }
}

extension WebhookRequest {
    /// What is told of the end of a text.
    static func textEnded(
        _ text: CallText, _ facts: CallFacts, _ address: WebAddress, _ status: UInt16, _ reason: Reason?
    ) -> WebhookRequest {
        let isSent = (200..<300).contains(status) && reason == nil
        let error = isSent ? nil : reason?.code.string ?? String(status)
        return WebhookRequest(
            id: 0, address: address,
            parameters: CallParameters.sent(text, facts, status: isSent ? "sent" : "failed", error: error),
            secret: facts.authToken)
    }
}
