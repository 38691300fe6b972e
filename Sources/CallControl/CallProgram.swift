import Observability
import Primitives

/// What decides on one call: an application's documents, or one Dial that is fixed from the beginning (a gateway call).
///
/// A state machine without a clock or a socket: events in, actions out.
public struct CallProgram: Sendable {
    /// What it is told once.
    public struct Settings: Sendable {
        /// Milliseconds after which the caller gets a final answer if no document has come that does more than redirect.
        public var deadline: UInt64 = 6_000
        /// The longest talk in seconds.
        public var longestCall: UInt32 = 14_400
        /// Documents that one call may fetch: a loop of Redirects ends there.
        public var documents = 100

        /// With these parts.
        public init() {}
    }

    /// Where a call is.
    enum State: Sendable {
        /// Nothing has happened.
        case new
        /// The next verb is to be run: only within `handle`.
        case running
        /// A document is awaited.
        case fetching
        /// In a Pause.
        case pausing
        /// The legs of a Dial are called.
        case ringing
        /// A leg has answered, and its own document runs before it is connected.
        case screening(Screening)
        /// Caller and callee are connected.
        case talking
        /// The call has ended; texts whose callbacks wait for their end are under way.
        case settling
        /// Nothing more will come.
        case over
    }

    /// Where the document of a callee is.
    enum Screening: Sendable {
        case running
        case fetching
        case pausing
    }

    /// Which document is awaited.
    enum Awaited: Sendable {
        case first
        case fallback
        case later
    }

    /// True when nothing more will come of it: the call has ended.
    public internal(set) var isOver = false

    let facts: CallFacts
    let settings: Settings
    /// True for a Dial without an application: nobody is told, and there is one record. An order of the API can end that.
    var isFixed: Bool
    var application: Application
    var state = State.new
    /// The verbs of the document that runs, and the next of them.
    var verbs: [Verb] = []
    var nextVerb = 0
    /// The same of the document that runs on a callee.
    var screeningVerbs: [Verb] = []
    var nextScreeningVerb = 0
    var awaited = Awaited.first
    /// The request whose answer is awaited.
    var awaitedID: UInt32 = 0
    var awaitedURL = ""
    var documents = 0
    var firstAskedAt: UnixTime
    var run: DialRun?
    /// Legs that the call ever had.
    var legCount = 0
    /// How the last Dial failed while the caller had no answer.
    var lastRefusal: DialRun.Refusal?
    /// The leg dialled last.
    var lastLeg: RecordNumber?
    /// True when a document had something that could be done.
    var didSomething = false
    /// True when the caller was answered.
    var isAnswered: Bool
    var answeredAt: UnixTime?
    /// Seconds that Pause and ringing may still take: nobody waits for ever, whatever the documents say.
    var patience: UInt32 = CallProgram.longestWait
    var timers: Set<CallTimer> = []
    /// The last state that the status callback was told.
    var toldStatus = ""
    var texts: [UInt32: Sending] = [:]
    var textCount: UInt32 = 0
    /// Of the event that is handled.
    var now: UnixTime
    var actions: [CallAction] = []

    /// Seconds that a caller without an answer may wait in all.
    static let longestWait: UInt32 = 1_800
    /// Texts that one call may send.
    static let mostTexts: UInt32 = 100

    /// A call that an application answers.
    public init(application: Application, facts: CallFacts, settings: Settings) {
        self.init(application, facts, settings, isFixed: false)
    }

    /// A call that dials as told, with one record and without any application.
    public init(dial: Dial, facts: CallFacts, settings: Settings) {
        self.init(Application(), facts, settings, isFixed: true)
        var dial = dial
        dial.action = nil
        for index in dial.parties.indices {
            dial.parties[index].screening = nil
            dial.parties[index].statusCallback = nil
        }
        verbs = [.dial(dial)]
    }

    private init(_ application: Application, _ facts: CallFacts, _ settings: Settings, isFixed: Bool) {
        self.application = application
        self.facts = facts
        self.settings = settings
        self.isFixed = isFixed
        // A call of the API begins with the answer of its first party.
        isAnswered = facts.direction == .outboundAPI
        now = facts.startedAt
        firstAskedAt = now
        if isAnswered { answeredAt = now }
    }

