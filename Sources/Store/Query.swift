import Primitives

/// A statement that is put together from constant pieces. Values are bound to its `?` in order, and never become text of
/// the statement.
struct Query {
    /// A value of a parameter.
    enum Value {
        /// A number.
        case integer(Int64)
        /// A text.
        case text(String)
        /// Bytes.
        case bytes([UInt8])
    }

    /// The text so far, in UTF-8.
    var sql: [UInt8] = []
    private var values: [Value] = []

    /// A query that begins with this piece and the values of its parameters.
    init(_ piece: StaticString, _ values: Value...) {
        append(piece)
        self.values = values
    }

    /// Adds a piece with the values of its parameters.
    mutating func add(_ piece: StaticString, _ values: Value...) {
        append(piece)
        self.values += values
    }

    /// Adds a piece with one parameter when there is a value for it.
    mutating func add(_ piece: StaticString, ifSet value: String?) {
        if let value { add(piece, .text(value)) }
    }

    /// As above, for a number.
    mutating func add(_ piece: StaticString, ifSet value: Int64?) {
        if let value { add(piece, .integer(value)) }
    }

    /// Adds `piece`, of the form `AND substr(column, ?) = ?`, when there is a suffix to look for. Not LIKE: to that, `%`
    /// and `_` of a user would be wildcards.
    mutating func add(_ piece: StaticString, endingWith suffix: String?) {
        guard let suffix, !suffix.isEmpty else { return }
        // SQLite counts code points.
        add(piece, .integer(-Int64(suffix.unicodeScalars.count)), .text(suffix))
    }

    /// Adds the order, by a clause of one column and then by number.
    mutating func order(_ clause: StaticString, isDescending: Bool) {
        add(clause)
        add(isDescending ? " DESC, id DESC" : ", id")
    }

    /// Adds the end of a page's query.
    mutating func page(offset: Int64, limit: Int64) {
        add(" LIMIT ? OFFSET ?", .integer(max(0, limit)), .integer(max(0, offset)))
    }

    /// Binds all values.
    func bind(to statement: inout PreparedStatement) {
        for (index, value) in values.enumerated() {
            let parameter = Int32(index + 1)
            switch value {
            case .integer(let number): statement.bind(parameter, number)
            case .text(let text): statement.bind(parameter, text)
            case .bytes(let bytes): statement.bind(parameter, bytes)
            }
        }
    }

    private mutating func append(_ piece: StaticString) {
        piece.withUTF8Buffer { sql.append(contentsOf: $0) }
    }
}
