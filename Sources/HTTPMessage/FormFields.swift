/// The fields of a query or of a form (`application/x-www-form-urlencoded`), in the order in which they were sent.
public struct FormFields: Equatable, Sendable {
    /// A name with its value, both decoded.
    public struct Field: Equatable, Sendable {
        /// The name; case matters.
        public var name: String
        /// The value, may be empty.
        public var value: String

        /// A field.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The fields.
    public var fields: [Field] = []

    /// No field.
    public init() {}

    /// The value of the first field with this name; nil when there is none.
    public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
}
