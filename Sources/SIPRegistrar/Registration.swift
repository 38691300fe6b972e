import Observability
import Primitives

/// What became of a REGISTER; its response is in the writer that was given.
public struct Registration: Sendable {
    /// What was done, for the log.
    public enum Outcome: Equatable, Sendable {
        /// A binding was added.
        case created
        /// A binding has another contact or comes from another address.
        case moved
        /// A binding lives longer.
        case refreshed
        /// Bindings were removed, and none added or refreshed.
        case removed
        /// The client asked for its bindings.
        case queried
        /// A request that was answered before: the same answer, no change.
        case repeated
        /// Credentials are asked for; there is a reason when some were given.
        case challenged(stale: Bool, Reason?)
        /// The request was refused.
        case refused(Reason)
    }

    /// What was done.
    public let outcome: Outcome
    /// The status of the response.
    public let status: UInt16
    /// The client's number, 0 when it is not known who it is.
    public let clientID: Int64
    /// What is to be stored before the response leaves; the location service has it already.
    public let changes: [BindingChange]
    /// What takes the changes back in the location service when they cannot be stored; nil when there are none.
    public var undo: BindingUndo?
    /// The binding that did not answer any more and is heard again, as it was before the request.
    public var recovered: Binding?
}
