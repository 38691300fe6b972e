import Observability
import Primitives
import SIPProxy
import SIPRegistrar
import Store
import Transport

/// Sends the answers whose promise the store has kept, from the store thread.
final class StoredAnswers: @unchecked Sendable {
    // Unchecked: used by the store thread only.
    private let server: SIPServer
    private let location: LocationService
    private let sender: Sender
    private let log: DaemonLog
    private var outbox = Outbox()
    private var failures = StoreFailures()

    /// Why a binding is gone whose REGISTER was answered 503.
    static let undone: ByteSlice = "it could not be stored"

    init(_ server: SIPServer, _ location: LocationService, _ sender: Sender, _ log: DaemonLog) {
        self.server = server
        self.location = location
        self.sender = sender
        self.log = log
    }

    /// Sends what was held back; in case of an error, 503 instead.
    func release(_ answers: [PendingAnswer], _ error: StoreError?) {
        if let error, !isOfClientGone(error) {
            if let refused = failures.add(error, answers: answers.count, at: System.now().instant) {
                log.write(.storeError) { buffer in
                    error.description.withSlice { buffer.field("why", sentence: $0) }
                    buffer.field("answers", number: Int64(refused))
                }
            }
        } else if error == nil, let refused = failures.end() {
            log.write(.storeOK) { buffer in buffer.field("answers", number: Int64(refused)) }
        }
        for answer in answers {
            if error != nil, let undo = answer.undo { takeBack(undo) }
            answer.response.withSlice { response in
                if error == nil {
                    outbox.send(response, to: answer.flow)
                } else {
                    let start = outbox.bytes.count
                    server.writeStoreFailure(insteadOf: response, into: &outbox.bytes)
                    outbox.send(from: start, to: answer.flow)
                }
            }
        }
        sender.send(&outbox)
    }

    /// Takes a binding out of memory that is not in the database: nobody may be called by a promise that was not kept.
    private func takeBack(_ undo: BindingUndo) {
        for dropped in location.undo(undo, now: System.now().unix) {
            log.write(dropped: dropped, why: StoredAnswers.undone)
        }
    }

    /// True when the client was removed or disabled on the command line while its REGISTER was on its way: the store works.
    private func isOfClientGone(_ error: StoreError) -> Bool {
        if case .constraint(_, .reference, _) = error { return true }
        return false
    }
}
