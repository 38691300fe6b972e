import Testing

@testable import Configuration

@Suite struct ArgumentParserTests {
    private func parse(_ line: String) throws(UsageError) -> Invocation {
        try ArgumentParser.parse(line.split(separator: " ").map(String.init))
    }

    private func mistake(_ line: String) -> UsageError? {
        do {
            _ = try parse(line)
            return nil
        } catch { return error }
    }

    @Test(
        arguments: [
            ("serve", .serve), ("check", .check), ("version", .version), ("--version", .version),
            ("client list", .clientList(json: false)), ("client list --json", .clientList(json: true)),
            ("client show alice", .clientShow(login: "alice", json: false)),
            ("client show --json alice", .clientShow(login: "alice", json: true)),
            ("client remove alice", .clientRemove(login: "alice")), ("account show", .accountShow(json: false)),
            ("account show --json", .accountShow(json: true)),
            ("registrations", .registrations(login: nil, json: false)),
            ("bans", .bans(json: false)), ("bans --json", .bans(json: true)),
            ("bans lift 203.0.113.7", .bansLift(subject: "203.0.113.7")),
            ("rcml check answer.xml", .rcmlCheck(file: "answer.xml", url: nil)),
            ("rcml check - --url http://a.example/b", .rcmlCheck(file: "-", url: "http://a.example/b")),
            ("bans lift lift", .bansLift(subject: "lift")),
            ("registrations alice --json", .registrations(login: "alice", json: true)),
            ("client remove -- --json", .clientRemove(login: "--json")),
            ("client remove -", .clientRemove(login: "-")),
        ] as [(String, Command)])
    func `A command line gives its command`(line: String, command: Command) throws {
        #expect(try parse(line) == Invocation(configurationFile: nil, command: command))
    }

    @Test(arguments: [
        "--config a.json5 serve", "serve --config a.json5", "--config=a.json5 serve", "serve --config=a.json5",
    ])
    func `The configuration file may be named before and after the command`(line: String) throws {
        #expect(try parse(line) == Invocation(configurationFile: "a.json5", command: .serve))
    }

    @Test func `client add takes the password from where it is told, and asks when it is not`() throws {
        func password(_ line: String) throws -> Command.PasswordSource? {
            guard case .clientAdd("alice", let password, _) = try parse("client add alice " + line).command else {
                return nil
            }
            return password
        }
        #expect(try password("") == .ask)
        #expect(try password("--ask-password") == .ask)
        #expect(try password("--password a=b") == .given("a=b"))
        #expect(try password("--password=--x") == .given("--x"))
        #expect(try password("--generate-password") == .generate)
        #expect(mistake("client add alice --password x --generate-password")?.message.contains("exclude") == true)
        #expect(mistake("client add alice --password=")?.message == "the password is empty")
    }

