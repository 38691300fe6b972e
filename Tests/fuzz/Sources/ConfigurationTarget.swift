import Configuration
import Primitives

/// Reads a configuration; a refusal must name places that are in the text.
func fuzzConfiguration(_ input: ByteSlice) {
    do {
        let configuration = try Configuration.read(input.bytes, file: "fuzz.json5")
        _ = configuration.databasePath(environment: [:])
    } catch {
        require(!error.problems.isEmpty, "a refusal without a problem")
        for problem in error.problems {
            require(!problem.message.isEmpty, "a problem without words")
            if let position = problem.position {
                require(position.line >= 1 && position.line <= input.count + 1, "line \(position.line) of the text")
            }
        }
    }
}
