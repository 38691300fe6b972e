import Observability
import Primitives
import SIPMessage
import SIPRegistrar

/// The end of the server: nothing new begins, what runs goes on.
extension SIPServer {
    /// From now on refuses what would begin a call or a dialog, texts, and the OPTIONS by which others ask whether it serves.
    /// REGISTER and everything in dialogs goes on.
    public func beginDraining() { replaceSettings { $0.isDraining = true } }

    /// True for a request without a route token of ours that is not taken while the server is about to end: what is new. A
    /// To tag makes it old only where the client of From has a device.
    @inline(__always)
    func isRefusedByDraining(_ request: borrowing SIPMessage, from flow: Flow, _ now: Now) -> Bool {
        guard settings.isDraining else { return false }
        guard request.method.makesDialog || request.method == .message || request.method == .options else {
            return false
        }
        return request.toTag.isEmpty || !isFromDevice(request, flow, now)
    }

    /// Refuses a request as the server is about to end, without a transaction and without asking who it is from.
    func refuseByDraining(_ request: borrowing SIPMessage, from flow: Flow, now: Now, effects: inout Effects) {
        reject(request, .serverStopping, from: flow, now: now, effects: &effects)
    }
}
