/// The commands of the executable.
enum CommandTable {
    private typealias Argument = CommandDeclaration.Argument
    private typealias Option = CommandDeclaration.Option

    /// Options that every command takes.
    static let global: [CommandDeclaration.Option] = [
        Option(
            name: "--config", value: "FILE", help: "Read this configuration file (JSON5); without it all defaults hold."
        ),
        Option(name: "--help", short: "-h", help: "Print what a command does and takes."),
    ]

    private static let json = Option(name: "--json", help: "Print JSON instead of text.")

    private static let passwordOptions = [
        Option(name: "--password", value: "PASSWORD", help: "The password; other users of the machine can see it."),
        Option(name: "--ask-password", help: "Read the password from standard input; add does so by itself."),
        Option(name: "--generate-password", help: "Make up a password and print it."),
    ]

    private static let clientOptions =
        passwordOptions + [
            Option(name: "--name", value: "TEXT", help: "The name shown to people (FriendlyName)."),
            Option(name: "--enable", help: "Let the client register and call."),
            Option(name: "--disable", help: "Refuse the client; its registrations end at once."),
            Option(
                name: "--voice-url", value: "URL", help: "The application that decides on its calls; '' for none."),
            Option(
                name: "--voice-application", value: "SID",
                help: "The same by the sid of a stored application; '' for none."),
        ]

    private static let login = Argument(name: "LOGIN", help: "The user name that the softphone registers with.")

    /// All commands, in the order of the help.
    static let commands: [CommandDeclaration] = [
        CommandDeclaration(words: ["serve"], summary: "Run the server in the foreground.") { _ throws(UsageError) in
            .serve
        },
        CommandDeclaration(words: ["check"], summary: "Test the configuration file without starting.") {
            _ throws(UsageError) in .check
        },
        CommandDeclaration(
            words: ["client", "add"], summary: "Create a client, which a softphone can then register as.",
            arguments: [login], options: clientOptions
        ) { values throws(UsageError) in
            .clientAdd(
                login: values.arguments[0], password: try password(values) ?? .ask, values: try clientValues(values))
        },
        CommandDeclaration(words: ["client", "list"], summary: "List the clients.", options: [json]) {
            values throws(UsageError) in .clientList(json: values.isGiven("--json"))
        },
        CommandDeclaration(words: ["client", "show"], summary: "Show a client.", arguments: [login], options: [json]) {
            values throws(UsageError) in
            .clientShow(login: values.arguments[0], json: values.isGiven("--json"))
        },
        CommandDeclaration(
            words: ["client", "set"], summary: "Change values of a client; what is not named stays.",
            arguments: [login], options: clientOptions
        ) { values throws(UsageError) in
            let password = try password(values)
            let changes = try clientValues(values)
            if password == nil, changes == Command.ClientValues() {
                throw UsageError(
                    message: "'client set' needs at least one option that says what to change",
                    hint: "See 'rollcall client set --help'.")
            }
            return .clientSet(login: values.arguments[0], password: password, values: changes)
        },
        CommandDeclaration(
            words: ["client", "remove"], summary: "Remove a client and its registrations.", arguments: [login]
        ) { values throws(UsageError) in .clientRemove(login: values.arguments[0]) },
        CommandDeclaration(
            words: ["client", "import"], summary: "Create the clients of a file, all or none.",
            arguments: [
                Argument(name: "FILE", help: "A text file with 'login,password' on each line; - for standard input.")
            ]
        ) { values throws(UsageError) in .clientImport(file: values.arguments[0]) },
        CommandDeclaration(words: ["account", "show"], summary: "Show the account and its token.", options: [json]) {
            values throws(UsageError) in .accountShow(json: values.isGiven("--json"))
        },
        CommandDeclaration(
            words: ["registrations"], summary: "List who is registered, and from where.",
            arguments: [Argument(name: "LOGIN", help: "Only the registrations of this client.", isOptional: true)],
            options: [json]
        ) { values throws(UsageError) in
            .registrations(login: values.arguments.first, json: values.isGiven("--json"))
        },
        CommandDeclaration(
            words: ["bans"], summary: "List who is banned, and which logins have to wait.", options: [json]
        ) { values throws(UsageError) in .bans(json: values.isGiven("--json")) },
        CommandDeclaration(
            words: ["bans", "lift"], summary: "End bans and delays at once.",
            arguments: [Argument(name: "SOURCE|LOGIN", help: "An address or a login as 'rollcall bans' shows it.")]
        ) { values throws(UsageError) in .bansLift(subject: values.arguments[0]) },
        CommandDeclaration(
            words: ["route"], summary: "Show what would become of a call or a text, step by step, without making one.",
            options: [
                Option(name: "--from", value: "LOGIN", help: "The client that calls or texts."),
                Option(name: "--to", value: "TARGET", help: "What it dials: a login, a number or a SIP URI."),
                Option(name: "--method", value: "METHOD", help: "INVITE for a call (without it), MESSAGE for a text."),
                json,
            ]
        ) { values throws(UsageError) in .route(try route(values)) },
        CommandDeclaration(
            words: ["app", "test"],
            summary: "Fetch an application's document as a call would, and show what it says; 1 when it fails.",
            arguments: [
                Argument(
                    name: "SID|URL", help: "An application (AP...), a client (CL... or its login), a number, or a URL.")
            ],
            options: [
                Option(name: "--from", value: "LOGIN", help: "Who calls; without it the client, or 'test'."),
                Option(name: "--to", value: "TARGET", help: "What is dialled; without it the number, or 'test'."),
                Option(name: "--text", value: "TEXT", help: "Ask as for this text, not for a call."),
                Option(name: "--method", value: "METHOD", help: "How a URL is fetched: POST (without it) or GET."),
            ]
        ) { values throws(UsageError) in .applicationTest(try application(values)) },
        CommandDeclaration(
            words: ["rcml", "check"],
            summary: "Test a document of an application: what is understood, and what is wrong.",
            arguments: [Argument(name: "FILE", help: "The RCML document; - for standard input.")],
            options: [
                Option(name: "--url", value: "URL", help: "Where it is fetched from: relative URLs are resolved by it.")
            ]
        ) { values throws(UsageError) in .rcmlCheck(file: values.arguments[0], url: values.value("--url")) },
        CommandDeclaration(words: ["version"], summary: "Print the version.") { _ throws(UsageError) in .version },
        CommandDeclaration(
            words: ["help"], summary: "Print this text, or that of a command.",
            arguments: [Argument(name: "COMMAND", help: "The command, such as 'client add'.", isOptional: true)]
        ) { _ throws(UsageError) in .help(CommandHelp.overview) },
    ]

