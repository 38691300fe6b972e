import Admission
import Observability
import Primitives
import SIPMessage
import SIPProxy
import SIPRegistrar
import Store
import Transport

/// The receipt of a change that an answer waits for.
struct PendingAnswer: Sendable {
    let flow: Flow
    let response: [UInt8]
}

/// One worker: gives what its event loop brings to the SIP server, and does what the server wants done.
final class Worker: EventLoopDelegate {
    private let server: SIPServer
    private let location: LocationService
    private let writer: StoreWriter<PendingAnswer>
    private let bridge: StoreBridge
    private let log: LogSink
    private let names: ResolvedNames
    private let records: RecordSink
    private let sweeps: Bool
    private let authenticator: Authenticator
    private let admission: Admission
    private var banLog = BanLog()
    private var nextSweep = Instant(milliseconds: 0)
    private var message = SIPMessage()
    private var effects: Effects

    /// A worker; one of them sweeps expired bindings.
    init(_ parts: DaemonParts, logLevel: LogLevel, logFormat: LogFormat, sweeps: Bool) {
        server = parts.server
        location = parts.location
        writer = parts.writer
        bridge = parts.bridge
        log = parts.log
        names = parts.names
        records = parts.records
        self.sweeps = sweeps
        authenticator = parts.authenticator
        admission = parts.admission
        effects = Effects(
            log: LogBuffer(level: logLevel, format: logFormat), key: Secrets.key(), admission: parts.admission,
            lines: parts.lines)
    }

    func received(_ message: ByteSlice, on flow: Flow, now: Now) {
        guard admission.admits(flow.remote.address, at: now.instant) else { return }
        server.receive(message, into: &self.message, from: flow, now: now, effects: &effects)
        // At once, so that the changes of one client by several workers reach the store in the order in which they were
        // made in memory; a batch of other messages between would turn them round now and then.
        storeChanges()
    }

    func refuses(_ peer: IPAddress) -> Bool { admission.isBanned(peer) }

    func closed(_ flow: Flow, now: Now) {
        if effects.log.begin(.flowClosed, at: now.unix) {
            effects.log.field("src", source: flow)
            effects.log.end()
        }
        // What came by the connection in this turn is stored first: else its binding would come back in the store.
        storeChanges()
        server.connectionClosed(flow.connection, now: now, effects: &effects)
        storeChanges()
        // A binding goes with its connection: nothing else leads to its device.
        drop(location.connectionClosed(flow.connection), .registrationRemoved, "its connection was closed", now)
    }

    func sendFailed(origin: UInt64, flow: Flow, now: Now) {
        server.sendFailed(origin: origin, now: now, effects: &effects)
        storeChanges()
    }

    func unreachable(_ original: ByteSlice, flow: Flow, now: Now) {
        server.unreachable(original, into: &message, now: now, effects: &effects)
        storeChanges()
    }

    func tick(now: Now) {
        server.tick(now: now, effects: &effects)
        storeChanges()
        effects.logSuppressions(now: now)
        guard sweeps, now.instant >= nextSweep else { return }
        nextSweep = now.instant.advanced(byMilliseconds: 1000)
        records.tellLosses()
        banLog.write(admission.sweep(at: now), into: &effects.log, now)
        let oldestNonce = authenticator.oldestNonce(now: now.unix)
        let limit = 1000 + location.statistics.clients / 30
        // The store deletes expired rows by itself.
        for dropped in location.removeExpired(now: now.unix, limit: limit, oldestNonce: oldestNonce) {
            logDropped(dropped, .registrationExpired, "it was not refreshed in time", now)
        }
    }

    var isBusy: Bool { server.isBusy }

    func turnEnded(_ loop: EventLoop) {
        if !effects.resolutions.isEmpty {
            for resolution in effects.resolutions { names.resolve(resolution) }
            effects.resolutions.removeAll()
        }
        loop.send(&effects.outbox)
        if !effects.log.isEmpty {
            log.write(effects.log.bytes, lines: effects.log.lines)
            effects.log.removeAll()
        }
    }

    private func storeChanges() {
        if !effects.hasChanges { return }
        storeRegistrations()
        records.store(&effects)
    }

    private func storeRegistrations() {
        if effects.registrations.isEmpty { return }
        for answer in effects.registrations {
            let changes = answer.changes.compactMap(bridge.change)
            let receipt =
                answer.response.isEmpty ? nil : PendingAnswer(flow: answer.flow, response: answer.response)
            if changes.isEmpty, receipt == nil { continue }
            if writer.enqueue(changes, receipt: receipt) || receipt == nil { continue }
            let start = effects.outbox.bytes.count
            answer.response.withSlice { server.writeStoreFailure(insteadOf: $0, into: &effects.outbox.bytes) }
            effects.outbox.send(from: start, to: answer.flow)
        }
        effects.registrations.removeAll(keepingCapacity: true)
    }

    private func drop(_ bindings: [DroppedBinding], _ event: LogEvent, _ why: ByteSlice, _ now: Now) {
        for dropped in bindings {
            _ = writer.enqueue(.deleteBinding(clientID: dropped.clientID, key: dropped.binding.key))
            logDropped(dropped, event, why, now)
        }
    }

    private func logDropped(_ dropped: DroppedBinding, _ event: LogEvent, _ why: ByteSlice, _ now: Now) {
        guard effects.log.begin(event, at: now.unix) else { return }
        effects.log.field("src", source: dropped.binding.flow)
        dropped.login.withSlice { effects.log.field("user", $0) }
        dropped.binding.withText { effects.log.contact($0.contact) }
        effects.log.field("why", why)
        effects.log.end()
    }
}
