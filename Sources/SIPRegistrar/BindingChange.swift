import Primitives

/// A change of the bindings that has to be stored before the answer to its REGISTER may leave.
public enum BindingChange: Sendable {
    /// The binding is new, or stands for the one with the same client and key.
    case upsert(clientID: Int64, Binding)
    /// The binding with this key is gone.
    case delete(clientID: Int64, key: [UInt8])
    /// All bindings of the client are gone.
    case deleteAll(clientID: Int64)
    /// Nothing is left to do, but the answer promises what an earlier request has changed: it waits until that is stored.
    case settled
}
