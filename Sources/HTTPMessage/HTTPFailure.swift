/// Why a request is refused before any handler sees it.
public struct HTTPFailure: Error, Hashable, Sendable {
    /// The status of the answer.
    public var status: Int
    /// A sentence for the sender.
    public var message: String

    /// A refusal with this status.
    public init(_ status: Int, _ message: String) {
        self.status = status
        self.message = message
    }
}
