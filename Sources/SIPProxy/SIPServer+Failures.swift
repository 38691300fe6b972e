import Observability
import Primitives
import SIPAuthentication
import SIPMessage
import SIPRegistrar

/// The last refused attempt of each client, for the operator who asks why a phone does not work.
extension SIPServer {
    /// Notes a refusal with the client that the request is of: that of its credentials, else that of From. Neither need be
    /// proved; whether it was the client is seen by the address.
    func noteFailure(of request: borrowing SIPMessage, _ reason: Reason, from flow: Flow, _ now: Now) {
        guard reason.isFailureOfSender else { return }
        let agent = request.value(of: .userAgent) ?? .empty
        let method = request.methodText
        let failure = {
            AttemptFailure(time: now.unix, source: flow, userAgent: agent, method: method, reason: reason)
        }
        let name: HeaderName = request.method == .register ? .authorization : .proxyAuthorization
        if let value = request.value(of: name), let credentials = try? DigestCredentials(value),
            location.noteFailure(of: credentials.username, failure)
        {
            return
        }
        guard let uri = SIPURI(request.from.uri), uri.hasUser else { return }
        _ = location.noteFailure(of: uri.user, failure)
    }
}

extension Reason {
    /// True for a refusal that tells something of its sender or how it is set up: not of whom it wants to reach, nor of
    /// what came too late or was sent in circles, nor that a challenge is answered anew as usual.
    fileprivate var isFailureOfSender: Bool {
        switch self {
        case .nonceStale, .calleeUnknown, .calleeNotRegistered, .tooManyHops, .loopDetected, .maxBreadthExceeded,
            .dialogUnknown, .transactionUnknown, .serverOverloaded:
            false
        default: true
        }
    }
}
