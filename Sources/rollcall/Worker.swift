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
    /// What takes the changes back when they cannot be stored.
    var undo: BindingUndo?
}

/// One worker: gives what its event loop brings to the SIP server, and does what the server wants done.
final class Worker: EventLoopDelegate {
    private let server: SIPServer
    private let location: LocationService
    private let writer: StoreWriter<PendingAnswer>
    private let bridge: StoreBridge
    private let log: LogSink
    private let daemonLog: DaemonLog
    private let style: Replaceable<LogStyle>
    private var currentStyle: LogStyle
    private var storeWatch = StoreWatch()
    private var clockWatch = ClockWatch()
    private let names: ResolvedNames
    private let applications: ApplicationClient
    private let records: RecordSink
    private let sweeps: Bool
    private let authenticator: Authenticator
    private let admission: Admission
    private var banLog = BanLog()
    private var nextSweep = Instant(milliseconds: 0)
    private var gauge = LoadGauge()
    private var message = SIPMessage()
    private var effects: Effects

    /// A worker; one of them sweeps expired bindings.
    init(_ parts: DaemonParts, _ daemonLog: DaemonLog, sweeps: Bool) {
        self.daemonLog = daemonLog
        style = parts.style
        let style = parts.style.value
        currentStyle = style
        server = parts.server
        location = parts.location
        writer = parts.writer
        bridge = parts.bridge
        log = parts.log
        names = parts.names
        applications = parts.applications
        records = parts.records
        self.sweeps = sweeps
        authenticator = parts.authenticator
        admission = parts.admission
        effects = Effects(
            log: LogBuffer(level: style.level, format: style.format), key: Secrets.key(), admission: parts.admission,
            lines: parts.lines)
        // A step in the first moments is one too.
        _ = clockWatch.check(System.now().unix, elapsed: System.bootInstant())
    }

    func received(_ message: ByteSlice, on flow: Flow, now: Now) {
        guard admission.admits(flow.remote.address, at: now.instant) else { return }
        server.receive(message, into: &self.message, from: flow, now: now, effects: &effects)
        // At once, so that the changes of one client by several workers reach the store in the order in which they were
        // made in memory; a batch of other messages between would turn them round now and then.
        storeChanges()
    }

    func refuses(_ peer: IPAddress) -> Bool { admission.isBanned(peer) }

    func connectionAllowance(of peer: IPAddress) -> Int {
        // A device that comes back has its old connection still, until its end is noticed.
        admission.isTrusted(peer) ? .max : 2 * admission.clients(of: peer)
    }

    func refused(_ flow: Flow, because cause: CloseCause, now: Now) {
        effects.logLimit(cause.text, of: flow, now: now)
    }

    func closed(_ flow: Flow, because cause: CloseCause, now: Now) {
        if cause.isLimit {
            effects.logLimit(cause.text, of: flow, now: now)
        } else if effects.log.begin(.flowClosed, at: now.unix) {
            effects.log.field("src", source: flow)
            effects.log.field("why", cause.text)
            effects.log.end()
        }
        // What came by the connection in this turn is stored first: else its binding would come back in the store.
        storeChanges()
        server.connectionClosed(flow.connection, now: now, effects: &effects)
        storeChanges()
        // A binding goes with its connection: nothing else leads to its device. A short time is left to come back.
        let dropped = location.connectionClosed(
            flow.connection, reconnectTime: server.keepalive.reconnectTime, now: now)
        if !dropped.isEmpty {
            server.deviceLost(flow.connection, now: now, effects: &effects)
            storeChanges()
        }
        drop(dropped, .registrationRemoved, "its connection was closed", now)
    }

    func heard(on flow: Flow, isAnswer: Bool, now: Now) {
        server.heard(on: flow, isAnswer: isAnswer, now: now, effects: &effects)
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
        guard sweeps else { return }
        if let step = clockWatch.check(System.now().unix, elapsed: System.bootInstant()) { follow(step, now) }
        let dropped = server.keepAlive(now: now, effects: &effects)
        storeChanges()
        drop(dropped, .registrationRemoved, "its connection was closed, and it did not come back", now)
        guard now.instant >= nextSweep else { return }
        nextSweep = now.instant.advanced(byMilliseconds: 1000)
        records.tellLosses()
        watchStore(now)
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
        if !effects.webhooks.isEmpty {
            applications.ask(effects.webhooks)
            effects.webhooks.removeAll(keepingCapacity: true)
        }
        if !effects.provenConnections.isEmpty {
            loop.prove(effects.provenConnections)
            effects.provenConnections.removeAll(keepingCapacity: true)
        }
        measureLoad(loop)
        loop.send(&effects.outbox)
        if !effects.log.isEmpty {
            log.write(effects.log.bytes, lines: effects.log.lines)
            effects.log.removeAll()
        }
        if style.value != currentStyle {
            currentStyle = style.value
            effects.log.adopt(currentStyle)
        }
    }

    /// The clock was set: what is registered keeps the time that it has left, in memory and in the store.
    private func follow(_ step: ClockStep, _ now: Now) {
        location.move(by: step)
        _ = writer.enqueue(.moveBindings(step))
        guard effects.log.begin(.clockStep, at: step.actual) else { return }
        effects.log.field("ms", number: step.milliseconds)
        effects.log.field("what", "registrations keep the time that they have left; nonces may be asked for anew")
        effects.log.end()
    }

    private func watchStore(_ now: Now) {
        let counts = writer.statistics()
        guard let milliseconds = storeWatch.check(counts, at: now.instant) else { return }
        daemonLog.write(.storeSlow) { buffer in
            buffer.field("ms", number: Int64(clamping: milliseconds))
            buffer.field("queued", number: Int64(counts.queued))
            buffer.field("what", "a slow disk, or a lock of another program; calls go on, registrations wait")
        }
    }

    /// Takes what the turn tells about the load; what comes next is refused by it.
    private func measureLoad(_ loop: EventLoop) {
        guard let change = gauge.add(loop.load, at: loop.turnStart.instant) else {
            effects.load = gauge.level
            return
        }
        effects.load = gauge.level
        if effects.log.begin(.serverOverload, at: loop.turnStart.unix) {
            effects.log.field("state", change == .began ? "begin" : "end")
            effects.log.field("level", gauge.worstLevel.name)
            effects.log.field("delay", number: Int64(clamping: gauge.worstDelay))
            effects.log.field("lost", number: Int64(gauge.lost))
            if change == .ended {
                let lasted = loop.turnStart.instant.milliseconds(since: gauge.beganAt)
                effects.log.field("ms", number: Int64(clamping: lasted))
            }
            effects.log.end()
        }
        if change == .ended { gauge.forget() }
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
                answer.response.isEmpty
                ? nil : PendingAnswer(flow: answer.flow, response: answer.response, undo: answer.undo)
            if changes.isEmpty, receipt == nil { continue }
            if writer.enqueue(changes, receipt: receipt) || receipt == nil { continue }
            if let undo = answer.undo {
                let now = System.now()
                for dropped in location.undo(undo, now: now.unix) {
                    logDropped(dropped, .registrationRemoved, StoredAnswers.undone, now)
                }
            }
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
