import Observability
import Primitives

/// What happens to a call that an application or a fixed program decides on.
///
/// A leg is named by its place among all legs that the call ever had, from 0: the parties of the first Dial, then those of
/// the next.
public enum CallEvent: Equatable, Sendable {
    /// The INVITE has come, or the called party of a call of the API has answered.
    case began
    /// An answer to the request with this id; one that is not waited for any more changes nothing.
    case fetched(UInt32, WebhookAnswer)
    /// A leg rings for the first time.
    case legRings(Int)
    /// A leg was answered; it is not connected yet.
    case legAnswered(Int)
    /// A leg has ended without an answer: the final status, and the reason where the server knows one.
    case legFailed(Int, status: UInt16, Reason?)
    /// The callee of an answered leg has hung up, or its dialog is dead.
    case legHungUp(Int)
    /// The caller has cancelled (not answered yet) or hung up, or its dialog is dead.
    case callerGone
    /// A timer that `CallAction.startTimer` started.
    case timer(CallTimer)
    /// The text of `CallAction.send` with this id is delivered (no reason) or failed.
    case textEnded(UInt32, status: UInt16, Reason?)
    /// The API ends the call.
    case ordered(CallOrder)
}

/// What the API can order of a live call (`POST /Calls/{sid}`).
public enum CallOrder: Equatable, Sendable {
    /// `Status=canceled`: ends a call that is not answered; others go on.
    case cancel
    /// `Status=completed`: ends it in any state.
    case complete
    /// `Url`: drops the legs, and goes on with another document.
    case redirect(WebAddress)
}

/// The timers of a call.
public enum CallTimer: Hashable, Sendable {
    /// The end of ringing of a Dial.
    case ringing
    /// The end of the talk of a Dial.
    case talk
    /// The end of a Pause.
    case pause
    /// The end of the wait for a document: the caller gets a final answer.
    case deadline
}

/// What is to be done for a call.
public enum CallAction: Equatable, Sendable {
    /// Asks the application; its answer comes as `CallEvent.fetched`.
    case fetch(WebhookRequest)
    /// Tells somebody; all of one call go out in their order.
    case tell(WebhookRequest)
    /// Begins the legs of a Dial, from leg `first` on, each with the number of its child record (`.none` of a fixed program, of
    /// which the parent's record is the only one). A leg that cannot begin fails at once, by an event.
    case dial(Dial, first: Int, records: [RecordNumber])
    /// Ends legs: cancels those that ring, hangs up those that are answered.
    case endLegs([Int])
    /// Answers the caller with what this leg has answered, and connects the two. The other legs were ended before.
    case connect(Int)
    /// Gives the caller a final answer; only before `connect`.
    case reject(UInt16, Reason)
    /// Hangs up the caller, who was answered.
    case hangUp
    case startTimer(CallTimer, milliseconds: UInt64)
    case stopTimer(CallTimer)
    /// Sends a text; what comes of it is told by `CallEvent.textEnded`.
    case send(CallText)
    /// Keeps a notification with the record of the call.
    case note(CallNotification)
}

/// A text that an application sends.
public struct CallText: Equatable, Sendable {
    /// Tells the texts of one call apart.
    public var id: UInt32
    /// The number of its record.
    public var number: RecordNumber
    /// Whom it is from.
    public var from: String
    /// Whom it is for.
    public var to: String
    /// The text.
    public var body: String
    /// `X-` headers of the MESSAGE.
    public var headers: [WebhookRequest.Parameter] = []

    /// With these parts.
    public init(id: UInt32, number: RecordNumber, from: String, to: String, body: String) {
        self.id = id
        self.number = number
        self.from = from
        self.to = to
        self.body = body
    }
}