    /// Takes an event.
    ///
    /// - Parameter makeNumber: Gives the number of a new record.
    /// - Returns: What is to be done, in this order.
    public mutating func handle(
        _ event: CallEvent, at now: UnixTime, makeNumber: () -> RecordNumber
    ) -> [CallAction] {
        if isOver { return [] }
        self.now = now
        // One that was stopped can be on its way still.
        if case .timer(let timer) = event, timers.remove(timer) == nil { return [] }
        step(event)
        proceed(makeNumber)
        if case .over = state { isOver = true }
        defer { actions = [] }
        return actions
    }

    private mutating func step(_ event: CallEvent) {
        switch (state, event) {
        case (.over, _), (.running, _): break
        case (_, .textEnded(let id, let status, let reason)): textEnded(id, status, reason)
        case (.settling, .timer(.deadline)): state = .over
        case (.settling, _): break
        case (_, .callerGone): callerLeft()
        case (_, .ordered(let order)): carryOut(order)

        case (.new, .began): begin()
        case (.new, _), (_, .began): break

        case (.fetching, .fetched(let id, let answer)): if id == awaitedID { came(answer) }
        case (.fetching, .timer(.deadline)): waitedTooLong()
        case (.fetching, _): break

        case (.pausing, .timer(.pause)): state = .running
        case (.pausing, _): break

        case (.ringing, .legRings(let leg)): rings(leg)
        case (.ringing, .legAnswered(let leg)): answered(leg)
        case (.ringing, .legFailed(let leg, let status, let reason)): failed(leg, status, reason)
        case (.ringing, .legHungUp(let leg)): failed(leg, 480, .noAnswer)
        case (.ringing, .timer(.ringing)): rangTooLong()
        case (.ringing, .fetched), (.ringing, .timer): break

        case (.screening(.fetching), .fetched(let id, let answer)): if id == awaitedID { screeningCame(answer) }
        case (.screening(.fetching), .timer(.deadline)): screeningTookTooLong()
        case (.screening(.pausing), .timer(.pause)): state = .screening(.running)
        case (.screening, .legFailed(let leg, let status, let reason)): leftScreening(leg, status, reason)
        case (.screening, .legHungUp(let leg)): leftScreening(leg, 603, .calleeDeclined)
        case (.screening, .fetched), (.screening, .timer), (.screening, .legRings), (.screening, .legAnswered): break

        case (.talking, .legHungUp(let leg)), (.talking, .legFailed(let leg, _, _)): talkEnded(by: leg)
        case (.talking, .timer(.talk)): talkedTooLong()
        case (.talking, .fetched), (.talking, .timer), (.talking, .legRings), (.talking, .legAnswered): break
        }
    }

    /// Runs verbs until something is awaited.
    private mutating func proceed(_ makeNumber: () -> RecordNumber) {
        while true {
            switch state {
            case .running: runVerb(makeNumber)
            case .screening(.running): runScreeningVerb(makeNumber)
            default: return
            }
        }
    }
}

extension CallProgram {
    mutating func start(_ timer: CallTimer, milliseconds: UInt64) {
        timers.insert(timer)
        actions.append(.startTimer(timer, milliseconds: milliseconds))
    }

    mutating func stop(_ timer: CallTimer) {
        if timers.remove(timer) != nil { actions.append(.stopTimer(timer)) }
    }

    mutating func note(_ code: Int64, _ level: CallNotification.Level, _ message: String, url: String = "") {
        actions.append(.note(CallNotification(code, level, message, url: WebAddress.withoutCredentials(url))))
    }

    /// What `CallStatus` is now.
    var statusWord: String { isAnswered ? "in-progress" : "ringing" }

    /// Tells the status callback of the number or application, once of each state. That of a call of the API is told of
    /// its leg, by the server.
    mutating func tell(status: String) {
        guard !isFixed, facts.direction != .outboundAPI, status != toldStatus,
            let address = application.statusCallback
        else { return }
        toldStatus = status
        var parameters = CallParameters.voice(facts, status: status)
        if status == "completed" {
            let seconds = answeredAt.map { CallTime.seconds(from: $0, to: now) } ?? 0
            parameters.append(WebhookRequest.Parameter("CallDuration", String(seconds)))
        }
        actions.append(
            .tell(WebhookRequest(id: 0, address: address, parameters: parameters, secret: facts.authToken)))
    }
}
