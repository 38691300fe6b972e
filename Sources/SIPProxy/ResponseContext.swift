import Observability
import Primitives
import SIPMessage
import SIPRegistrar
import SIPTransaction

/// One branch of a forwarded request (RFC 3261 16.6 and 16.7).
struct ProxyBranch {
    /// How far the branch is.
    enum State {
        /// No response yet.
        case calling
        /// A provisional response has come: from now on it can be cancelled.
        case proceeding
        /// A final response has come, or the branch has failed.
        case completed
    }

    /// Its client transaction; `.none` while its name is not resolved, and when there was no way.
    var client: SlabIndex
    /// What its name leads to; nil for a branch that needs no name.
    var failover: Failover?
    var state = State.calling
    /// It is to be cancelled, as soon as it is proceeding (9.1).
    var isCancelWanted = false
    var isCancelSent = false
    /// The final status, 0 before.
    var status: UInt16 = 0
    /// The mark of its device, where that has other flows that are not tried yet; 0 for none.
    var instance: UInt64 = 0
    /// It has ended as its flow has failed (RFC 5626 section 5.3): another flow of its device may do.
    var isFlowFailed = false

    /// True while its name is being resolved.
    var isUnresolved: Bool { failover?.isResolved == false }
}

/// All that belongs to one request that was forwarded, from its forwarding to its final response (RFC 3261 16.7).
struct ResponseContext {
    /// The server transaction of the request; `.none` for a request of the server's own, which nobody is to be answered.
    let server: SlabIndex
    let method: Method
    /// Where the request came from.
    let source: Flow
    let startedAt: Instant
    var record = PendingRecord()
    /// The call of an application whose request it is; a call of `.none` for none.
    var user = RequestUser()
    var branches: [ProxyBranch] = []
    /// Targets not tried yet, the next at the end; empty when all were tried at once.
    var waiting: [Destination] = []
    /// Other flows of devices that are among the targets, each tried when the flow before has failed (RFC 5626).
    var otherFlows: [Binding] = []
    /// The request belongs to a dialog, so that there is one flow only.
    var isInDialog = false
    /// The request as received; kept only while there are targets that are not tried or not resolved.
    var request: [UInt8] = []
    /// What the forwarding of waiting targets needs beside the request.
    var plan = ForwardingPlan()
    /// The best final response so far (16.7 step 6), without our Via.
    var bestStatus: UInt16 = 0
    var best: [UInt8] = []
    /// A final response has been sent upstream.
    var isFinal = false
    /// The caller has cancelled.
    var isCancelled = false
    /// Timer C has fired: what the callee then answers to our CANCEL is told as 408.
    var isTimedOut = false
    /// The Reason that goes out with CANCELs (RFC 3326).
    var cancelReason: [UInt8] = []
    var timerC = TimerReference.none
    /// The end of the wait for names.
    var resolutionTimer = TimerReference.none

    init(server: SlabIndex, method: Method, source: Flow, startedAt: Instant) {
        self.server = server
        self.method = method
        self.source = source
        self.startedAt = startedAt
    }

    /// True for a request that the server itself has made: it has no Via below ours, nor anybody upstream.
    var isOwn: Bool { server == .none }

    /// True while a branch can still bring a final response.
    var hasPendingBranch: Bool { branches.contains { $0.state != .completed } }

    /// True when nothing can come any more.
    var isSpent: Bool { isFinal && !hasPendingBranch }

    /// The status that the caller gets when all branches have failed.
    var finalStatus: UInt16 {
        // A phone that was cancelled answers 487, or nothing any more: what counts is who wanted the end.
        if isCancelled, bestStatus < 600 { return 487 }
        if isTimedOut, bestStatus == 0 || bestStatus == 487 { return 408 }
        switch bestStatus {
        case 0: return 408
        // RFC 5626 section 5.3: the flow of a dialog is gone. A caller is told no more than that nobody is reached.
        case 503 where isInDialog && best.isEmpty: return 430
        case 430 where !isInDialog: return 480
        // 16.7 step 6: 503 would say that this server is out of service.
        case 503: return 500
        default: return bestStatus
        }
    }

    /// What `finalStatus` is to be told with, when it is our own answer.
    var reason: Reason {
        switch finalStatus {
        case 487: .callCancelled
        case 430: .flowFailed
        case 480 where bestStatus == 430: .calleeUnreachable
        case 408: isTimedOut ? .ringingTooLong : .noAnswer
        case 500, 503: best.isEmpty ? .contactUnreachable : .calleeFailed
        case 486, 600: .calleeBusy
        case 603: .calleeDeclined
        default: .calleeFailed
        }
    }

    /// True when a final response is better than the best so far (16.7 step 6).
    func isBetter(_ status: UInt16) -> Bool {
        if bestStatus == 0 { return true }
        return ResponseContext.rank(status) < ResponseContext.rank(bestStatus)
    }

    /// The order of preference: any 6xx; else the lowest class; within 4xx those that tell the caller how to go on.
    private static func rank(_ status: UInt16) -> Int {
        switch status {
        case 600...: 0
        case 401, 407, 415, 420, 484: 400
        // A phone that cannot be reached says less than one that answered.
        case 408, 480, 487: 402
        case 430: 403
        case 400..<500: 401
        case 503: 600
        case 500..<600: 500
        default: Int(status / 100) * 100
        }
    }
}

/// How the targets of a request are reached, beside what is in the request itself.
struct ForwardingPlan {
    /// Record-Route is added: the request may make a dialog.
    var recordsRoute = false
    /// Leading Route values that were ours and go away (16.4).
    var ownRoutes = 0
    /// The last Route value goes away too: it has become the Request-URI behind a strict router (16.4).
    var isLastRouteTarget = false
    /// The header field with the credentials that we have consumed, or -1 (22.3).
    var credentials = -1
    /// Max-Breadth for each branch (RFC 5393); nil writes none.
    var maxBreadth: UInt32?
    /// Our Contact is written, that of the listener which the request leaves by: the request is one of a call's.
    var writesContact = false
}
