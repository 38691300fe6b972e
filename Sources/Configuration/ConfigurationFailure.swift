/// Why a configuration cannot be used: every problem found, so that one run shows all of them.
public struct ConfigurationFailure: Error, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Problem: Equatable, Sendable {
        /// Where it stands in the file; nil when the file cannot be read at all.
        public let position: TextPosition?
        /// The key's path, such as `registrar.minExpires` or `listeners[1].port`; empty for the file as a whole.
        public let keyPath: String
        /// What is wrong and what was expected.
        public let message: String
    }

    /// The file, as it was named.
    public let file: String
    /// At least one problem, in the order of the file.
    public let problems: [Problem]

    /// One line a problem: `file:line:column: key: message`.
    public var description: String {
        problems.map { problem in
            var line = file
            if let position = problem.position { line += ":\(position.line):\(position.column)" }
            if !problem.keyPath.isEmpty { line += ": " + problem.keyPath }
            return line + ": " + problem.message
        }.joined(separator: "\n")
    }
}
