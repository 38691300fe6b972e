/// What the command line asks for.
public enum Command: Equatable, Sendable {
    /// Run the server.
    case serve
    /// Test the configuration without starting.
    case check
    /// Create a client.
    case clientAdd(login: String, password: PasswordSource, values: ClientValues)
    /// List the clients.
    case clientList(json: Bool)
    /// Show one client.
    case clientShow(login: String, json: Bool)
    /// Change a client; nil leaves the password as it is.
    case clientSet(login: String, password: PasswordSource?, values: ClientValues)
    /// Remove a client and its registrations.
    case clientRemove(login: String)
    /// Create the clients of a file.
    case clientImport(file: String)
    /// Show the account and its token.
    case accountShow(json: Bool)
    /// List the registrations, of all clients or of one.
    case registrations(login: String?, json: Bool)
    /// List who is banned or has to wait.
    case bans(json: Bool)
    /// Lift the bans and delays of an address or a login.
    case bansLift(subject: String)
    /// Show what would become of a call or a text, without making one.
    case route(RouteQuery)
    /// Fetch an application's document as a call or a text would, and show what comes of it.
    case applicationTest(ApplicationQuery)
    /// Test a document of an application; `url` is where it is fetched from.
    case rcmlCheck(file: String, url: String?)
    /// Print the version.
    case version
    /// Print this text and end with exit code 0.
    case help(String)

    /// Where a new password comes from.
    public enum PasswordSource: Equatable, Sendable {
        /// From the command line.
        case given(String)
        /// From standard input: asked for on a terminal, else the first line.
        case ask
        /// Made up and printed.
        case generate
    }

    /// The values of a client that options set; nil leaves a value as it is, an empty text clears it.
    public struct ClientValues: Equatable, Sendable {
        /// The name shown to people.
        public var friendlyName: String?
        /// False for a client that may neither register nor call.
        public var isEnabled: Bool?
        /// The URL of the application that decides on the client's calls.
        public var voiceURL: String?
        /// The sid of such an application, which goes before the URL.
        public var applicationSID: String?

        /// No value.
        public init() {}
    }
}

/// A call or text of which is asked what would become of it.
public struct RouteQuery: Equatable, Sendable {
    /// The login of the client that calls.
    public var from: String
    /// What it dials: a name, a number, or a SIP URI.
    public var to: String
    /// True for a MESSAGE, false for an INVITE.
    public var isText = false
    /// True for JSON.
    public var json = false

    /// A call.
    public init(from: String, to: String) {
        self.from = from
        self.to = to
    }
}

/// An application of which is asked what it answers.
public struct ApplicationQuery: Equatable, Sendable {
    /// The sid of an application, a client or a number, or a URL.
    public var subject: String
    /// Who calls or texts.
    public var from: String?
    /// What is called or texted.
    public var to: String?
    /// The text, nil for a call.
    public var text: String?
    /// How a URL is asked; nil for POST.
    public var method: String?

    /// The question about the answer to a call.
    public init(subject: String) { self.subject = subject }
}

/// A command with the options that go with every command.
public struct Invocation: Equatable, Sendable {
    /// The configuration file; nil for the defaults.
    public let configurationFile: String?
    /// What to do.
    public let command: Command
}

/// The exit codes of the executable.
public enum ExitCode: Int32, CaseIterable, Sendable {
    /// Done, or ended by a signal as asked.
    case success = 0
    /// The command could not be carried out.
    case failure = 1
    /// The command line is wrong.
    case usage = 2
    /// The configuration is wrong.
    case configuration = 3
    /// An address cannot be bound.
    case cannotBind = 4
    /// The database cannot be opened or is damaged.
    case store = 5
    /// A state that the program does not expect.
    case internalError = 70
}

/// A command line that means nothing: what is wrong, and what to try. The exit code is `ExitCode.usage`.
public struct UsageError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let message: String
    /// What to type instead.
    public let hint: String

    /// Two lines for the terminal.
    public var description: String { "rollcall: \(message)\n\(hint)" }
}
