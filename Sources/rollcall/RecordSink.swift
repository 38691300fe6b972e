import Observability
import Primitives
import SIPProxy
import Store
import Synchronization

/// Hands the changes of records to the store, from any thread, and tells when it does not keep up.
final class RecordSink: Sendable {
    private let writer: StoreWriter<PendingAnswer>
    private let log: DaemonLog
    private let lost = Atomic<Int>(0)

    init(_ writer: StoreWriter<PendingAnswer>, _ log: DaemonLog) {
        self.writer = writer
        self.log = log
    }

    /// Takes the changes out of effects, in their order: a call's beginning is in the store's queue before its INVITE goes
    /// out. Nobody waits until it is stored.
    @inline(__always)
    func store(_ effects: inout Effects) {
        if effects.records.isEmpty { return }
        for change in effects.records where !writer.enqueueRecord(RecordBridge.change(change)) {
            lost.wrappingAdd(1, ordering: .relaxed)
        }
        effects.records.removeAll(keepingCapacity: true)
    }

    /// Writes a line when records were lost since the last one; call it about once a second.
    func tellLosses() {
        let count = lost.exchange(0, ordering: .relaxed)
        if count == 0 { return }
        log.write(.recordLost) { buffer in
            buffer.field("records", number: Int64(count))
            buffer.field("what", "the queue of the database is full; a slow disk, or a lock of another program")
        }
    }
}
