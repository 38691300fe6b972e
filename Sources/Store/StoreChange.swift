import Primitives

/// A change that the writer makes durable.
public enum StoreChange: Sendable {
    /// Stores a binding, or refreshes the one with the same client and key (its `createdAt` stays).
    case upsertBinding(BindingRow)
    /// Removes one binding; no error when it is gone already.
    case deleteBinding(clientID: Int64, key: [UInt8])
    /// Removes all bindings of a client.
    case deleteBindings(clientID: Int64)
}
