import Observability
import Primitives
import SIPProxy
import Store
import Transport

/// Sends the answers whose promise the store has kept, from the store thread.
final class StoredAnswers: @unchecked Sendable {
    // Unchecked: used by the store thread only.
    private let server: SIPServer
    private let sender: Sender
    private let log: DaemonLog
    private var outbox = Outbox()
    private var hasFailed = false

    init(_ server: SIPServer, _ sender: Sender, _ log: DaemonLog) {
        self.server = server
        self.sender = sender
        self.log = log
    }

    /// Sends what was held back; in case of an error, 503 instead.
    func release(_ answers: [PendingAnswer], _ error: StoreError?) {
        if let error, !isOfClientGone(error) {
            hasFailed = true
            log.write(.storeError) { buffer in
                error.description.withSlice { buffer.field("why", sentence: $0) }
                buffer.field("answers", number: Int64(answers.count))
            }
        } else if error == nil, hasFailed {
            hasFailed = false
            log.write(.storeOK) { _ in }
        }
        for answer in answers {
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

    /// True when the client was removed or disabled on the command line while its REGISTER was on its way: the store works.
    private func isOfClientGone(_ error: StoreError) -> Bool {
        if case .constraint(_, .reference, _) = error { return true }
        return false
    }
}