    @Test func `client set changes only what is named`() throws {
        var values = Command.ClientValues()
        values.isEnabled = false
        #expect(
            try parse("client set alice --disable").command
                == .clientSet(login: "alice", password: nil, values: values))
        var other = Command.ClientValues()
        other.friendlyName = "Alice"
        other.isEnabled = true
        #expect(
            try parse("client set alice --name Alice --enable").command
                == .clientSet(login: "alice", password: nil, values: other))
    }

    @Test func `route and app test take what is asked`() throws {
        var route = RouteQuery(from: "alice", to: "bob")
        #expect(try parse("route --from alice --to bob").command == .route(route))
        route.isText = true
        route.json = true
        #expect(try parse("route --to bob --from alice --method message --json").command == .route(route))
        var application = ApplicationQuery(subject: "http://a/")
        #expect(try parse("app test http://a/").command == .applicationTest(application))
        application.from = "alice"
        application.to = "+1"
        application.text = "Hello"
        application.method = "GET"
        #expect(
            try parse("app test http://a/ --from alice --to +1 --text Hello --method get").command
                == .applicationTest(application))
        var values = Command.ClientValues()
        values.voiceURL = ""
        values.applicationSID = "AP1"
        #expect(
            try parse("client set alice --voice-url= --voice-application AP1").command
                == .clientSet(login: "alice", password: nil, values: values))
    }

    @Test(
        arguments: [
            ("", "no command given", "rollcall serve"),
            ("serv", "unknown command 'serv'", "'rollcall serve'"),
            ("client ad bob", "unknown command 'client ad'", "'rollcall client add'"),
            ("registration", "unknown command 'registration'", "'rollcall registrations'"),
            ("zzzzzzzzz", "unknown command 'zzzzzzzzz'", "See 'rollcall --help'."),
            ("client", "'client' needs another word", "'client add', 'client list'"),
            ("client add", "'client add' needs LOGIN", "Usage: rollcall [--config FILE] client add LOGIN [options]"),
            ("serve now", "'now' is one argument too many", "Usage: rollcall [--config FILE] serve"),
            ("client list --jsn", "unknown option '--jsn'", "'--json'"),
            ("--confg x serve", "unknown option '--confg'", "'--config'"),
            ("serve -x", "unknown option '-x'", "See 'rollcall serve --help'."),
            ("serve --config", "--config needs a value", "--config=FILE"),
            ("--config --help serve", "--config needs a value", "--config=FILE"),
            ("client list --json=1", "--json takes no value", "--json alone"),
            ("client list --json --json", "--json is given twice", "once"),
            ("client set alice", "'client set' needs at least one option", "client set --help"),
            ("client set alice --enable --disable", "--enable and --disable exclude each other", "one of them"),
            ("route --from alice", "'route' needs --from LOGIN and --to TARGET", "--to bob"),
            ("route --from a --to b --method BYE", "--method is 'BYE'", "INVITE, MESSAGE"),
            ("app test", "'app test' needs SID|URL", "Usage: rollcall"),
            ("app test http://a/ --method PUT", "--method is 'PUT'", "GET, POST"),
            ("help serv", "unknown command 'serv'", "'rollcall serve'"),
        ])
    func `A mistake is told with what to try`(line: String, message: String, hint: String) throws {
        let error = try #require(mistake(line))
        #expect(error.message.contains(message))
        #expect(error.hint.contains(hint))
        #expect(error.description.hasPrefix("rollcall: "))
    }

    @Test(arguments: ["--help", "-h", "help", "--config x --help", "--help nonsense"])
    func `Help without a command is the overview`(line: String) throws {
        guard case .help(let text) = try parse(line).command else {
            Issue.record("no help")
            return
        }
        for command in CommandTable.commands {
            #expect(text.contains("  \(command.name) "))
            #expect(text.contains(command.summary))
        }
    }

    @Test func `Help of a group lists its commands only`() throws {
        for line in ["client --help", "client -h", "help client"] {
            guard case .help(let text) = try parse(line).command else {
                Issue.record("no help for \(line)")
                continue
            }
            #expect(text.contains("client add"))
            #expect(!text.contains("registrations  "))
        }
    }

    @Test func `Help of a command tells its arguments and options, and wins over what is missing`() throws {
        for command in CommandTable.commands {
            guard case .help(let text) = try parse(command.name + " --help").command else {
                Issue.record("no help for \(command.name)")
                continue
            }
            #expect(text.hasPrefix("Usage: rollcall [--config FILE] \(command.name)"))
            for option in command.options + CommandTable.global {
                #expect(text.contains(option.usage))
                #expect(text.contains(option.help))
            }
            for argument in command.arguments { #expect(text.contains(argument.help)) }
            #expect(try parse("help " + command.name).command == .help(text))
        }
    }

    @Test func `No line of the help is wider than a terminal that people use`() throws {
        for line in ["help", "help client add"] {
            guard case .help(let text) = try parse(line).command else { continue }
            #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
        }
    }

    @Test(arguments: ["Docs/Reasons.md", "Docs/Configuration.md", "Config/rollcall.json5"])
    func `Every command line that the documentation shows can be parsed`(path: String) throws {
        let lines = try Documentation.text(path).matches(of: /['`]rollcall ([^'`]+)['`]/).map { String($0.1) }
        #expect(!lines.isEmpty)
        for line in lines { #expect(mistake(line) == nil, "rollcall \(line)") }
    }

    @Test func `The exit codes are those that service managers are told`() {
        #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 70])
    }
}
