import Primitives

/// What decides on one text that came to an application.
///
/// Its actions are `fetch`, `send`, `note`, `startTimer` and `stopTimer` only; its events `began`, `fetched`, `textEnded` and
/// `timer(.deadline)`.
public struct TextProgram: Sendable {
    /// True when nothing more will come of it.
    public private(set) var isOver = false

    /// A text that an application gets; its `sms` addresses count, else its `voice` ones.
    public init(application: Application, facts: CallFacts, settings: CallProgram.Settings) {}

    /// Takes an event.
    public mutating func handle(
        _ event: CallEvent, at now: UnixTime, makeNumber: () -> RecordNumber
    ) -> [CallAction] { [] }
}
