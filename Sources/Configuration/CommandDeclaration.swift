/// A command of the executable as it is declared: the parser and `--help` both work from this.
struct CommandDeclaration: Sendable {
    /// An argument by position.
    struct Argument: Sendable {
        let name: String
        let help: String
        var isOptional = false
    }

    /// An option by name.
    struct Option: Sendable {
        /// With its dashes.
        let name: String
        var short: String?
        /// The name of its value in the help; nil for a switch.
        var value: String?
        let help: String

        /// As the first column of the help shows it.
        var usage: String { (short.map { $0 + ", " } ?? "") + name + (value.map { " " + $0 } ?? "") }
    }

    /// The words that name it, such as `client add`.
    let words: [String]
    /// What it does, in one line.
    let summary: String
    var arguments: [Argument] = []
    var options: [Option] = []
    /// Makes the command of what was given.
    let build: @Sendable (Values) throws(UsageError) -> Command

    /// What a command line gives to a command.
    struct Values: Sendable {
        let arguments: [String]
        let options: [(name: String, value: String)]

        /// The value of an option; nil when it was not given.
        func value(_ name: String) -> String? { options.first { $0.name == name }?.value }
        /// True when a switch was given.
        func isGiven(_ name: String) -> Bool { options.contains { $0.name == name } }
    }

    /// The words as typed.
    var name: String { words.joined(separator: " ") }

    /// The first line of the help.
    var usage: String {
        let arguments = arguments.map { $0.isOptional ? " [\($0.name)]" : " \($0.name)" }.joined()
        return "rollcall [--config FILE] \(name)\(arguments)\(options.isEmpty ? "" : " [options]")"
    }
}
