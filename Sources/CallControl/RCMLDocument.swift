/// A parsed RCML document: its verbs in their order, and what is wrong with it.
public struct RCMLDocument: Equatable, Sendable {
    /// The URL that it came from, against which relative URLs were resolved.
    public var url: String
    /// The verbs that can be run, or that are known and named; nested `<Response>` elements are flattened.
    public var verbs: [Verb]
    /// Unknown verbs and attributes, bad values (which have become the default), each with line and column.
    public var remarks: [CallNotification]

    /// A document.
    public init(url: String, verbs: [Verb], remarks: [CallNotification] = []) {
        self.url = url
        self.verbs = verbs
        self.remarks = remarks
    }
}

/// One verb of a document.
public enum Verb: Equatable, Sendable {
    case dial(Dial)
    /// Goes on with the document at an address.
    case redirect(WebAddress)
    /// Refuses a call that is not answered: busy 486, otherwise 603.
    case reject(isBusy: Bool)
    case hangUp
    case pause(seconds: UInt32)
    case sms(Sms)
    /// A verb that this version cannot run (`Say`, `Play`, `Gather`, `Record`, ...); it is skipped with the notification.
    case unsupported(CallNotification)
}

/// `<Dial>`: whom to call, and what then.
public struct Dial: Equatable, Sendable {
    /// Who is called, all at once.
    public var parties: [Party]
    /// Fetched when the dialled call is over; nil goes on with the next verb.
    public var action: WebAddress?
    /// Seconds of ringing.
    public var timeout: UInt32 = 30
    /// Seconds of talk.
    public var timeLimit: UInt32 = 14_400
    /// The caller shown to the callee; nil for the caller's own.
    public var callerID: String?

    /// One noun.
    public struct Party: Equatable, Sendable {
        /// What kind it is.
        public enum Kind: Equatable, Sendable {
            /// A client of the domain, by login.
            case client
            /// A number outside, by a gateway.
            case number
            /// A SIP URI.
            case sip
        }

        /// What kind it is.
        public var kind: Kind
        /// The login, the number, or the URI, without the `?X-...` part.
        public var name: String
        /// Headers that go to the callee, each name beginning with `X-`.
        public var headers: [WebhookRequest.Parameter] = []
        /// Run on the callee before the parties are connected.
        public var screening: WebAddress?
        /// Who is told of the leg.
        public var statusCallback: WebAddress?
        /// What is told: of `initiated`, `ringing`, `answered`, `completed`.
        public var statusEvents: Set<LegState> = Set(LegState.allCases)
        /// Credentials towards a SIP URI; empty for none.
        public var username = ""
        /// The password that goes with it.
        public var password = ""

        /// With these parts.
        public init(_ kind: Kind, _ name: String) {
            self.kind = kind
            self.name = name
        }
    }

    /// With these parts.
    public init(_ parties: [Party]) { self.parties = parties }
}

/// The states of a dialled leg that a status callback is told.
public enum LegState: String, CaseIterable, Sendable {
    case initiated
    case ringing
    case answered
    case completed
}

/// `<Sms>`: a text.
public struct Sms: Equatable, Sendable {
    /// The text.
    public var body: String
    /// The client (a `client:` in front is taken away) or number; nil for the caller or sender.
    public var to: String?
    /// Whom it is from; nil for what was called or texted.
    public var from: String?
    /// Fetched as soon as the text is under way; its document goes on.
    public var action: WebAddress?
    /// Told when the text was delivered or has failed.
    public var statusCallback: WebAddress?

    /// With these parts.
    public init(_ body: String) { self.body = body }
}
