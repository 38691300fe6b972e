import Observability
import Primitives

/// A request in the name of a client that was refused: what an operator needs to know about a phone that does not work.
///
/// A class, so that a client without a failure has one word for it.
public final class AttemptFailure: Sendable {
    /// When.
    public let time: UnixTime
    /// Where it came from, taken from the socket: transport, address and port.
    public let source: Flow
    /// The User-Agent of the request, at most 64 bytes; empty when it brought none.
    public let userAgent: [UInt8]
    /// The method as sent, at most 16 bytes.
    public let method: [UInt8]
    /// Why it was refused.
    public let reason: Reason

    /// A failure; what is too long is cut.
    public init(time: UnixTime, source: Flow, userAgent: ByteSlice, method: ByteSlice, reason: Reason) {
        self.time = time
        self.source = source
        self.userAgent = userAgent.prefix(64).bytes
        self.method = method.prefix(16).bytes
        self.reason = reason
    }
}

extension LocationService {
    /// Keeps a failure as the client's last one.
    ///
    /// - Returns: False when there is no such client.
    public func noteFailure(
        of user: ByteSlice, _ failure: () -> AttemptFailure
    ) -> Bool {
        withClient(user) { client -> Bool in
            let failure = failure()
            // That there were too many says less than what they were.
            let isKnown = client.lastFailure?.reason == .wrongPassword || client.lastFailure?.reason == .clientDisabled
            if failure.reason != .tooManyFailures || !isKnown { client.lastFailure = failure }
            return true
        } ?? false
    }
}
