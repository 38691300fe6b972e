/// The texts of `--help`, made from the table of commands.
enum CommandHelp {
    /// All commands.
    static var overview: String {
        """
        Rollcall is a SIP registrar and proxy.

        Usage: rollcall [--config FILE] COMMAND [options]

        Commands:
        \(columns(CommandTable.commands.map { ($0.name, $0.summary) }))

        Options:
        \(options(CommandTable.global))

        'rollcall COMMAND --help' tells more. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration,
        4 cannot bind, 5 database cannot be opened or is damaged, 70 internal error.

        """
    }

    /// The commands that begin with these words, such as `client`.
    static func group(_ words: [String]) -> String {
        let name = words.joined(separator: " ")
        return """
            Usage: rollcall [--config FILE] \(name) COMMAND [options]

            Commands:
            \(columns(CommandTable.commands.filter { $0.words.starts(with: words) }.map { ($0.name, $0.summary) }))

            Options:
            \(options(CommandTable.global))

            """
    }

    /// One command.
    static func text(of command: CommandDeclaration) -> String {
        var text = "Usage: \(command.usage)\n\n\(command.summary)\n"
        if !command.arguments.isEmpty {
            text += "\nArguments:\n\(columns(command.arguments.map { ($0.name, $0.help) }))\n"
        }
        return text + "\nOptions:\n\(options(command.options + CommandTable.global))\n"
    }

    private static func options(_ options: [CommandDeclaration.Option]) -> String {
        columns(options.map { ($0.usage, $0.help) })
    }

    private static func columns(_ rows: [(left: String, right: String)]) -> String {
        let width = rows.map(\.left.count).max() ?? 0
        return rows.map { row in
            "  \(row.left)\(String(repeating: " ", count: width - row.left.count))  \(row.right)"
        }.joined(separator: "\n")
    }
}
