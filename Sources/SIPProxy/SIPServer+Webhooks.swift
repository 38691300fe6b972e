import CallControl
import Primitives

extension SIPServer {
    /// Handles the answer to a request to an application that `Effects.webhooks` asked for.
    public func webhookAnswered(
        _ reference: CallReference, _ id: UInt32, _ answer: WebhookAnswer, now: Now, effects: inout Effects
    ) {}
}
