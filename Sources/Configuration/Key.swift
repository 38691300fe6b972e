/// One key of the configuration: how it is called, what it means, what it may hold, and where its value goes.
///
/// The tables of keys are the only place that knows all this; the reader, the documentation test and the sample file's
/// test all work from them.
struct Key<Root>: Sendable {
    /// The path within the root, such as `registrar.minExpires`.
    let path: String
    /// What it means, in one sentence for the operator.
    let meaning: String
    /// What it may hold, to follow "expected".
    let expected: String
    /// When a change in the file takes effect; every key says it, a test holds the tables to that.
    var effect: KeyEffect?
    /// Stores a value; false when the node is not what is expected.
    let store: @Sendable (JSONNode, inout Root) -> Bool
    /// The value as JSON5 text.
    let text: @Sendable (Root) -> String

    typealias Place<Value> = WritableKeyPath<Root, Value> & Sendable

    /// A text that satisfies `condition`.
    static func text(
        _ path: String, _ place: any Place<String>, _ expected: String, _ meaning: String,
        where condition: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Key {
        Key(path: path, meaning: meaning, expected: expected) { node, root in
            guard case .text(let text) = node.value, condition(text) else { return false }
            root[keyPath: place] = text
            return true
        } text: {
            quoted($0[keyPath: place])
        }
    }

    /// A list of texts that each satisfy `condition`.
    static func texts(
        _ path: String, _ place: any Place<[String]>, _ expected: String, _ meaning: String,
        where condition: @escaping @Sendable (String) -> Bool
    ) -> Key {
        Key(path: path, meaning: meaning, expected: expected) { node, root in
            guard case .array(let nodes) = node.value else { return false }
            var texts: [String] = []
            for node in nodes {
                guard case .text(let text) = node.value, condition(text) else { return false }
                texts.append(text)
            }
            root[keyPath: place] = texts
            return true
        } text: {
            "[" + $0[keyPath: place].map(quoted).joined(separator: ", ") + "]"
        }
    }

    /// True or false.
    static func flag(_ path: String, _ place: any Place<Bool>, _ meaning: String) -> Key {
        Key(path: path, meaning: meaning, expected: "true or false") { node, root in
            guard case .boolean(let flag) = node.value else { return false }
            root[keyPath: place] = flag
            return true
        } text: {
            "\($0[keyPath: place])"
        }
    }

    /// A whole number within a range.
    static func number<Number: FixedWidthInteger & Sendable>(
        _ path: String, _ place: any Place<Number>, _ range: ClosedRange<Number>, _ meaning: String
    ) -> Key {
        let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
        return Key(path: path, meaning: meaning, expected: expected) { node, root in
            guard case .number(let number) = node.value, let number = Number(exactly: number), range.contains(number)
            else { return false }
            root[keyPath: place] = number
            return true
        } text: {
            "\($0[keyPath: place])"
        }
    }

    /// A duration as text within a range.
    static func duration(
        _ path: String, _ place: any Place<Duration>, _ range: ClosedRange<Duration>, _ meaning: String
    ) -> Key {
        let bounds = "\(Quantity.text(of: range.lowerBound)) to \(Quantity.text(of: range.upperBound))"
        return Key(path: path, meaning: meaning, expected: "a duration from " + bounds) { node, root in
            guard case .text(let text) = node.value, let duration = Quantity.duration(text), range.contains(duration)
            else { return false }
            root[keyPath: place] = duration
            return true
        } text: {
            quoted(Quantity.text(of: $0[keyPath: place]))
        }
    }

    /// A size in bytes as text or number within a range; one that is greater than `ceiling` becomes it.
    static func size(
        _ path: String, _ place: any Place<Int>, _ range: ClosedRange<Int>, ceiling: Int, _ meaning: String
    ) -> Key {
        let bounds = "\(Quantity.text(ofSize: range.lowerBound)) to \(Quantity.text(ofSize: range.upperBound))"
        return Key(path: path, meaning: meaning, expected: "a size from " + bounds) { node, root in
            let bytes: Int? =
                switch node.value {
                case .text(let text): Quantity.size(text)
                case .number(let number): Int(exactly: number)
                default: nil
                }
            guard let bytes, range.contains(bytes) else { return false }
            root[keyPath: place] = min(bytes, ceiling)
            return true
        } text: { root in
            let bytes = root[keyPath: place]
            return quoted(Quantity.text(ofSize: bytes == ceiling ? range.upperBound : bytes))
        }
    }

    /// One of the words of an enumeration.
    static func choice<Choice>(_ path: String, _ place: any Place<Choice>, _ meaning: String) -> Key
    where Choice: RawRepresentable & CaseIterable & Sendable, Choice.RawValue == String {
        Key(path: path, meaning: meaning, expected: words(Choice.self)) { node, root in
            guard case .text(let text) = node.value, let choice = Choice(rawValue: text) else { return false }
            root[keyPath: place] = choice
            return true
        } text: {
            quoted($0[keyPath: place].rawValue)
        }
    }

    /// A list of words of an enumeration, none of them twice.
    static func choices<Choice>(
        _ path: String, _ place: any Place<[Choice]>, orNone: Bool, _ meaning: String
    ) -> Key
    where Choice: RawRepresentable & CaseIterable & Equatable & Sendable, Choice.RawValue == String {
        let expected = "a list of " + words(Choice.self) + (orNone ? ", or []" : "")
        return Key(path: path, meaning: meaning, expected: expected) { node, root in
            guard case .array(let nodes) = node.value, orNone || !nodes.isEmpty else { return false }
            var choices: [Choice] = []
            for node in nodes {
                guard case .text(let text) = node.value, let choice = Choice(rawValue: text), !choices.contains(choice)
                else { return false }
                choices.append(choice)
            }
            root[keyPath: place] = choices
            return true
        } text: {
            "[" + $0[keyPath: place].map { quoted($0.rawValue) }.joined(separator: ", ") + "]"
        }
    }

    private static func words<Choice>(_ type: Choice.Type) -> String
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        let words = Choice.allCases.map { quoted($0.rawValue) }
        return words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }
}
