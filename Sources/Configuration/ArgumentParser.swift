/// Reads the command line: `rollcall [--config FILE] COMMAND [options]`, in the manner of GNU programs.
///
/// Options of a command stand anywhere after it, as `--option value` or `--option=value`; `--` ends them. `--help` wins over every mistake
/// that stands after it.
public struct ArgumentParser {
    private var rest: ArraySlice<String>
    private var words: [String] = []
    private var options: [(name: String, value: String)] = []
    private var command: CommandDeclaration?
    private var wantsHelp = false
    private var optionsEnded = false

    /// Reads the arguments without the program's name.
    public static func parse(_ arguments: [String]) throws(UsageError) -> Invocation {
        var parser = ArgumentParser(rest: arguments[...])
        return try parser.run()
    }

    private init(rest: ArraySlice<String>) { self.rest = rest }

    private mutating func run() throws(UsageError) -> Invocation {
        while let argument = rest.popFirst(), !wantsHelp {
            if argument == "--", !optionsEnded {
                optionsEnded = true
            } else if argument.hasPrefix("-"), argument.count > 1, !optionsEnded {
                try readOption(argument)
            } else {
                try readWord(argument)
            }
        }
        return Invocation(configurationFile: options.first { $0.name == "--config" }?.value, command: try result())
    }

    private mutating func readWord(_ word: String) throws(UsageError) {
        words.append(word)
        if let shorter = command {
            // `bans` is a command, and `bans lift` is another.
            if words.count == 1,
                let longer = CommandTable.commands.first(where: { $0.words == shorter.words + words })
            {
                command = longer
                words = []
            }
            return
        }
        command = CommandTable.commands.first { $0.words == words }
        if command != nil {
            words = []
        } else if !CommandTable.commands.contains(where: { $0.words.starts(with: words) }) {
            throw unknownCommand(words)
        }
    }

    private mutating func readOption(_ argument: String) throws(UsageError) {
        var name = argument
        var value: String?
        if let equals = argument.firstIndex(of: "=") {
            name = String(argument[..<equals])
            value = String(argument[argument.index(after: equals)...])
        }
        if name == "--version", command == nil, words.isEmpty {
            command = CommandTable.commands.first { $0.words == ["version"] }
            return
        }
        let known = CommandTable.global + (command?.options ?? [])
        guard let option = known.first(where: { $0.name == name || $0.short == name }) else {
            throw unknownOption(name, known: known.map(\.name))
        }
        if option.name == "--help" {
            wantsHelp = true
            return
        }
        if options.contains(where: { $0.name == option.name }) {
            throw UsageError(message: "\(option.name) is given twice", hint: "Give it once.")
        }
        guard let valueName = option.value else {
            if value != nil {
                throw UsageError(message: "\(option.name) takes no value", hint: "Write \(option.name) alone.")
            }
            options.append((option.name, ""))
            return
        }
        if value == nil, let next = rest.first, !next.hasPrefix("--") { value = rest.popFirst() }
        guard let value else {
            throw UsageError(
                message: "\(option.name) needs a value", hint: "Write \(option.name)=\(valueName).")
        }
        options.append((option.name, value))
    }

    private func result() throws(UsageError) -> Command {
        guard let command else {
            if wantsHelp { return .help(words.isEmpty ? CommandHelp.overview : CommandHelp.group(words)) }
            if words.isEmpty {
                throw UsageError(
                    message: "no command given", hint: "See 'rollcall --help'; 'rollcall serve' runs the server.")
            }
            let choices = CommandTable.commands.filter { $0.words.starts(with: words) }.map { "'\($0.name)'" }
            throw UsageError(
                message: "'\(words.joined(separator: " "))' needs another word",
                hint: "There are \(choices.joined(separator: ", ")).")
        }
        if wantsHelp { return .help(CommandHelp.text(of: command)) }
        if command.words == ["help"] { return .help(try help(about: words)) }
        let required = command.arguments.filter { !$0.isOptional }.count
        if words.count < required {
            throw UsageError(
                message: "'\(command.name)' needs \(command.arguments[words.count].name)",
                hint: "Usage: \(command.usage)")
        }
        if words.count > command.arguments.count {
            throw UsageError(
                message: "'\(words[command.arguments.count])' is one argument too many", hint: "Usage: \(command.usage)"
            )
        }
        return try command.build(.init(arguments: words, options: options))
    }

    private func help(about words: [String]) throws(UsageError) -> String {
        // `help 'client add'` is the same as `help client add`.
        let words = words.flatMap { $0.split(separator: " ").map(String.init) }
        if words.isEmpty { return CommandHelp.overview }
        if let command = CommandTable.commands.first(where: { $0.words == words }) {
            return CommandHelp.text(of: command)
        }
        guard CommandTable.commands.contains(where: { $0.words.starts(with: words) }) else {
            throw unknownCommand(words)
        }
        return CommandHelp.group(words)
    }

    private func unknownCommand(_ words: [String]) -> UsageError {
        let typed = words.joined(separator: " ")
        let names = CommandTable.commands.map(\.name)
        var hint = "See 'rollcall --help'."
        if let nearest = nearestCommand(words, names) { hint = "Did you mean 'rollcall \(nearest)'? " + hint }
        return UsageError(message: "unknown command '\(typed)'", hint: hint)
    }

    private func nearestCommand(_ words: [String], _ names: [String]) -> String? {
        let firstWords = CommandTable.commands.map { $0.words[0] }
        // Within a group the last word is judged alone, or `client ad` would be nearer to nothing than to `client add`.
        if words.count == 2, firstWords.contains(words[0]) {
            let seconds = CommandTable.commands.filter { $0.words[0] == words[0] && $0.words.count == 2 }.map {
                $0.words[1]
            }
            return EditDistance.nearest(to: words[1], of: seconds).map { "\(words[0]) \($0)" }
        }
        return EditDistance.nearest(to: words.joined(separator: " "), of: firstWords + names)
    }

    private func unknownOption(_ name: String, known: [String]) -> UsageError {
        let of = command.map { " \($0.name)" } ?? ""
        var hint = "See 'rollcall\(of) --help'."
        if let nearest = EditDistance.nearest(to: name, of: known) { hint = "Did you mean '\(nearest)'? " + hint }
        return UsageError(message: "unknown option '\(name)'", hint: hint)
    }
}
