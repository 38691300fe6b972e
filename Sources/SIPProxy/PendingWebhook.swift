import CallControl
import Primitives

/// Which call or text of an application an answer is for.
public struct CallReference: Hashable, Sendable {
    let shard: UInt8
    let index: SlabIndex
}

/// A request to an application that the edge is to make.
public struct PendingWebhook: Sendable {
    /// Whose it is: the requests of one call without an answer go out one after the other.
    public let reference: CallReference
    /// True when `SIPServer.webhookAnswered` waits for its answer.
    public let isAnswerWanted: Bool
    /// Its place among the requests of `reference`, from 1 without gaps: two threads may hand them over in another order.
    public let sequence: UInt32
    /// The request.
    public let request: WebhookRequest
}

/// A call that the API starts.
public struct OutgoingCall: Sendable {
    /// The record, whose `from` and `to` are shown; direction `outbound-api`.
    public var record: CallRecord
    /// Who is called: a client, a number or a SIP URI, with headers.
    public var party: Dial.Party
    /// What answers once the party has; fallback and status callback as of a number.
    public var application: Application
    /// Seconds of ringing.
    public var timeout: UInt32 = 60
    /// Which leg states the status callback is told.
    public var statusEvents: Set<LegState> = [.completed]

    /// With these parts.
    public init(record: CallRecord, party: Dial.Party, application: Application) {
        self.record = record
        self.party = party
        self.application = application
    }
}

/// What became of an order of the API for a live call.
public enum OrderResult: Sendable {
    /// It is carried out.
    case done
    /// No live call has this number.
    case unknown
    /// `cancel` of a call that is answered already.
    case alreadyAnswered
}
