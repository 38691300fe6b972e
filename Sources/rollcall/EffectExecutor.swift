import Admission
import Observability
import Primitives
import SIPProxy
import Store
import Synchronization
import Transport

/// Does what the SIP server wants done for events that do not come from a worker: resolved names, texts of the API.
final class EffectExecutor: @unchecked Sendable {
    // Unchecked: `effects` is touched under `lock` only.
    private let server: SIPServer
    private let sender: Sender
    private let log: DaemonLog
    private let records: RecordSink
    private let lock = Mutex(())
    /// Who makes the requests to applications; set once before anything is handled.
    private let applications = Mutex<ApplicationClient?>(nil)
    /// Who resolves names; as above.
    private let names = Mutex<ResolvedNames?>(nil)
    private var effects: Effects

    init(
        _ server: SIPServer, _ sender: Sender, _ log: DaemonLog, _ records: RecordSink, _ admission: Admission,
        _ lines: SharedLines
    ) {
        self.server = server
        self.sender = sender
        self.log = log
        self.records = records
        let style = log.style.value
        effects = Effects(
            log: LogBuffer(level: style.level, format: style.format), key: Secrets.key(), admission: admission,
            lines: lines)
    }

    /// Says who does what takes longer: before the first event.
    func connect(_ names: ResolvedNames, _ applications: ApplicationClient) {
        self.names.withLock { $0 = names }
        self.applications.withLock { $0 = applications }
    }

    /// Hands an event to the server and carries its effects out.
    ///
    /// - Returns: What `event` gives.
    @discardableResult
    func handle<Result>(_ event: (SIPServer, Now, inout Effects) -> Result) -> Result {
        let (result, resolutions, webhooks) = lock.withLock { _ in
            effects.log.adopt(log.style.value)
            let result = event(server, System.now(), &effects)
            // The record first, so that what is answered is found in it.
            records.store(&effects)
            sender.send(&effects.outbox)
            log.sink.write(effects.log.bytes, lines: effects.log.lines)
            effects.log.removeAll()
            defer {
                effects.resolutions.removeAll()
                effects.webhooks.removeAll()
            }
            return (result, effects.resolutions, effects.webhooks)
        }
        // Outside of the lock: a name that is known already is an event at once.
        if !resolutions.isEmpty {
            let names = names.withLock { $0 }
            for resolution in resolutions { names?.resolve(resolution) }
        }
        if !webhooks.isEmpty { applications.withLock { $0 }?.ask(webhooks) }
        return result
    }
}
