import Observability
import Primitives
import SIPProxy
import Store
import Synchronization
import Transport

/// Brings the addresses of host names back to the requests that wait for them, from the resolver's threads.
final class ResolvedNames: @unchecked Sendable {
    // Unchecked: everything that changes is touched under `lock`.
    private let server: SIPServer
    private let resolver: Resolver
    private let sender: Sender
    private let log: LogSink
    private let lock = Mutex(())
    private var effects: Effects

    init(
        _ server: SIPServer, _ resolver: Resolver, _ sender: Sender, _ log: LogSink, level: LogLevel, format: LogFormat
    ) {
        self.server = server
        self.resolver = resolver
        self.sender = sender
        self.log = log
        effects = Effects(log: LogBuffer(level: level, format: format), key: Secrets.key())
    }

    /// Resolves a name; the request goes on, or fails, when that is done.
    func resolve(_ resolution: Resolution) {
        let isTaken = resolution.host.withSlice { host in
            resolver.resolve(host) { [self] in deliver($0, for: resolution) }
        }
        if !isTaken { deliver([], for: resolution) }
    }

    private func deliver(_ addresses: [IPAddress], for resolution: Resolution) {
        lock.withLock { _ in
            server.resolved(resolution, addresses: addresses, now: System.now(), effects: &effects)
            sender.send(&effects.outbox)
            log.write(effects.log.bytes, lines: effects.log.lines)
            effects.log.removeAll()
            effects.records.removeAll(keepingCapacity: true)
        }
        // A further target of the same request may have a name as well.
        let more = lock.withLock { _ in
            defer { effects.resolutions.removeAll() }
            return effects.resolutions
        }
        for next in more { resolve(next) }
    }
}
