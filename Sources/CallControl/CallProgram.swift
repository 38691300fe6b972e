import Primitives

/// What decides on one call: an application's documents, or one Dial that is fixed from the beginning (a gateway call).
///
/// A state machine without a clock or a socket: events in, actions out.
public struct CallProgram: Sendable {
    /// What it is told once.
    public struct Settings: Sendable {
        /// Milliseconds after which the caller gets a final answer if no document has come.
        public var deadline: UInt64 = 6_000
        /// The longest talk in seconds.
        public var longestCall: UInt32 = 14_400
        /// Documents that one call may fetch: a loop of Redirects ends there.
        public var documents = 100

        /// With these parts.
        public init() {}
    }

    /// True when nothing more will come of it: the call has ended.
    public private(set) var isOver = false

    /// A call that an application answers.
    public init(application: Application, facts: CallFacts, settings: Settings) {}

    /// A call that dials as told, with one record and without any application.
    public init(dial: Dial, facts: CallFacts, settings: Settings) {}

    /// Takes an event.
    ///
    /// - Parameter makeNumber: Gives the number of a new record.
    /// - Returns: What is to be done, in this order.
    public mutating func handle(
        _ event: CallEvent, at now: UnixTime, makeNumber: () -> RecordNumber
    ) -> [CallAction] { [] }
}
