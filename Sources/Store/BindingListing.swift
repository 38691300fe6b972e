/// A binding with the names of its client.
public struct BindingListing: Equatable, Sendable {
    /// The binding.
    public var binding: BindingRow
    /// The login of its client.
    public var login: String
    /// The sid of its client.
    public var clientSID: String
}

extension BindingListing {
    /// Reads login and sid of the client, and then all columns of the binding.
    init(_ statement: borrowing PreparedStatement) {
        login = statement.text(0)
        clientSID = statement.text(1)
        binding = BindingRow(statement, from: 2)
    }
}
