import CallControl
import Observability
import Primitives

extension SIPServer {
    /// Handles the answer to a request to an application that `Effects.webhooks` asked for.
    public func webhookAnswered(
        _ reference: CallReference, _ id: UInt32, _ answer: WebhookAnswer, now: Now, effects: inout Effects
    ) {}

    /// Starts a call of the API; gives why not.
    public func startCall(_ call: OutgoingCall, now: Now, effects: inout Effects) -> Reason? { .serverStopping }

    /// Carries out an order of the API for a live call.
    public func order(
        _ number: RecordNumber, _ order: CallOrder, now: Now, effects: inout Effects
    ) -> OrderResult { .unknown }
}
