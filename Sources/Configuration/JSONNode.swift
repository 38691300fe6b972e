/// A value of a JSON5 text, with the place where it stands.
struct JSONNode {
    /// The value itself.
    let value: JSONValue
    /// Where it begins, in bytes from the start of the text.
    let offset: Int
}

/// What a JSON5 text can hold.
indirect enum JSONValue {
    case object([JSONMember])
    case array([JSONNode])
    case text(String)
    case number(Double)
    case boolean(Bool)
    case null

    /// The value in words, for "expected a number, found a text".
    var kind: String {
        switch self {
        case .object: "an object {...}"
        case .array: "a list [...]"
        case .text(let text): "the text \"\(text.count > 40 ? text.prefix(40) + "..." : text)\""
        case .number(let number):
            "the number \(number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)")"
        case .boolean(let flag): "\(flag)"
        case .null: "null"
        }
    }
}

/// A key and its value in an object, in the order of the text.
struct JSONMember {
    let key: String
    /// Where the key begins.
    let offset: Int
    let node: JSONNode
}
