/// A resource as the API shows it: members in order, to be written as JSON or XML. Foundation's encoder keeps no order.
struct Representation {
    /// What a member holds.
    enum Value {
        case text(String)
        case number(Int64)
        case flag(Bool)
        /// A member that is there without a value.
        case null
        case object([Member])
        /// Resources below this one.
        case list([Representation])
        /// Texts; the API has no such member, its description has.
        case texts([String])
    }

    /// A named value.
    struct Member {
        /// The name in JSON.
        let name: String
        let value: Value

        /// The name in XML: that in JSON with its words capitalised, `DateCreated` for `date_created`.
        var element: String {
            name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        }
    }

    /// The name of the element in XML.
    let element: String
    private(set) var members: [Member] = []

    init(_ element: String) { self.element = element }

    /// Adds a member.
    mutating func add(_ name: String, _ value: Value) { members.append(Member(name: name, value: value)) }

    /// Adds a text; nothing when it is nil, as the API leaves out what is not set.
    mutating func add(_ name: String, _ text: String?) {
        if let text { add(name, .text(text)) }
    }

    /// Adds a number; nothing when it is nil.
    mutating func add(_ name: String, number: Int64?) {
        if let number { add(name, .number(number)) }
    }
}
