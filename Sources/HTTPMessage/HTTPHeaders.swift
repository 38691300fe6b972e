import Primitives

/// Header fields in the order in which they were sent (RFC 9110 section 5).
public struct HTTPHeaders: Sendable {
    /// The fields, names as sent, values without the white space around them.
    public private(set) var fields: [(name: String, value: String)] = []

    /// No field.
    public init() {}

    /// Adds a field.
    public mutating func append(_ name: String, _ value: String) { fields.append((name, value)) }

    /// The value of the first field with this name, compared without case; nil when there is none.
    public subscript(name: String) -> String? { values(of: name).first }

    /// The values of all fields with this name, compared without case.
    public func values(of name: String) -> [String] {
        name.withSlice { wanted in
            fields.filter { field in field.name.withSlice { $0.equalsIgnoringCase(wanted) } }.map(\.value)
        }
    }
}
