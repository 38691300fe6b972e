import Admission
import Observability
import Primitives
import RESTInterface
import SIPProxy
import SIPRegistrar
import Store
import Transport

/// What the API asks of the running SIP server.
final class LiveSIPService: SIPService {
    private let server: SIPServer
    private let location: LocationService
    private let admission: Admission
    private let authenticator: Authenticator
    let executor: EffectExecutor
    private let writer: StoreWriter<PendingAnswer>
    private let log: DaemonLog

    init(_ parts: DaemonParts, _ log: DaemonLog) {
        server = parts.server
        location = parts.location
        admission = parts.admission
        authenticator = parts.authenticator
        executor = parts.executor
        writer = parts.writer
        self.log = log
    }

    func lastFailure(ofClient login: String) -> AttemptReport? {
        let found = login.withSlice { login in location.withClient(login) { $0.lastFailure } }
        guard let failure = found ?? nil else { return nil }
        return AttemptReport(
            date: failure.time, source: failure.source.remote.description,
            transport: failure.source.transport.name.string,
            userAgent: String(decoding: failure.userAgent, as: UTF8.self),
            method: String(decoding: failure.method, as: UTF8.self), refusal: SIPRefusal(failure.reason))
    }

    func presence(ofBinding key: [UInt8], client login: String) -> Presence? {
        login.withSlice { login in
            location.withClient(login) { client -> Presence? in
                guard let binding = client.bindings.first(where: { $0.key == key }) else { return nil }
                return Presence(lastAlive: binding.liveness.lastHeard, isReachable: binding.isReachable)
            } ?? nil
        }
    }

    func removeBinding(_ key: [UInt8], ofClient login: String, number: Int64) {
        let dropped = login.withSlice { location.removeBinding(key, of: $0) }
        // At once, as a worker does it; the microseconds between are those that two workers have as well.
        _ = writer.enqueue(.deleteBinding(clientID: number, key: key))
        guard let dropped else { return }
        log.write(dropped: dropped, why: "an operator removed it")
    }

    func send(_ body: String, from: String, to: String, number: RecordNumber) -> SIPRefusal? {
        let message = OutgoingMessage(
            from: Array(from.utf8), to: Array(to.utf8), body: Array(body.utf8), number: number)
        let reason = executor.handle { server, now, effects in
            server.sendMessage(message, now: now, effects: &effects)
        }
        return reason.map { SIPRefusal($0) }
    }

    func bans() -> [BanRow] {
        let now = System.now()
        return admission.reports(at: now, attempts: authenticator.time(at: now.unix)).map { report in
            BanRow(
                sid: report.sid, kind: report.kind.rawValue,
                source: report.source == .none ? nil : report.source.description,
                login: String(decoding: report.login, as: UTF8.self), failures: Int64(report.failures),
                since: report.since, until: report.until, refusal: SIPRefusal(report.reason))
        }
    }

    func liftBan(_ sid: String) -> Bool {
        guard let key = BanReport.key(of: sid), let report = admission.lift(key, at: System.now().unix) else {
            return false
        }
        // Its beginning and its end are told together, or neither.
        if report.kind == .source, report.isTold {
            log.write(.sourceUnbanned) { BanLog.writeEnd(of: report, "an operator lifted it", into: &$0) }
        }
        return true
    }

    func makeRecordNumber() -> RecordNumber { server.nextRecordNumber(now: System.now()) }
}

extension SIPRefusal {
    /// A reason in the words of the table.
    init(_ reason: Reason) {
        self.init(
            code: reason.code.string, number: Int64(reason.rawValue), status: Int64(reason.status),
            message: "\(reason.cause.string) \(reason.remedy.string)",
            retryAfter: reason == .serverStopping ? 10 : reason == .serverOverloaded ? 5 : nil)
    }
}
