import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// The last refused attempt of each client, for the operator who asks why a phone does not work.
extension SIPServer {
    /// Notes a refusal with the client whose credentials the request has: when they were right and something else was not,
    /// or when they were looked at and were wrong. Nobody else's request says anything of the client.
    func noteFailure(
        of request: borrowing SIPMessage, _ reason: Reason, isAuthenticated: Bool, from flow: Flow, _ now: Now
    ) {
        guard isAuthenticated ? reason.isFailureOfSender : reason.isFailureOfCredentials else { return }
        let name: HeaderName = request.method == .register ? .authorization : .proxyAuthorization
        guard let login = authenticator.login(of: request, name) else { return }
        let agent = request.value(of: .userAgent) ?? .empty
        let method = request.methodText
        _ = location.noteFailure(of: login) {
            AttemptFailure(time: now.unix, source: flow, userAgent: agent, method: method, reason: reason)
        }
    }
}

extension Reason {
    /// True for what is found by looking at credentials for a login, with a nonce that we have issued.
    fileprivate var isFailureOfCredentials: Bool {
        switch self {
        case .wrongPassword, .clientDisabled, .tooManyFailures, .nonceReplayed: true
        default: false
        }
    }

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