    private static func password(_ values: CommandDeclaration.Values) throws(UsageError) -> Command.PasswordSource? {
        let given = passwordOptions.map(\.name).filter(values.isGiven)
        if given.count > 1 {
            throw UsageError(
                message: "\(given[0]) and \(given[1]) exclude each other",
                hint: "Say once where the password comes from.")
        }
        if values.isGiven("--ask-password") { return .ask }
        if values.isGiven("--generate-password") { return .generate }
        guard let password = values.value("--password") else { return nil }
        if password.isEmpty {
            throw UsageError(message: "the password is empty", hint: "Use --generate-password to have one made up.")
        }
        return .given(password)
    }

    private static func route(_ values: CommandDeclaration.Values) throws(UsageError) -> RouteQuery {
        guard let from = values.value("--from"), let to = values.value("--to"), !from.isEmpty, !to.isEmpty else {
            throw UsageError(
                message: "'route' needs --from LOGIN and --to TARGET",
                hint: "Try 'rollcall route --from alice --to bob'.")
        }
        var query = RouteQuery(from: from, to: to)
        query.isText = try word("--method", ["INVITE", "MESSAGE"], values) == "MESSAGE"
        query.json = values.isGiven("--json")
        return query
    }

    private static func application(_ values: CommandDeclaration.Values) throws(UsageError) -> ApplicationQuery {
        var query = ApplicationQuery(subject: values.arguments[0])
        query.from = values.value("--from")
        query.to = values.value("--to")
        query.text = values.value("--text")
        query.method = try word("--method", ["GET", "POST"], values)
        return query
    }

    /// The value of an option that is one of some words, in capitals.
    private static func word(
        _ option: String, _ words: [String], _ values: CommandDeclaration.Values
    ) throws(UsageError) -> String? {
        guard let value = values.value(option)?.uppercased() else { return nil }
        if words.contains(value) { return value }
        throw UsageError(
            message: "\(option) is '\(values.value(option) ?? "")'",
            hint: "It is one of \(words.joined(separator: ", ")).")
    }

    private static func clientValues(_ values: CommandDeclaration.Values) throws(UsageError) -> Command.ClientValues {
        if values.isGiven("--enable"), values.isGiven("--disable") {
            throw UsageError(message: "--enable and --disable exclude each other", hint: "Give one of them.")
        }
        var client = Command.ClientValues()
        client.friendlyName = values.value("--name")
        client.voiceURL = values.value("--voice-url")
        client.applicationSID = values.value("--voice-application")
        if values.isGiven("--enable") { client.isEnabled = true }
        if values.isGiven("--disable") { client.isEnabled = false }
        return client
    }
}
